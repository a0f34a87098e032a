"""ListOffsets (2): the offset at a time, or at one of a log's ends.

``timestamp`` is milliseconds since the epoch or a sentinel: -1 the end, -2 the beginning, -3 the record with the
largest time (from version 7, KIP-734), -4 the beginning of what is on this broker's disk (8, KIP-405), -5 the end of
what is in tiered storage (9, KIP-1005), -6 the first offset still to be uploaded there (11, KIP-1023).  With isolation
level 1 the end is the last stable offset.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ListOffsetsPartition:
    partition_index: int = wire(INT32)
    current_leader_epoch: int = wire(INT32, "4+", default=-1, ignorable=True)
    timestamp: int = wire(INT64)


@dataclass(slots=True)
class ListOffsetsTopic:
    name: str = wire(STRING)
    partitions: list[ListOffsetsPartition] = wire(array(ListOffsetsPartition))


@dataclass(slots=True)
class ListOffsetsRequest:
    replica_id: int = wire(INT32)
    isolation_level: int = wire(INT8, "2+")
    topics: list[ListOffsetsTopic] = wire(array(ListOffsetsTopic))
    timeout_ms: int = wire(INT32, "10+", ignorable=True)


@dataclass(slots=True)
class ListOffsetsPartitionResponse:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    timestamp: int = wire(INT64, default=-1)
    offset: int = wire(INT64, default=-1)
    leader_epoch: int = wire(INT32, "4+", default=-1)


@dataclass(slots=True)
class ListOffsetsTopicResponse:
    name: str = wire(STRING)
    partitions: list[ListOffsetsPartitionResponse] = wire(array(ListOffsetsPartitionResponse))


@dataclass(slots=True)
class ListOffsetsResponse:
    throttle_time_ms: int = wire(INT32, "2+", ignorable=True)
    topics: list[ListOffsetsTopicResponse] = wire(array(ListOffsetsTopicResponse))


API = Api(
    2,
    request=Schema(ListOffsetsRequest, versions="1-11", flexible="6+"),
    response=Schema(ListOffsetsResponse, versions="1-11", flexible="6+"),
)
