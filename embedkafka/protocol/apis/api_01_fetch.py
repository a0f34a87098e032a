"""Fetch (1): read record batches from partitions, waiting for ``min_bytes`` up to ``max_wait_ms``.

* 4 added read_committed with the list of aborted transactions, 7 fetch sessions (KIP-227), 9 the reader's leader epoch
  (KIP-320), 10 zstd, 11 the preferred replica (KIP-392), 12 flexible bytes and the diverging epoch, 13 topic ids in
  place of names (KIP-516), 15 the replica's state as a tagged field (KIP-903), 16 the new leader's endpoint (KIP-951).
* In a session, a partition that is not named keeps what was asked of it before; ``forgotten_topics_data`` removes it.
* ``records`` of a response is never null: consumers take null for a broken reply.
* Replica fields (``replica_state``, ``replica_directory_id``, ``high_watermark``) come only from other brokers.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, INT64, RECORDS, STRING, UUID, Records, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ReplicaState:
    replica_id: int = wire(INT32, default=-1)
    replica_epoch: int = wire(INT64, default=-1)


@dataclass(slots=True)
class FetchPartition:
    partition: int = wire(INT32)
    current_leader_epoch: int = wire(INT32, "9+", default=-1, ignorable=True)
    fetch_offset: int = wire(INT64)
    last_fetched_epoch: int = wire(INT32, "12+", default=-1)
    log_start_offset: int = wire(INT64, "5+", default=-1, ignorable=True)
    partition_max_bytes: int = wire(INT32)
    replica_directory_id: UuidValue = wire(UUID, "17+", ignorable=True, tag=0, tagged="17+")
    high_watermark: int = wire(INT64, "18+", default=2**63 - 1, ignorable=True, tag=1, tagged="18+")


@dataclass(slots=True)
class FetchTopic:
    topic: str = wire(STRING, "0-12", ignorable=True)
    topic_id: UuidValue = wire(UUID, "13+", ignorable=True)
    partitions: list[FetchPartition] = wire(array(FetchPartition))


@dataclass(slots=True)
class ForgottenTopic:
    topic: str = wire(STRING, "7-12", ignorable=True)
    topic_id: UuidValue = wire(UUID, "13+", ignorable=True)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class FetchRequest:
    cluster_id: str | None = wire(STRING, "12+", default=None, nullable="0+", ignorable=True, tag=0, tagged="12+")
    replica_id: int = wire(INT32, "0-14", default=-1)
    replica_state: ReplicaState = wire(ReplicaState, "15+", tag=1, tagged="15+")
    max_wait_ms: int = wire(INT32)
    min_bytes: int = wire(INT32)
    max_bytes: int = wire(INT32, default=2**31 - 1)
    isolation_level: int = wire(INT8)
    session_id: int = wire(INT32, "7+", ignorable=True)
    session_epoch: int = wire(INT32, "7+", default=-1, ignorable=True)
    topics: list[FetchTopic] = wire(array(FetchTopic))
    forgotten_topics_data: list[ForgottenTopic] = wire(array(ForgottenTopic), "7+")
    rack_id: str = wire(STRING, "11+", ignorable=True)


@dataclass(slots=True)
class EpochEndOffset:
    epoch: int = wire(INT32, default=-1)
    end_offset: int = wire(INT64, default=-1)


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = wire(INT32, default=-1)
    leader_epoch: int = wire(INT32, default=-1)


@dataclass(slots=True)
class SnapshotId:
    end_offset: int = wire(INT64, default=-1)
    epoch: int = wire(INT32, default=-1)


@dataclass(slots=True)
class AbortedTransaction:
    producer_id: int = wire(INT64)
    first_offset: int = wire(INT64)


@dataclass(slots=True)
class PartitionData:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    high_watermark: int = wire(INT64)
    last_stable_offset: int = wire(INT64, default=-1)
    log_start_offset: int = wire(INT64, "5+", default=-1, ignorable=True)
    diverging_epoch: EpochEndOffset = wire(EpochEndOffset, "12+", tag=0, tagged="12+")
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch, "12+", tag=1, tagged="12+")
    snapshot_id: SnapshotId = wire(SnapshotId, "12+", tag=2, tagged="12+")
    aborted_transactions: list[AbortedTransaction] | None = wire(array(AbortedTransaction), nullable="0+")
    preferred_read_replica: int = wire(INT32, "11+", default=-1)
    records: Records | None = wire(RECORDS, nullable="0+")


@dataclass(slots=True)
class FetchableTopicResponse:
    topic: str = wire(STRING, "0-12", ignorable=True)
    topic_id: UuidValue = wire(UUID, "13+", ignorable=True)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class FetchResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16, "7+", ignorable=True)
    session_id: int = wire(INT32, "7+")
    responses: list[FetchableTopicResponse] = wire(array(FetchableTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), "16+", tag=0, tagged="16+")


API = Api(
    1,
    request=Schema(FetchRequest, versions="4-18", flexible="12+"),
    response=Schema(FetchResponse, versions="4-18", flexible="12+"),
)
