"""WriteTxnMarkers (27): put commit or abort markers into partitions.

Brokers say it to each other; from a client it is how an administrator ends a hanging transaction (KIP-664).  2 added
the transaction's version (KIP-1228).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class WritableTxnMarkerTopic:
    name: str = wire(STRING)
    partition_indexes: list[int] = wire(array(INT32))


@dataclass(slots=True)
class WritableTxnMarker:
    producer_id: int = wire(INT64)
    producer_epoch: int = wire(INT16)
    transaction_result: bool = wire(BOOL)
    topics: list[WritableTxnMarkerTopic] = wire(array(WritableTxnMarkerTopic))
    coordinator_epoch: int = wire(INT32)
    transaction_version: int = wire(INT8, "2+", ignorable=True)


@dataclass(slots=True)
class WriteTxnMarkersRequest:
    markers: list[WritableTxnMarker] = wire(array(WritableTxnMarker))


@dataclass(slots=True)
class WritableTxnMarkerPartitionResult:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class WritableTxnMarkerTopicResult:
    name: str = wire(STRING)
    partitions: list[WritableTxnMarkerPartitionResult] = wire(array(WritableTxnMarkerPartitionResult))


@dataclass(slots=True)
class WritableTxnMarkerResult:
    producer_id: int = wire(INT64)
    topics: list[WritableTxnMarkerTopicResult] = wire(array(WritableTxnMarkerTopicResult))


@dataclass(slots=True)
class WriteTxnMarkersResponse:
    markers: list[WritableTxnMarkerResult] = wire(array(WritableTxnMarkerResult))


API = Api(
    27,
    request=Schema(WriteTxnMarkersRequest, versions="1-2", flexible="0+"),
    response=Schema(WriteTxnMarkersResponse, versions="1-2", flexible="0+"),
)
