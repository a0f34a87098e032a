"""ShareAcknowledge (79): settle acquired records without fetching more (KIP-932).

Types are 0 a gap, 1 accept, 2 release, 3 reject and, from 2 on, 4 renew (KIP-1222).  One type stands for a whole batch,
else there is one for each of its offsets.  Version 0 was early access and is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AcknowledgementBatch:
    first_offset: int = wire(INT64)
    last_offset: int = wire(INT64)
    acknowledge_types: list[int] = wire(array(INT8))


@dataclass(slots=True)
class AcknowledgePartition:
    partition_index: int = wire(INT32)
    acknowledgement_batches: list[AcknowledgementBatch] = wire(array(AcknowledgementBatch))


@dataclass(slots=True)
class AcknowledgeTopic:
    topic_id: UuidValue = wire(UUID)
    partitions: list[AcknowledgePartition] = wire(array(AcknowledgePartition))


@dataclass(slots=True)
class ShareAcknowledgeRequest:
    group_id: str | None = wire(STRING, default=None, nullable="0+")
    member_id: str | None = wire(STRING, nullable="0+")
    share_session_epoch: int = wire(INT32)
    is_renew_ack: bool = wire(BOOL, "2+")
    topics: list[AcknowledgeTopic] = wire(array(AcknowledgeTopic))


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = wire(INT32)
    leader_epoch: int = wire(INT32)


@dataclass(slots=True)
class PartitionData:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch)


@dataclass(slots=True)
class ShareAcknowledgeTopicResponse:
    topic_id: UuidValue = wire(UUID)
    partitions: list[PartitionData] = wire(array(PartitionData))


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class ShareAcknowledgeResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    acquisition_lock_timeout_ms: int = wire(INT32, "2+", ignorable=True)
    responses: list[ShareAcknowledgeTopicResponse] = wire(array(ShareAcknowledgeTopicResponse))
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint))


API = Api(
    79,
    request=Schema(ShareAcknowledgeRequest, versions="1-2", flexible="0+"),
    response=Schema(ShareAcknowledgeResponse, versions="1-2", flexible="0+"),
)
