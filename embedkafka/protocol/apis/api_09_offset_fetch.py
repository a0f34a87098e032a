"""OffsetFetch (9): how far groups have read.

* Up to 7 it asks for one group, at the top level; from 8 for several in ``groups`` (KIP-709). A null list of topics
  asks for every committed offset (from 2 on).
* An offset that was never committed is -1 with no error, leader epoch -1 and empty metadata.
* 5 brought the leader epoch, 7 ``require_stable``: an offset of an undecided transaction is UNSTABLE_OFFSET_COMMIT
  (KIP-447). 9 added the member's id and epoch for KIP-848 groups, 10 topic ids in place of names.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class OffsetFetchRequestTopic:
    name: str = wire(STRING)
    partition_indexes: list[int] = wire(array(INT32))


@dataclass(slots=True)
class OffsetFetchRequestTopics:
    name: str = wire(STRING, "8-9", ignorable=True)
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    partition_indexes: list[int] = wire(array(INT32))


@dataclass(slots=True)
class OffsetFetchRequestGroup:
    group_id: str = wire(STRING)
    member_id: str | None = wire(STRING, "9+", default=None, nullable="0+", ignorable=True)
    member_epoch: int = wire(INT32, "9+", default=-1, ignorable=True)
    topics: list[OffsetFetchRequestTopics] | None = wire(array(OffsetFetchRequestTopics), nullable="0+")


@dataclass(slots=True)
class OffsetFetchRequest:
    group_id: str = wire(STRING, "0-7")
    topics: list[OffsetFetchRequestTopic] | None = wire(array(OffsetFetchRequestTopic), "0-7", nullable="2-7")
    groups: list[OffsetFetchRequestGroup] = wire(array(OffsetFetchRequestGroup), "8+")
    require_stable: bool = wire(BOOL, "7+")


@dataclass(slots=True)
class OffsetFetchResponsePartition:
    partition_index: int = wire(INT32)
    committed_offset: int = wire(INT64)
    committed_leader_epoch: int = wire(INT32, "5-7", default=-1, ignorable=True)
    metadata: str | None = wire(STRING, nullable="0+")
    error_code: int = wire(INT16)


@dataclass(slots=True)
class OffsetFetchResponseTopic:
    name: str = wire(STRING)
    partitions: list[OffsetFetchResponsePartition] = wire(array(OffsetFetchResponsePartition))


@dataclass(slots=True)
class OffsetFetchResponsePartitions:
    partition_index: int = wire(INT32)
    committed_offset: int = wire(INT64)
    committed_leader_epoch: int = wire(INT32, default=-1)
    metadata: str | None = wire(STRING, nullable="0+")
    error_code: int = wire(INT16)


@dataclass(slots=True)
class OffsetFetchResponseTopics:
    name: str = wire(STRING, "8-9", ignorable=True)
    topic_id: UuidValue = wire(UUID, "10+", ignorable=True)
    partitions: list[OffsetFetchResponsePartitions] = wire(array(OffsetFetchResponsePartitions))


@dataclass(slots=True)
class OffsetFetchResponseGroup:
    group_id: str = wire(STRING)
    topics: list[OffsetFetchResponseTopics] = wire(array(OffsetFetchResponseTopics))
    error_code: int = wire(INT16)


@dataclass(slots=True)
class OffsetFetchResponse:
    throttle_time_ms: int = wire(INT32, "3+", ignorable=True)
    topics: list[OffsetFetchResponseTopic] = wire(array(OffsetFetchResponseTopic), "0-7")
    error_code: int = wire(INT16, "2-7", ignorable=True)
    groups: list[OffsetFetchResponseGroup] = wire(array(OffsetFetchResponseGroup), "8+")


API = Api(
    9,
    request=Schema(OffsetFetchRequest, versions="1-10", flexible="6+"),
    response=Schema(OffsetFetchResponse, versions="1-10", flexible="6+"),
)
