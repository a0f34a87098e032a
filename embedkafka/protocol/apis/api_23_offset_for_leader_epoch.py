"""OffsetForLeaderEpoch (23): where a leader epoch ended, so that readers notice a truncated log (KIP-101, KIP-320).

Consumers have ``replica_id`` -1; 3 made -2 its default, a reader that may look beyond the high watermark.  An epoch
that is not in the log is answered with the largest below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class OffsetForLeaderPartition:
    partition: int = wire(INT32)
    current_leader_epoch: int = wire(INT32, default=-1)
    leader_epoch: int = wire(INT32)


@dataclass(slots=True)
class OffsetForLeaderTopic:
    topic: str = wire(STRING)
    partitions: list[OffsetForLeaderPartition] = wire(array(OffsetForLeaderPartition))


@dataclass(slots=True)
class OffsetForLeaderEpochRequest:
    replica_id: int = wire(INT32, "3+", default=-2, ignorable=True)
    topics: list[OffsetForLeaderTopic] = wire(array(OffsetForLeaderTopic))


@dataclass(slots=True)
class EpochEndOffset:
    error_code: int = wire(INT16)
    partition: int = wire(INT32)
    leader_epoch: int = wire(INT32, default=-1)
    end_offset: int = wire(INT64, default=-1)


@dataclass(slots=True)
class OffsetForLeaderTopicResult:
    topic: str = wire(STRING)
    partitions: list[EpochEndOffset] = wire(array(EpochEndOffset))


@dataclass(slots=True)
class OffsetForLeaderEpochResponse:
    throttle_time_ms: int = wire(INT32)
    topics: list[OffsetForLeaderTopicResult] = wire(array(OffsetForLeaderTopicResult))


API = Api(
    23,
    request=Schema(OffsetForLeaderEpochRequest, versions="2-4", flexible="4+"),
    response=Schema(OffsetForLeaderEpochResponse, versions="2-4", flexible="4+"),
)
