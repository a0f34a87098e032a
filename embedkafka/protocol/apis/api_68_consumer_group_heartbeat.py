"""ConsumerGroupHeartbeat (68): membership and reconciliation of KIP-848's groups, all in one call.

* Member epoch 0 joins, -1 leaves, -2 is a static member that means to return. Null and -1 fields are unchanged since
  the last heartbeat.
* 1 added patterns that the broker evaluates (RE2), and from then on members choose their own id (KIP-1082).
* A null assignment in the answer means unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class TopicPartitions:
    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ConsumerGroupHeartbeatRequest:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)
    member_epoch: int = wire(INT32)
    instance_id: str | None = wire(STRING, default=None, nullable="0+")
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    rebalance_timeout_ms: int = wire(INT32, default=-1)
    subscribed_topic_names: list[str] | None = wire(array(STRING), default=None, nullable="0+")
    subscribed_topic_regex: str | None = wire(STRING, "1+", default=None, nullable="0+")
    server_assignor: str | None = wire(STRING, default=None, nullable="0+")
    topic_partitions: list[TopicPartitions] | None = wire(array(TopicPartitions), default=None, nullable="0+")


@dataclass(slots=True)
class Assignment:
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@dataclass(slots=True)
class ConsumerGroupHeartbeatResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    member_id: str | None = wire(STRING, default=None, nullable="0+")
    member_epoch: int = wire(INT32)
    heartbeat_interval_ms: int = wire(INT32)
    assignment: Assignment | None = wire(Assignment, default=None, nullable="0+")


API = Api(
    68,
    request=Schema(ConsumerGroupHeartbeatRequest, versions="0-1", flexible="0+"),
    response=Schema(ConsumerGroupHeartbeatResponse, versions="0-1", flexible="0+"),
)
