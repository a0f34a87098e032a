"""ReadShareGroupStateSummary (87): how far a share group is (KIP-932); 1 counts what is done (KIP-1226)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PartitionData:
    partition: int = wire(INT32)
    leader_epoch: int = wire(INT32)


@dataclass(slots=True)
class ReadStateSummaryData:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class ReadShareGroupStateSummaryRequest:
    group_id: str = wire(STRING)
    topics: list[ReadStateSummaryData] = wire(array(ReadStateSummaryData))


@dataclass(slots=True)
class PartitionResult:
    partition: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    state_epoch: int = wire(INT32)
    leader_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)
    delivery_complete_count: int = wire(INT32, "1+", default=-1, ignorable=True)


@dataclass(slots=True)
class ReadStateSummaryResult:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class ReadShareGroupStateSummaryResponse:
    results: list[ReadStateSummaryResult] = wire(array(ReadStateSummaryResult))


API = Api(
    87,
    request=Schema(ReadShareGroupStateSummaryRequest, versions="0-1", flexible="0+"),
    response=Schema(ReadShareGroupStateSummaryResponse, versions="0-1", flexible="0+"),
)
