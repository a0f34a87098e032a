"""DescribeTopicPartitions (75): partitions of topics, page by page (KIP-966).

Topics come sorted by name, from the request's ``cursor`` on; ``next_cursor`` is null where the listing is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class TopicRequest:
    name: str = wire(STRING)


@dataclass(slots=True)
class Cursor:
    topic_name: str = wire(STRING)
    partition_index: int = wire(INT32)


@dataclass(slots=True)
class DescribeTopicPartitionsRequest:
    topics: list[TopicRequest] = wire(array(TopicRequest))
    response_partition_limit: int = wire(INT32, default=2000)
    cursor: Cursor | None = wire(Cursor, default=None, nullable="0+")


@dataclass(slots=True)
class DescribeTopicPartitionsResponsePartition:
    error_code: int = wire(INT16)
    partition_index: int = wire(INT32)
    leader_id: int = wire(INT32)
    leader_epoch: int = wire(INT32, default=-1)
    replica_nodes: list[int] = wire(array(INT32))
    isr_nodes: list[int] = wire(array(INT32))
    eligible_leader_replicas: list[int] | None = wire(array(INT32), default=None, nullable="0+")
    last_known_elr: list[int] | None = wire(array(INT32), default=None, nullable="0+")
    offline_replicas: list[int] = wire(array(INT32))


@dataclass(slots=True)
class DescribeTopicPartitionsResponseTopic:
    error_code: int = wire(INT16)
    name: str | None = wire(STRING, nullable="0+")
    topic_id: UuidValue = wire(UUID)
    is_internal: bool = wire(BOOL)
    partitions: list[DescribeTopicPartitionsResponsePartition] = wire(array(DescribeTopicPartitionsResponsePartition))
    topic_authorized_operations: int = wire(INT32, default=-(2**31))


@dataclass(slots=True)
class DescribeTopicPartitionsResponse:
    throttle_time_ms: int = wire(INT32)
    topics: list[DescribeTopicPartitionsResponseTopic] = wire(array(DescribeTopicPartitionsResponseTopic))
    next_cursor: Cursor | None = wire(Cursor, default=None, nullable="0+")


API = Api(
    75,
    request=Schema(DescribeTopicPartitionsRequest, versions="0", flexible="0+"),
    response=Schema(DescribeTopicPartitionsResponse, versions="0", flexible="0+"),
)
