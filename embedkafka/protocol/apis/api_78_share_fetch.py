"""ShareFetch (78): acquire records for a share group, and settle what was acquired before (KIP-932).

* Partitions belong to a share session: epoch 0 opens it, -1 closes it, which also releases what is still acquired.
* ``acquired_records`` tells which of the fetched records are this member's, with their delivery counts. Types of an
  acknowledgement are 0 a gap, 1 accept, 2 release, 3 reject and, from 2 on, 4 renew (KIP-1222).
* From 2 on ``share_acquire_mode`` 1 makes ``max_records`` a strict limit, which else is stretched to whole batches
  (KIP-1206). Version 0 was early access and is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, INT64, RECORDS, STRING, UUID, Records, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AcknowledgementBatch:
    first_offset: int = wire(INT64)
    last_offset: int = wire(INT64)
    acknowledge_types: list[int] = wire(array(INT8))


@dataclass(slots=True)
class FetchPartition:
    partition_index: int = wire(INT32)
    acknowledgement_batches: list[AcknowledgementBatch] = wire(array(AcknowledgementBatch))


@dataclass(slots=True)
class FetchTopic:
    topic_id: UuidValue = wire(UUID)
    partitions: list[FetchPartition] = wire(array(FetchPartition))


@dataclass(slots=True)
class ForgottenTopic:
    topic_id: UuidValue = wire(UUID)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ShareFetchRequest:
    group_id: str | None = wire(STRING, default=None, nullable="0+")
    member_id: str | None = wire(STRING, nullable="0+")
    share_session_epoch: int = wire(INT32)
    max_wait_ms: int = wire(INT32)
    min_bytes: int = wire(INT32)
    max_bytes: int = wire(INT32, default=2**31 - 1)
    max_records: int = wire(INT32)
    batch_size: int = wire(INT32)
    share_acquire_mode: int = wire(INT8, "2+", ignorable=True)
    is_renew_ack: bool = wire(BOOL, "2+")
    topics: list[FetchTopic] = wire(array(FetchTopic))
    forgotten_topics_data: list[ForgottenTopic] = wire(array(ForgottenTopic))


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = wire(INT32)
    leader_epoch: int = wire(INT32)


@dataclass(slots=True)
class AcquiredRecords:
    first_offset: int = wire(INT64)
    last_offset: int = wire(INT64)
    delivery_count: int = wire(INT16)


@dataclass(slots=True)
class PartitionData:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    acknowledge_error_code: int = wire(INT16)
    acknowledge_error_message: str | None = wire(STRING, default=None, nullable="0+")
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch)
    records: Records = wire(RECORDS)
    acquired_records: list[AcquiredRecords] = wire(array(AcquiredRecords))


@dataclass(slots=True)
class ShareFetchableTopicResponse:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class ShareFetchResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    acquisition_lock_timeout_ms: int = wire(INT32)
    responses: list[ShareFetchableTopicResponse] = wire(array(ShareFetchableTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint))


API = Api(
    78,
    request=Schema(ShareFetchRequest, versions="1-2", flexible="0+"),
    response=Schema(ShareFetchResponse, versions="1-2", flexible="0+"),
)
