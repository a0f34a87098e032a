"""DescribeQuorum (55): voters and observers of the metadata log, which is the only topic there is to ask for (KIP-595).

1 added fetch and catch-up times (KIP-836); 2 messages, directory ids and the voters' listeners (KIP-853).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UINT16, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PartitionRequest:
    partition_index: int = wire(INT32)


@dataclass(slots=True)
class TopicRequest:
    topic_name: str = wire(STRING)
    partitions: list[PartitionRequest] = wire(array(PartitionRequest))


@dataclass(slots=True)
class DescribeQuorumRequest:
    topics: list[TopicRequest] = wire(array(TopicRequest))


@dataclass(slots=True)
class ReplicaState:
    replica_id: int = wire(INT32)
    replica_directory_id: UuidValue = wire(UUID, "2+")
    log_end_offset: int = wire(INT64)
    last_fetch_timestamp: int = wire(INT64, "1+", default=-1, ignorable=True)
    last_caught_up_timestamp: int = wire(INT64, "1+", default=-1, ignorable=True)


@dataclass(slots=True)
class PartitionData:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, "2+", nullable="0+", ignorable=True)
    leader_id: int = wire(INT32)
    leader_epoch: int = wire(INT32)
    high_watermark: int = wire(INT64)
    current_voters: list[ReplicaState] = wire(array(ReplicaState))
    observers: list[ReplicaState] = wire(array(ReplicaState))


@dataclass(slots=True)
class TopicData:
    topic_name: str = wire(STRING)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class Listener:
    name: str = wire(STRING)
    host: str = wire(STRING)
    port: int = wire(UINT16)


@dataclass(slots=True)
class Node:
    node_id: int = wire(INT32)
    listeners: list[Listener] = wire(array(Listener))


@dataclass(slots=True)
class DescribeQuorumResponse:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, "2+", nullable="0+", ignorable=True)
    topics: list[TopicData] = wire(array(TopicData))
    nodes: list[Node] = wire(array(Node), "2+")


API = Api(
    55,
    request=Schema(DescribeQuorumRequest, versions="0-2", flexible="0+"),
    response=Schema(DescribeQuorumResponse, versions="0-2", flexible="0+"),
)
