"""ReadShareGroupState (84): the whole state of share partitions, for their leader (KIP-932)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StateBatch:
    first_offset: int = wire(INT64)
    last_offset: int = wire(INT64)
    delivery_state: int = wire(INT8)
    delivery_count: int = wire(INT16)


@dataclass(slots=True)
class PartitionData:
    partition: int = wire(INT32)
    leader_epoch: int = wire(INT32)


@dataclass(slots=True)
class ReadStateData:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class ReadShareGroupStateRequest:
    group_id: str = wire(STRING)
    topics: list[ReadStateData] = wire(array(ReadStateData))


@dataclass(slots=True)
class PartitionResult:
    partition: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    state_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)
    state_batches: list[StateBatch] = wire(array(StateBatch))


@dataclass(slots=True)
class ReadStateResult:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class ReadShareGroupStateResponse:
    results: list[ReadStateResult] = wire(array(ReadStateResult))


API = Api(
    84,
    request=Schema(ReadShareGroupStateRequest, versions="0", flexible="0+"),
    response=Schema(ReadShareGroupStateResponse, versions="0", flexible="0+"),
)
