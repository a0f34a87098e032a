"""ShareGroupHeartbeat (76): membership of share groups (KIP-932).

As in ConsumerGroupHeartbeat, but an assignment is only what a member may read, so there is nothing to give back first.
Member epoch 0 joins, -1 leaves.  Version 0 was early access and is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupHeartbeatRequest:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)
    member_epoch: int = wire(INT32)
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    subscribed_topic_names: list[str] | None = wire(array(STRING), default=None, nullable="0+")


@dataclass(slots=True)
class TopicPartitions:
    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class Assignment:
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@dataclass(slots=True)
class ShareGroupHeartbeatResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    member_id: str | None = wire(STRING, default=None, nullable="0+")
    member_epoch: int = wire(INT32)
    heartbeat_interval_ms: int = wire(INT32)
    assignment: Assignment | None = wire(Assignment, default=None, nullable="0+")


API = Api(
    76,
    request=Schema(ShareGroupHeartbeatRequest, versions="1", flexible="0+"),
    response=Schema(ShareGroupHeartbeatResponse, versions="1", flexible="0+"),
)
