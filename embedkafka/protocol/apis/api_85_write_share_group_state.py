"""WriteShareGroupState (85): changes of share partitions' state (KIP-932); 1 counts what is done (KIP-1226)."""

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
    state_epoch: int = wire(INT32)
    leader_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)
    delivery_complete_count: int = wire(INT32, "1+", default=-1, ignorable=True)
    state_batches: list[StateBatch] = wire(array(StateBatch))


@dataclass(slots=True)
class WriteStateData:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class WriteShareGroupStateRequest:
    group_id: str = wire(STRING)
    topics: list[WriteStateData] = wire(array(WriteStateData))


@dataclass(slots=True)
class PartitionResult:
    partition: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class WriteStateResult:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class WriteShareGroupStateResponse:
    results: list[WriteStateResult] = wire(array(WriteStateResult))


API = Api(
    85,
    request=Schema(WriteShareGroupStateRequest, versions="0-1", flexible="0+"),
    response=Schema(WriteShareGroupStateResponse, versions="0-1", flexible="0+"),
)
