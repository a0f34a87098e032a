"""OffsetCommit (8): store how far a group has read.

* Generation, member and static instance (from 7) are checked; a commit from outside any group has generation -1.
* ``retention_time_ms`` (2 to 4) gave each offset a life of its own, until the group's was made to count (KIP-211).
* 6 added the leader epoch of the last record read (KIP-320). 9 is the first that members of KIP-848 groups may use,
  where the generation is their member epoch; 10 takes topic ids in place of names.
* Metadata is an opaque string and comes back from OffsetFetch unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class OffsetCommitRequestPartition:
    partition_index: int = wire(INT32)
    committed_offset: int = wire(INT64)
    committed_leader_epoch: int = wire(INT32, "6+", default=-1, ignorable=True)
    committed_metadata: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class OffsetCommitRequestTopic:
    name: str = wire(STRING, "0-9", ignorable=True)
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    partitions: list[OffsetCommitRequestPartition] = wire(array(OffsetCommitRequestPartition))


@dataclass(slots=True)
class OffsetCommitRequest:
    group_id: str = wire(STRING)
    generation_id_or_member_epoch: int = wire(INT32, default=-1)
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "7+", default=None, nullable="0+")
    retention_time_ms: int = wire(INT64, "0-4", default=-1, ignorable=True)
    topics: list[OffsetCommitRequestTopic] = wire(array(OffsetCommitRequestTopic))


@dataclass(slots=True)
class OffsetCommitResponsePartition:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class OffsetCommitResponseTopic:
    name: str = wire(STRING, "0-9", ignorable=True)
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    partitions: list[OffsetCommitResponsePartition] = wire(array(OffsetCommitResponsePartition))


@dataclass(slots=True)
class OffsetCommitResponse:
    throttle_time_ms: int = wire(INT32, "3+", ignorable=True)
    topics: list[OffsetCommitResponseTopic] = wire(array(OffsetCommitResponseTopic))


API = Api(
    8,
    request=Schema(OffsetCommitRequest, versions="2-10", flexible="8+"),
    response=Schema(OffsetCommitResponse, versions="2-10", flexible="8+"),
)
