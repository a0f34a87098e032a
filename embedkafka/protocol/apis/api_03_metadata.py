"""Metadata (3): brokers, topics, their partitions and leaders.

* All topics are asked for by an empty list in version 0 and by null from 1 on, where an empty list means none.
* 4 lets the client forbid that missing topics are created; lower versions always allow it.
* 10 answers with topic ids, 12 takes them (KIP-516); a topic that is unknown by id comes back without a name.
* Authorized operations are bit fields and are filled in only on request (KIP-430); the cluster's moved to
  DescribeCluster with version 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class MetadataRequestTopic:
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    name: str | None = wire(STRING, nullable="10+")


@dataclass(slots=True)
class MetadataRequest:
    topics: list[MetadataRequestTopic] | None = wire(array(MetadataRequestTopic), nullable="1+")
    allow_auto_topic_creation: bool = wire(BOOL, "4+", default=True)
    include_cluster_authorized_operations: bool = wire(BOOL, "8-10")
    include_topic_authorized_operations: bool = wire(BOOL, "8+")


@dataclass(slots=True)
class MetadataResponseBroker:
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, "1+", default=None, nullable="0+", ignorable=True)


@dataclass(slots=True)
class MetadataResponsePartition:
    error_code: int = wire(INT16)
    partition_index: int = wire(INT32)
    leader_id: int = wire(INT32)
    leader_epoch: int = wire(INT32, "7+", default=-1, ignorable=True)
    replica_nodes: list[int] = wire(array(INT32))
    isr_nodes: list[int] = wire(array(INT32))
    offline_replicas: list[int] = wire(array(INT32), "5+", ignorable=True)


@dataclass(slots=True)
class MetadataResponseTopic:
    error_code: int = wire(INT16)
    name: str | None = wire(STRING, nullable="12+")
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    is_internal: bool = wire(BOOL, "1+", ignorable=True)
    partitions: list[MetadataResponsePartition] = wire(array(MetadataResponsePartition))
    topic_authorized_operations: int = wire(INT32, "8+", default=-(2**31))


@dataclass(slots=True)
class MetadataResponse:
    throttle_time_ms: int = wire(INT32, "3+", ignorable=True)
    brokers: list[MetadataResponseBroker] = wire(array(MetadataResponseBroker))
    cluster_id: str | None = wire(STRING, "2+", default=None, nullable="0+", ignorable=True)
    controller_id: int = wire(INT32, "1+", default=-1, ignorable=True)
    topics: list[MetadataResponseTopic] = wire(array(MetadataResponseTopic))
    cluster_authorized_operations: int = wire(INT32, "8-10", default=-(2**31))
    error_code: int = wire(INT16, "13+", ignorable=True)


API = Api(
    3,
    request=Schema(MetadataRequest, versions="0-13", flexible="9+"),
    response=Schema(MetadataResponse, versions="0-13", flexible="9+"),
)
