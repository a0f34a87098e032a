"""Taking part in transactions: InitProducerId (22), AddPartitionsToTxn (24), AddOffsetsToTxn (25), EndTxn (26) and
TxnOffsetCommit (28)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from embedkafka.broker import api
from embedkafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    InvalidProducerEpochError,
    ProducerFencedError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_22_init_producer_id import InitProducerIdRequest, InitProducerIdResponse
from embedkafka.protocol.apis.api_24_add_partitions_to_txn import (
    AddPartitionsToTxnPartitionResult,
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult,
    AddPartitionsToTxnTopic,
    AddPartitionsToTxnTopicResult,
)
from embedkafka.protocol.apis.api_25_add_offsets_to_txn import AddOffsetsToTxnRequest, AddOffsetsToTxnResponse
from embedkafka.protocol.apis.api_26_end_txn import EndTxnRequest, EndTxnResponse
from embedkafka.protocol.apis.api_28_txn_offset_commit import (
    TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# By API, the first version whose clients tell a fence from an old epoch (KIP-588).
_FENCES = {22: 4, 24: 2, 25: 2, 26: 2}

# By API, the first version of transactions v2 (KIP-890).
_TRANSACTIONS_V2 = {26: 5, 28: 5}


def _code(call: Call, code: int) -> int:
    is_fence = code == ProducerFencedError.errno and call.version < _FENCES[call.header.api.key]
    return InvalidProducerEpochError.errno if is_fence else code


def _transaction_version(call: Call) -> int:
    return 2 if call.version >= _TRANSACTIONS_V2[call.header.api.key] else 0


# InitProducerId (22) -------------------------------------------------------------------------------------------------


def init_producer_id(call: Call, request: InitProducerIdRequest) -> object:
    """Give a producer its id and epoch."""
    asked = api.InitProducerIdRequest(
        request.transactional_id, request.transaction_timeout_ms, request.producer_id, request.producer_epoch
    )
    return call.later(partial(call.port.init_producer_id, call.context, asked), partial(_initialized, call))


def _initialized(call: Call, reply: api.InitProducerIdReply) -> InitProducerIdResponse:
    return InitProducerIdResponse(
        error_code=_code(call, reply.error_code), producer_id=reply.producer_id, producer_epoch=reply.producer_epoch
    )


# AddPartitionsToTxn (24), AddOffsetsToTxn (25) -----------------------------------------------------------------------

_BROKERS = 4  # from here on it is brokers that ask, for several transactions


def add_partitions_to_txn(call: Call, request: AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse:
    """Add partitions to one transaction, or for another broker to several; or only look whether they are in it."""
    if call.version < _BROKERS:
        topics = request.v3_and_below_topics
        asked = api.TxnPartitions(
            request.v3_and_below_transactional_id,
            request.v3_and_below_producer_id,
            request.v3_and_below_producer_epoch,
            _partitions(topics),
        )
        (result,) = call.port.add_partitions_to_txn(call.context, [asked])
        return AddPartitionsToTxnResponse(results_by_topic_v3_and_below=_results(call, topics, result))
    several = [
        api.TxnPartitions(
            each.transactional_id,
            each.producer_id,
            each.producer_epoch,
            _partitions(each.topics),
            verify_only=each.verify_only,
            transaction_version=0 if each.verify_only else 2,
        )
        for each in request.transactions
    ]
    results = call.port.add_partitions_to_txn(call.context, several)
    return AddPartitionsToTxnResponse(
        results_by_transaction=[
            AddPartitionsToTxnResult(each.transactional_id, _results(call, each.topics, result))
            for each, result in zip(request.transactions, results, strict=True)
        ]
    )


def _partitions(topics: Sequence[AddPartitionsToTxnTopic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, partition) for topic in topics for partition in topic.partitions]


def _results(
    call: Call, topics: Sequence[AddPartitionsToTxnTopic], result: api.TxnPartitionsResult
) -> list[AddPartitionsToTxnTopicResult]:
    return [
        AddPartitionsToTxnTopicResult(
            topic.name,
            [
                AddPartitionsToTxnPartitionResult(
                    partition, _code(call, result.error_codes[TopicPartition(topic.name, partition)])
                )
                for partition in topic.partitions
            ],
        )
        for topic in topics
    ]


def add_offsets_to_txn(call: Call, request: AddOffsetsToTxnRequest) -> AddOffsetsToTxnResponse:
    """Announce a group's offsets."""
    code = call.port.add_offsets_to_txn(
        call.context,
        request.transactional_id,
        producer_id=request.producer_id,
        producer_epoch=request.producer_epoch,
        group_id=request.group_id,
    )
    return AddOffsetsToTxnResponse(error_code=_code(call, code))


# EndTxn (26) ---------------------------------------------------------------------------------------------------------


def end_txn(call: Call, request: EndTxnRequest) -> EndTxnResponse:
    """Commit or abort."""
    reply = call.port.end_txn(
        call.context,
        api.EndTxnRequest(
            request.transactional_id,
            request.producer_id,
            request.producer_epoch,
            request.committed,
            _transaction_version(call),
        ),
    )
    return EndTxnResponse(
        error_code=_code(call, reply.error_code), producer_id=reply.producer_id, producer_epoch=reply.producer_epoch
    )


# TxnOffsetCommit (28) ------------------------------------------------------------------------------------------------

_LOADING = 2  # the first version whose clients wait for a coordinator that is loading (KAFKA-7296)


def txn_offset_commit(call: Call, request: TxnOffsetCommitRequest) -> TxnOffsetCommitResponse:
    """Store offsets that count once the transaction is committed."""
    codes = call.port.txn_offset_commit(
        call.context,
        api.TxnOffsetCommitRequest(
            request.transactional_id,
            request.group_id,
            request.producer_id,
            request.producer_epoch,
            {
                TopicPartition(topic.name, each.partition_index): api.OffsetToCommit(
                    each.committed_offset, each.committed_leader_epoch, each.committed_metadata or ""
                )
                for topic in request.topics
                for each in topic.partitions
            },
            request.generation_id,
            request.member_id,
            request.group_instance_id,
            _transaction_version(call),
        ),
    ).error_codes
    return TxnOffsetCommitResponse(
        topics=[
            TxnOffsetCommitResponseTopic(
                topic.name,
                [
                    TxnOffsetCommitResponsePartition(
                        each.partition_index,
                        _commit_code(call.version, codes[TopicPartition(topic.name, each.partition_index)]),
                    )
                    for each in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _commit_code(version: int, code: int) -> int:
    is_loading = code == CoordinatorLoadInProgressError.errno and version < _LOADING
    return CoordinatorNotAvailableError.errno if is_loading else code


HANDLERS = (
    Handler(22, init_producer_id),
    Handler(24, add_partitions_to_txn),
    Handler(25, add_offsets_to_txn),
    Handler(26, end_txn),
    Handler(28, txn_offset_commit),
)
