"""DeleteRecords (21): move a partition's log start up to an offset (KIP-107).

-1 means the high watermark.  The answer is the new low watermark of all replicas.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DeleteRecordsPartition:
    partition_index: int = wire(INT32)
    offset: int = wire(INT64)


@dataclass(slots=True)
class DeleteRecordsTopic:
    name: str = wire(STRING)
    partitions: list[DeleteRecordsPartition] = wire(array(DeleteRecordsPartition))


@dataclass(slots=True)
class DeleteRecordsRequest:
    topics: list[DeleteRecordsTopic] = wire(array(DeleteRecordsTopic))
    timeout_ms: int = wire(INT32)


@dataclass(slots=True)
class DeleteRecordsPartitionResult:
    partition_index: int = wire(INT32)
    low_watermark: int = wire(INT64)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class DeleteRecordsTopicResult:
    name: str = wire(STRING)
    partitions: list[DeleteRecordsPartitionResult] = wire(array(DeleteRecordsPartitionResult))


@dataclass(slots=True)
class DeleteRecordsResponse:
    throttle_time_ms: int = wire(INT32)
    topics: list[DeleteRecordsTopicResult] = wire(array(DeleteRecordsTopicResult))


API = Api(
    21,
    request=Schema(DeleteRecordsRequest, versions="0-2", flexible="2+"),
    response=Schema(DeleteRecordsResponse, versions="0-2", flexible="2+"),
)
