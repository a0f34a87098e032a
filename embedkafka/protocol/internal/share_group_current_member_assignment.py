"""ShareGroupCurrentMemberAssignmentKey (record type 14) and its value: what a member reads now, and its epoch.

Nobody owns a partition of a share group, so there is nothing to give up and no epoch per partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT8, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupCurrentMemberAssignmentKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class AssignedPartitions:
    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ShareGroupCurrentMemberAssignmentValue:
    member_epoch: int = wire(INT32)
    previous_member_epoch: int = wire(INT32)
    state: int = wire(INT8)
    assigned_partitions: list[AssignedPartitions] = wire(array(AssignedPartitions))


KEY = Schema(ShareGroupCurrentMemberAssignmentKey, versions="0")
VALUE = Schema(ShareGroupCurrentMemberAssignmentValue, versions="0", flexible="0+")
