"""ShareGroupDescribe (77): state, members and assignments of share groups (KIP-932); version 0 was early access."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupDescribeRequest:
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
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    member_epoch: int = wire(INT32)
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    subscribed_topic_names: list[str] = wire(array(STRING))
    assignment: Assignment = wire(Assignment)


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
class ShareGroupDescribeResponse:
    throttle_time_ms: int = wire(INT32)
    groups: list[DescribedGroup] = wire(array(DescribedGroup))


API = Api(
    77,
    request=Schema(ShareGroupDescribeRequest, versions="1", flexible="0+"),
    response=Schema(ShareGroupDescribeResponse, versions="1", flexible="0+"),
)
