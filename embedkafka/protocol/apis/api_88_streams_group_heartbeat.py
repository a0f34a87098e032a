"""StreamsGroupHeartbeat (88): membership of Kafka Streams' groups, whose topology the broker knows (KIP-1071).

Null and -1 fields are unchanged since the last heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, INT64, STRING, UINT16, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class KeyValue:
    key: str = wire(STRING)
    value: str = wire(STRING)


@dataclass(slots=True)
class TopicInfo:
    name: str = wire(STRING)
    partitions: int = wire(INT32)
    replication_factor: int = wire(INT16)
    topic_configs: list[KeyValue] = wire(array(KeyValue))


@dataclass(slots=True)
class CopartitionGroup:
    source_topics: list[int] = wire(array(INT16))
    source_topic_regex: list[int] = wire(array(INT16))
    repartition_source_topics: list[int] = wire(array(INT16))


@dataclass(slots=True)
class Subtopology:
    subtopology_id: str = wire(STRING)
    source_topics: list[str] = wire(array(STRING))
    source_topic_regex: list[str] = wire(array(STRING))
    state_changelog_topics: list[TopicInfo] = wire(array(TopicInfo))
    repartition_sink_topics: list[str] = wire(array(STRING))
    repartition_source_topics: list[TopicInfo] = wire(array(TopicInfo))
    copartition_groups: list[CopartitionGroup] = wire(array(CopartitionGroup))


@dataclass(slots=True)
class Topology:
    epoch: int = wire(INT32)
    subtopologies: list[Subtopology] = wire(array(Subtopology))


@dataclass(slots=True)
class TaskIds:
    subtopology_id: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class Endpoint:
    host: str = wire(STRING)
    port: int = wire(UINT16)


@dataclass(slots=True)
class TaskOffset:
    subtopology_id: str = wire(STRING)
    partition: int = wire(INT32)
    offset: int = wire(INT64)


@dataclass(slots=True)
class StreamsGroupHeartbeatRequest:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)
    member_epoch: int = wire(INT32)
    endpoint_information_epoch: int = wire(INT32)
    instance_id: str | None = wire(STRING, default=None, nullable="0+")
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    rebalance_timeout_ms: int = wire(INT32, default=-1)
    topology: Topology | None = wire(Topology, default=None, nullable="0+")
    active_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    standby_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    warmup_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    process_id: str | None = wire(STRING, default=None, nullable="0+")
    user_endpoint: Endpoint | None = wire(Endpoint, default=None, nullable="0+")
    client_tags: list[KeyValue] | None = wire(array(KeyValue), default=None, nullable="0+")
    task_offsets: list[TaskOffset] | None = wire(array(TaskOffset), default=None, nullable="0+")
    task_end_offsets: list[TaskOffset] | None = wire(array(TaskOffset), default=None, nullable="0+")
    shutdown_application: bool = wire(BOOL)


@dataclass(slots=True)
class Status:
    status_code: int = wire(INT8)
    status_detail: str = wire(STRING)


@dataclass(slots=True)
class TopicPartition:
    topic: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class EndpointToPartitions:
    user_endpoint: Endpoint = wire(Endpoint)
    active_partitions: list[TopicPartition] = wire(array(TopicPartition))
    standby_partitions: list[TopicPartition] = wire(array(TopicPartition))


@dataclass(slots=True)
class StreamsGroupHeartbeatResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    member_id: str = wire(STRING)
    member_epoch: int = wire(INT32)
    heartbeat_interval_ms: int = wire(INT32)
    acceptable_recovery_lag: int = wire(INT32)
    task_offset_interval_ms: int = wire(INT32)
    status: list[Status] | None = wire(array(Status), nullable="0+")
    active_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    standby_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    warmup_tasks: list[TaskIds] | None = wire(array(TaskIds), default=None, nullable="0+")
    endpoint_information_epoch: int = wire(INT32)
    partitions_by_user_endpoint: list[EndpointToPartitions] | None = wire(
        array(EndpointToPartitions), default=None, nullable="0+"
    )


API = Api(
    88,
    request=Schema(StreamsGroupHeartbeatRequest, versions="0", flexible="0+"),
    response=Schema(StreamsGroupHeartbeatResponse, versions="0", flexible="0+"),
)
