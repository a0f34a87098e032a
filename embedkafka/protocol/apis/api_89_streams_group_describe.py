"""StreamsGroupDescribe (89): topology, members and tasks of Kafka Streams' groups (KIP-1071)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, INT64, STRING, UINT16, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupDescribeRequest:
    group_ids: list[str] = wire(array(STRING))
    include_authorized_operations: bool = wire(BOOL)


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
class Subtopology:
    subtopology_id: str = wire(STRING)
    source_topics: list[str] = wire(array(STRING))
    repartition_sink_topics: list[str] = wire(array(STRING))
    state_changelog_topics: list[TopicInfo] = wire(array(TopicInfo))
    repartition_source_topics: list[TopicInfo] = wire(array(TopicInfo))


@dataclass(slots=True)
class Topology:
    epoch: int = wire(INT32)
    subtopologies: list[Subtopology] | None = wire(array(Subtopology), default=None, nullable="0+")


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
class TaskIds:
    subtopology_id: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class Assignment:
    active_tasks: list[TaskIds] = wire(array(TaskIds))
    standby_tasks: list[TaskIds] = wire(array(TaskIds))
    warmup_tasks: list[TaskIds] = wire(array(TaskIds))


@dataclass(slots=True)
class Member:
    member_id: str = wire(STRING)
    member_epoch: int = wire(INT32)
    instance_id: str | None = wire(STRING, default=None, nullable="0+")
    rack_id: str | None = wire(STRING, default=None, nullable="0+")
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    topology_epoch: int = wire(INT32)
    process_id: str = wire(STRING)
    user_endpoint: Endpoint | None = wire(Endpoint, default=None, nullable="0+")
    client_tags: list[KeyValue] = wire(array(KeyValue))
    task_offsets: list[TaskOffset] = wire(array(TaskOffset))
    task_end_offsets: list[TaskOffset] = wire(array(TaskOffset))
    assignment: Assignment = wire(Assignment)
    target_assignment: Assignment = wire(Assignment)
    is_classic: bool = wire(BOOL)


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    group_id: str = wire(STRING)
    group_state: str = wire(STRING)
    group_epoch: int = wire(INT32)
    assignment_epoch: int = wire(INT32)
    topology: Topology | None = wire(Topology, default=None, nullable="0+")
    members: list[Member] = wire(array(Member))
    authorized_operations: int = wire(INT32, default=-(2**31))


@dataclass(slots=True)
class StreamsGroupDescribeResponse:
    throttle_time_ms: int = wire(INT32)
    groups: list[DescribedGroup] = wire(array(DescribedGroup))


API = Api(
    89,
    request=Schema(StreamsGroupDescribeRequest, versions="0", flexible="0+"),
    response=Schema(StreamsGroupDescribeResponse, versions="0", flexible="0+"),
)
