"""DescribeShareGroupOffsets (90): from where share groups have records left to deliver (KIP-932).

A null list of topics means all that the group has state for.  1 added the lag (KIP-1226).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequestTopic:
    topic_name: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequestGroup:
    group_id: str = wire(STRING)
    topics: list[DescribeShareGroupOffsetsRequestTopic] | None = wire(
        array(DescribeShareGroupOffsetsRequestTopic), nullable="0+"
    )


@dataclass(slots=True)
class DescribeShareGroupOffsetsRequest:
    groups: list[DescribeShareGroupOffsetsRequestGroup] = wire(array(DescribeShareGroupOffsetsRequestGroup))


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponsePartition:
    partition_index: int = wire(INT32)
    start_offset: int = wire(INT64)
    leader_epoch: int = wire(INT32)
    lag: int = wire(INT64, "1+", default=-1, ignorable=True)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponseTopic:
    topic_name: str = wire(STRING)
    topic_id: UuidValue = wire(UUID)
    partitions: list[DescribeShareGroupOffsetsResponsePartition] = wire(
        array(DescribeShareGroupOffsetsResponsePartition)
    )


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponseGroup:
    group_id: str = wire(STRING)
    topics: list[DescribeShareGroupOffsetsResponseTopic] = wire(array(DescribeShareGroupOffsetsResponseTopic))
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class DescribeShareGroupOffsetsResponse:
    throttle_time_ms: int = wire(INT32)
    groups: list[DescribeShareGroupOffsetsResponseGroup] = wire(array(DescribeShareGroupOffsetsResponseGroup))


API = Api(
    90,
    request=Schema(DescribeShareGroupOffsetsRequest, versions="0-1", flexible="0+"),
    response=Schema(DescribeShareGroupOffsetsResponse, versions="0-1", flexible="0+"),
)
