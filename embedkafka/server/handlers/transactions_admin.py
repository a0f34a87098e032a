"""Transactions from outside (KIP-664): WriteTxnMarkers (27), DescribeProducers (61), DescribeTransactions (65) and
ListTransactions (66)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.broker import api
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis import api_65_describe_transactions as describing
from embedkafka.protocol.apis import api_66_list_transactions as listing
from embedkafka.protocol.apis.api_27_write_txn_markers import (
    WritableTxnMarkerPartitionResult,
    WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
    WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
)
from embedkafka.protocol.apis.api_61_describe_producers import (
    DescribeProducersRequest,
    DescribeProducersResponse,
    PartitionResponse,
    ProducerState,
    TopicResponse,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# WriteTxnMarkers (27) ------------------------------------------------------------------------------------------------


def write_txn_markers(call: Call, request: WriteTxnMarkersRequest) -> WriteTxnMarkersResponse:
    """End transactions in partitions, past their coordinator."""
    markers = [
        api.TxnMarker(
            marker.producer_id,
            marker.producer_epoch,
            marker.transaction_result,
            [TopicPartition(topic.name, each) for topic in marker.topics for each in topic.partition_indexes],
            marker.coordinator_epoch,
            marker.transaction_version,
        )
        for marker in request.markers
    ]
    results = call.port.write_txn_markers(call.context, markers)
    return WriteTxnMarkersResponse(
        markers=[
            WritableTxnMarkerResult(
                marker.producer_id,
                [
                    WritableTxnMarkerTopicResult(
                        topic.name,
                        [
                            WritableTxnMarkerPartitionResult(each, result.error_codes[TopicPartition(topic.name, each)])
                            for each in topic.partition_indexes
                        ],
                    )
                    for topic in marker.topics
                ],
            )
            for marker, result in zip(request.markers, results, strict=True)
        ]
    )


# DescribeProducers (61) ----------------------------------------------------------------------------------------------


def describe_producers(call: Call, request: DescribeProducersRequest) -> DescribeProducersResponse:
    """Who writes to partitions."""
    asked = [TopicPartition(topic.name, each) for topic in request.topics for each in topic.partition_indexes]
    found = {each.topic_partition: each for each in call.port.describe_producers(call.context, asked)}
    return DescribeProducersResponse(
        topics=[
            TopicResponse(
                topic.name, [_producers(found[TopicPartition(topic.name, each)]) for each in topic.partition_indexes]
            )
            for topic in request.topics
        ]
    )


def _producers(found: api.PartitionProducers) -> PartitionResponse:
    return PartitionResponse(
        found.topic_partition.partition,
        found.error_code,
        found.error_message,
        [ProducerState(*producer) for producer in found.producers],
    )


# DescribeTransactions (65), ListTransactions (66) --------------------------------------------------------------------


def describe_transactions(
    call: Call, request: describing.DescribeTransactionsRequest
) -> describing.DescribeTransactionsResponse:
    """Transactions by their ids."""
    found = call.port.describe_transactions(call.context, request.transactional_ids)
    return describing.DescribeTransactionsResponse(
        transaction_states=[
            describing.TransactionState(each.error_code, each.transactional_id) if each.error_code else _state(each)
            for each in found
        ]
    )


def _state(found: api.DescribedTransaction) -> describing.TransactionState:
    return describing.TransactionState(
        transactional_id=found.transactional_id,
        transaction_state=found.state,
        transaction_timeout_ms=found.timeout_ms,
        transaction_start_time_ms=found.start_ms,
        producer_id=found.producer_id,
        producer_epoch=found.producer_epoch,
        topics=_by_topic(found.partitions),
    )


def _by_topic(partitions: Iterable[TopicPartition]) -> list[describing.TopicData]:
    topics: dict[str, describing.TopicData] = {}
    for topic, partition in partitions:
        topics.setdefault(topic, describing.TopicData(topic)).partitions.append(partition)
    return list(topics.values())


def list_transactions(call: Call, request: listing.ListTransactionsRequest) -> listing.ListTransactionsResponse:
    """Transactional ids that pass the filters."""
    reply = call.port.list_transactions(
        call.context,
        api.ListTransactionsRequest(
            request.state_filters,
            request.producer_id_filters,
            request.duration_filter,
            request.transactional_id_pattern,
        ),
    )
    return listing.ListTransactionsResponse(
        error_code=reply.error_code,
        unknown_state_filters=list(reply.unknown_states),
        transaction_states=[
            listing.TransactionState(each.transactional_id, each.producer_id, each.state) for each in reply.transactions
        ],
    )


HANDLERS = (
    Handler(27, write_txn_markers),
    Handler(61, describe_producers),
    Handler(65, describe_transactions),
    Handler(66, list_transactions),
)
