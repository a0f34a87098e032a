"""DescribeLogDirs (35): a broker's disks, with the replicas on them and their sizes (KIP-113).

A null list of topics means all.  4 tells the size of the disk and what is free (KIP-827), 5 whether it is cordoned
(KIP-1066).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribableLogDirTopic:
    topic: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class DescribeLogDirsRequest:
    topics: list[DescribableLogDirTopic] | None = wire(array(DescribableLogDirTopic), nullable="0+")


@dataclass(slots=True)
class DescribeLogDirsPartition:
    partition_index: int = wire(INT32)
    partition_size: int = wire(INT64)
    offset_lag: int = wire(INT64)
    is_future_key: bool = wire(BOOL)


@dataclass(slots=True)
class DescribeLogDirsTopic:
    name: str = wire(STRING)
    partitions: list[DescribeLogDirsPartition] = wire(array(DescribeLogDirsPartition))


@dataclass(slots=True)
class DescribeLogDirsResult:
    error_code: int = wire(INT16)
    log_dir: str = wire(STRING)
    topics: list[DescribeLogDirsTopic] = wire(array(DescribeLogDirsTopic))
    total_bytes: int = wire(INT64, "4+", default=-1, ignorable=True)
    usable_bytes: int = wire(INT64, "4+", default=-1, ignorable=True)
    is_cordoned: bool = wire(BOOL, "5+", ignorable=True)


@dataclass(slots=True)
class DescribeLogDirsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16, "3+", ignorable=True)
    results: list[DescribeLogDirsResult] = wire(array(DescribeLogDirsResult))


API = Api(
    35,
    request=Schema(DescribeLogDirsRequest, versions="1-5", flexible="2+"),
    response=Schema(DescribeLogDirsResponse, versions="1-5", flexible="2+"),
)
