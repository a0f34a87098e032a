"""TxnOffsetCommit (28): store a group's offsets, to become visible with the transaction.

3 added generation, member and instance, so that a zombie of the group is fenced (KIP-447).  5 adds the group to the
transaction by itself (KIP-890, transactions v2), which makes AddOffsetsToTxn needless.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class TxnOffsetCommitRequestPartition:
    partition_index: int = wire(INT32)
    committed_offset: int = wire(INT64)
    committed_leader_epoch: int = wire(INT32, "2+", default=-1, ignorable=True)
    committed_metadata: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class TxnOffsetCommitRequestTopic:
    name: str = wire(STRING)
    partitions: list[TxnOffsetCommitRequestPartition] = wire(array(TxnOffsetCommitRequestPartition))


@dataclass(slots=True)
class TxnOffsetCommitRequest:
    transactional_id: str = wire(STRING)
    group_id: str = wire(STRING)
    producer_id: int = wire(INT64)
    producer_epoch: int = wire(INT16)
    generation_id: int = wire(INT32, "3+", default=-1)
    member_id: str = wire(STRING, "3+")
    group_instance_id: str | None = wire(STRING, "3+", default=None, nullable="0+")
    topics: list[TxnOffsetCommitRequestTopic] = wire(array(TxnOffsetCommitRequestTopic))


@dataclass(slots=True)
class TxnOffsetCommitResponsePartition:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class TxnOffsetCommitResponseTopic:
    name: str = wire(STRING)
    partitions: list[TxnOffsetCommitResponsePartition] = wire(array(TxnOffsetCommitResponsePartition))


@dataclass(slots=True)
class TxnOffsetCommitResponse:
    throttle_time_ms: int = wire(INT32)
    topics: list[TxnOffsetCommitResponseTopic] = wire(array(TxnOffsetCommitResponseTopic))


API = Api(
    28,
    request=Schema(TxnOffsetCommitRequest, versions="0-5", flexible="3+"),
    response=Schema(TxnOffsetCommitResponse, versions="0-5", flexible="3+"),
)
