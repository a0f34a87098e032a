"""DeleteShareGroupOffsets (92): forget an empty share group's state for topics (KIP-932)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DeleteShareGroupOffsetsRequestTopic:
    topic_name: str = wire(STRING)


@dataclass(slots=True)
class DeleteShareGroupOffsetsRequest:
    group_id: str = wire(STRING)
    topics: list[DeleteShareGroupOffsetsRequestTopic] = wire(array(DeleteShareGroupOffsetsRequestTopic))


@dataclass(slots=True)
class DeleteShareGroupOffsetsResponseTopic:
    topic_name: str = wire(STRING)
    topic_id: UuidValue = wire(UUID)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class DeleteShareGroupOffsetsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    responses: list[DeleteShareGroupOffsetsResponseTopic] = wire(array(DeleteShareGroupOffsetsResponseTopic))


API = Api(
    92,
    request=Schema(DeleteShareGroupOffsetsRequest, versions="0", flexible="0+"),
    response=Schema(DeleteShareGroupOffsetsResponse, versions="0", flexible="0+"),
)
