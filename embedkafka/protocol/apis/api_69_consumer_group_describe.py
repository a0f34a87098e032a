"""ConsumerGroupDescribe (69): state, epochs, members and assignments of KIP-848's groups.

1 tells whether a member speaks the classic protocol, which it may during a migration (KIP-1099).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupDescribeRequest:
    group_ids: list[str] = wire(array(STRING))
    include_authorized_operations: bool = wire(BOOL)


@dataclass(slots=True)
class TopicPartitions:
    topic_id: UuidValue = wire(UUID)
    topic_name: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class Assignment:
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@dataclass(slots=True)
class Member:
    member_id: str = wire(STRING)
    instance_id: str | None = wire(STRING, default=None, nullable="0+")
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    member_epoch: int = wire(INT32)
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    subscribed_topic_names: list[str] = wire(array(STRING))
    subscribed_topic_regex: str | None = wire(STRING, default=None, nullable="0+")
    assignment: Assignment = wire(Assignment)
    target_assignment: Assignment = wire(Assignment)
    member_type: int = wire(INT8, "1+", default=-1, ignorable=True)


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    group_id: str = wire(STRING)
    group_state: str = wire(STRING)
    group_epoch: int = wire(INT32)
    assignment_epoch: int = wire(INT32)
    assignor_name: str = wire(STRING)
    members: list[Member] = wire(array(Member))
    authorized_operations: int = wire(INT32, default=-(2**31))


@dataclass(slots=True)
class ConsumerGroupDescribeResponse:
    throttle_time_ms: int = wire(INT32)
    groups: list[DescribedGroup] = wire(array(DescribedGroup))


API = Api(
    69,
    request=Schema(ConsumerGroupDescribeRequest, versions="0-1", flexible="0+"),
    response=Schema(ConsumerGroupDescribeResponse, versions="0-1", flexible="0+"),
)
