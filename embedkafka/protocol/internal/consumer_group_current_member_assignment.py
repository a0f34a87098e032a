"""ConsumerGroupCurrentMemberAssignmentKey (record type 8) and its value: what a member owns now, and in which epoch.

The assignment epochs, one per partition, say since when the member owns it: a commit of an older epoch is a zombie's.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT8, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupCurrentMemberAssignmentKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class OwnedPartitions:
    """``assignment_epochs`` is None where Kafka before 4.3 wrote the record."""

    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))
    assignment_epochs: list[int] | None = wire(array(INT32), default=None, nullable="0+", tag=0, tagged="0+")


@dataclass(slots=True)
class ConsumerGroupCurrentMemberAssignmentValue:
    member_epoch: int = wire(INT32)
    previous_member_epoch: int = wire(INT32)
    state: int = wire(INT8)
    assigned_partitions: list[OwnedPartitions] = wire(array(OwnedPartitions))
    partitions_pending_revocation: list[OwnedPartitions] = wire(array(OwnedPartitions))


KEY = Schema(ConsumerGroupCurrentMemberAssignmentKey, versions="0")
VALUE = Schema(ConsumerGroupCurrentMemberAssignmentValue, versions="0", flexible="0+")
