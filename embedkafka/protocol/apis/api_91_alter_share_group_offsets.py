"""AlterShareGroupOffsets (91): move the start offsets of an empty share group (KIP-932)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AlterShareGroupOffsetsRequestPartition:
    partition_index: int = wire(INT32)
    start_offset: int = wire(INT64)


@dataclass(slots=True)
class AlterShareGroupOffsetsRequestTopic:
    topic_name: str = wire(STRING)
    partitions: list[AlterShareGroupOffsetsRequestPartition] = wire(array(AlterShareGroupOffsetsRequestPartition))


@dataclass(slots=True)
class AlterShareGroupOffsetsRequest:
    group_id: str = wire(STRING)
    topics: list[AlterShareGroupOffsetsRequestTopic] = wire(array(AlterShareGroupOffsetsRequestTopic))


@dataclass(slots=True)
class AlterShareGroupOffsetsResponsePartition:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class AlterShareGroupOffsetsResponseTopic:
    topic_name: str = wire(STRING)
    topic_id: UuidValue = wire(UUID)
    partitions: list[AlterShareGroupOffsetsResponsePartition] = wire(array(AlterShareGroupOffsetsResponsePartition))


@dataclass(slots=True)
class AlterShareGroupOffsetsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    responses: list[AlterShareGroupOffsetsResponseTopic] = wire(array(AlterShareGroupOffsetsResponseTopic))


API = Api(
    91,
    request=Schema(AlterShareGroupOffsetsRequest, versions="0", flexible="0+"),
    response=Schema(AlterShareGroupOffsetsResponse, versions="0", flexible="0+"),
)
