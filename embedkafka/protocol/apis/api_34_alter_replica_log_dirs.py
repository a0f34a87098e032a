"""AlterReplicaLogDirs (34): move replicas between a broker's disks (KIP-113)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AlterReplicaLogDirTopic:
    name: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class AlterReplicaLogDir:
    path: str = wire(STRING)
    topics: list[AlterReplicaLogDirTopic] = wire(array(AlterReplicaLogDirTopic))


@dataclass(slots=True)
class AlterReplicaLogDirsRequest:
    dirs: list[AlterReplicaLogDir] = wire(array(AlterReplicaLogDir))


@dataclass(slots=True)
class AlterReplicaLogDirPartitionResult:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class AlterReplicaLogDirTopicResult:
    topic_name: str = wire(STRING)
    partitions: list[AlterReplicaLogDirPartitionResult] = wire(array(AlterReplicaLogDirPartitionResult))


@dataclass(slots=True)
class AlterReplicaLogDirsResponse:
    throttle_time_ms: int = wire(INT32)
    results: list[AlterReplicaLogDirTopicResult] = wire(array(AlterReplicaLogDirTopicResult))


API = Api(
    34,
    request=Schema(AlterReplicaLogDirsRequest, versions="1-2", flexible="2+"),
    response=Schema(AlterReplicaLogDirsResponse, versions="1-2", flexible="2+"),
)
