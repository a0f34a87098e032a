"""ShareGroupTargetAssignmentMemberKey (record type 13) and its value: the partitions a member shall come to read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupTargetAssignmentMemberKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class TargetPartitions:
    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ShareGroupTargetAssignmentMemberValue:
    topic_partitions: list[TargetPartitions] = wire(array(TargetPartitions))


KEY = Schema(ShareGroupTargetAssignmentMemberKey, versions="0")
VALUE = Schema(ShareGroupTargetAssignmentMemberValue, versions="0", flexible="0+")
