"""CreateTopics (19): make topics, or only check that they could be made.

* From 4 on, -1 partitions or replicas mean the broker's default (KIP-464). An explicit assignment excludes both counts.
* From 5 the answer tells counts and configs of the new topic (KIP-525); where the caller may not see them,
  ``topic_config_error_code`` says so and they are -1 and null. 7 adds the topic's id (KIP-516).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class CreatableReplicaAssignment:
    partition_index: int = wire(INT32)
    broker_ids: list[int] = wire(array(INT32))


@dataclass(slots=True)
class CreatableTopicConfig:
    name: str = wire(STRING)
    value: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class CreatableTopic:
    name: str = wire(STRING)
    num_partitions: int = wire(INT32)
    replication_factor: int = wire(INT16)
    assignments: list[CreatableReplicaAssignment] = wire(array(CreatableReplicaAssignment))
    configs: list[CreatableTopicConfig] = wire(array(CreatableTopicConfig))


@dataclass(slots=True)
class CreateTopicsRequest:
    topics: list[CreatableTopic] = wire(array(CreatableTopic))
    timeout_ms: int = wire(INT32, default=60000)
    validate_only: bool = wire(BOOL)


@dataclass(slots=True)
class CreatableTopicConfigs:
    name: str = wire(STRING)
    value: str | None = wire(STRING, nullable="0+")
    read_only: bool = wire(BOOL)
    config_source: int = wire(INT8, default=-1)
    is_sensitive: bool = wire(BOOL)


@dataclass(slots=True)
class CreatableTopicResult:
    name: str = wire(STRING)
    topic_id: UuidValue = wire(UUID, "7+", ignorable=True)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    topic_config_error_code: int = wire(INT16, "5+", ignorable=True, tag=0, tagged="5+")
    num_partitions: int = wire(INT32, "5+", default=-1, ignorable=True)
    replication_factor: int = wire(INT16, "5+", default=-1, ignorable=True)
    configs: list[CreatableTopicConfigs] | None = wire(
        array(CreatableTopicConfigs), "5+", nullable="0+", ignorable=True
    )


@dataclass(slots=True)
class CreateTopicsResponse:
    throttle_time_ms: int = wire(INT32)
    topics: list[CreatableTopicResult] = wire(array(CreatableTopicResult))


API = Api(
    19,
    request=Schema(CreateTopicsRequest, versions="2-7", flexible="5+"),
    response=Schema(CreateTopicsResponse, versions="2-7", flexible="5+"),
)
