"""DeleteShareGroupState (86): forget the state of share partitions (KIP-932)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PartitionData:
    partition: int = wire(INT32)


@dataclass(slots=True)
class DeleteStateData:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class DeleteShareGroupStateRequest:
    group_id: str = wire(STRING)
    topics: list[DeleteStateData] = wire(array(DeleteStateData))


@dataclass(slots=True)
class PartitionResult:
    partition: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class DeleteStateResult:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class DeleteShareGroupStateResponse:
    results: list[DeleteStateResult] = wire(array(DeleteStateResult))


API = Api(
    86,
    request=Schema(DeleteShareGroupStateRequest, versions="0", flexible="0+"),
    response=Schema(DeleteShareGroupStateResponse, versions="0", flexible="0+"),
)
