"""DeleteTopics (20): remove topics by name, or from 6 by id (KIP-516), where the lists of names became one of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DeleteTopicState:
    name: str | None = wire(STRING, default=None, nullable="0+")
    topic_id: UuidValue = wire(UUID)


@dataclass(slots=True)
class DeleteTopicsRequest:
    topics: list[DeleteTopicState] = wire(array(DeleteTopicState), "6+")
    topic_names: list[str] = wire(array(STRING), "0-5", ignorable=True)
    timeout_ms: int = wire(INT32)


@dataclass(slots=True)
class DeletableTopicResult:
    name: str | None = wire(STRING, nullable="6+")
    topic_id: UuidValue = wire(UUID, "6+", ignorable=True)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)


@dataclass(slots=True)
class DeleteTopicsResponse:
    throttle_time_ms: int = wire(INT32)
    responses: list[DeletableTopicResult] = wire(array(DeletableTopicResult))


API = Api(
    20,
    request=Schema(DeleteTopicsRequest, versions="1-6", flexible="4+"),
    response=Schema(DeleteTopicsResponse, versions="1-6", flexible="4+"),
)
