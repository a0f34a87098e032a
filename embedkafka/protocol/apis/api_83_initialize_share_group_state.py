"""InitializeShareGroupState (83): begin the state of share partitions, or begin it anew (KIP-932)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PartitionData:
    partition: int = wire(INT32)
    state_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)


@dataclass(slots=True)
class InitializeStateData:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class InitializeShareGroupStateRequest:
    group_id: str = wire(STRING)
    topics: list[InitializeStateData] = wire(array(InitializeStateData))


@dataclass(slots=True)
class PartitionResult:
    partition: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class InitializeStateResult:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class InitializeShareGroupStateResponse:
    results: list[InitializeStateResult] = wire(array(InitializeStateResult))


API = Api(
    83,
    request=Schema(InitializeShareGroupStateRequest, versions="0", flexible="0+"),
    response=Schema(InitializeShareGroupStateResponse, versions="0", flexible="0+"),
)
