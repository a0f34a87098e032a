"""Transactions as clients of every version see them on the wire."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from server.handlers.topics import create
from server.peers import WirePeer, fetch_request, produce_request

from embedkafka import EmbeddedKafka
from embedkafka.errors import (
    InvalidProducerEpochError,
    InvalidRegularExpressionError,
    InvalidTxnStateError,
    OperationNotAttemptedError,
    ProducerFencedError,
    TransactionalIdNotFoundError,
    UnknownTopicOrPartitionError,
)
from embedkafka.protocol.apis import api_09_offset_fetch as offset_fetch
from embedkafka.protocol.apis.api_22_init_producer_id import InitProducerIdRequest
from embedkafka.protocol.apis.api_24_add_partitions_to_txn import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    AddPartitionsToTxnTransaction,
)
from embedkafka.protocol.apis.api_25_add_offsets_to_txn import AddOffsetsToTxnRequest
from embedkafka.protocol.apis.api_26_end_txn import EndTxnRequest
from embedkafka.protocol.apis.api_27_write_txn_markers import (
    WritableTxnMarker,
    WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
)
from embedkafka.protocol.apis.api_28_txn_offset_commit import (
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from embedkafka.protocol.apis.api_61_describe_producers import DescribeProducersRequest, TopicRequest
from embedkafka.protocol.apis.api_65_describe_transactions import DescribeTransactionsRequest
from embedkafka.protocol.apis.api_66_list_transactions import ListTransactionsRequest


class Producer(NamedTuple):
    producer_id: int
    epoch: int


def init(peer: WirePeer, version: int = 5, transactional_id: str | None = "x", **fields: Any) -> Producer:
    reply = peer.ask(22, version, InitProducerIdRequest(transactional_id, 60_000, **fields))
    assert reply.error_code == 0
    return Producer(reply.producer_id, reply.producer_epoch)


def add(peer: WirePeer, producer: Producer, version: int = 3, *partitions: int) -> list[tuple[int, int]]:
    """Add partitions of ``t`` (by default the first); their codes."""
    topics = [AddPartitionsToTxnTopic("t", list(partitions or (0,)))]
    request = AddPartitionsToTxnRequest(
        v3_and_below_transactional_id="x",
        v3_and_below_producer_id=producer.producer_id,
        v3_and_below_producer_epoch=producer.epoch,
        v3_and_below_topics=topics,
    )
    (topic,) = peer.ask(24, version, request).results_by_topic_v3_and_below
    return [(each.partition_index, each.partition_error_code) for each in topic.results_by_partition]


def produce(peer: WirePeer, producer: Producer, value: bytes, version: int, sequence: int = 0) -> int:
    """One record in the transaction; the code."""
    request = produce_request(
        "t",
        [value],
        producer_id=producer.producer_id,
        producer_epoch=producer.epoch,
        base_sequence=sequence,
        is_transactional=True,
    )
    request.transactional_id = "x"
    code: int = peer.ask(0, version, request).responses[0].partition_responses[0].error_code
    return code


def end(peer: WirePeer, producer: Producer, version: int, *, committed: bool = True) -> Any:
    return peer.ask(26, version, EndTxnRequest("x", producer.producer_id, producer.epoch, committed))


def last_stable_offset(peer: WirePeer) -> int:
    offset: int = peer.ask(1, 11, fetch_request("t", 0)).responses[0].partitions[0].last_stable_offset
    return offset


# InitProducerId (22) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 2, 5])
def test_ids_without_a_transaction_are_all_different(peer: WirePeer, version: int) -> None:
    first, second = init(peer, version, None), init(peer, version, None)
    assert first.producer_id != second.producer_id
    assert (first.epoch, second.epoch) == (0, 0)


@pytest.mark.parametrize("version", [0, 3, 5])
def test_a_transactional_id_keeps_its_producer_id_and_raises_the_epoch(peer: WirePeer, version: int) -> None:
    first = init(peer, version)
    assert init(peer, version) == Producer(first.producer_id, 1)


@pytest.mark.parametrize(("version", "error"), [(3, InvalidProducerEpochError), (4, ProducerFencedError)])
def test_a_fenced_producer_is_told_what_its_version_knows(peer: WirePeer, version: int, error: Any) -> None:
    old = init(peer)
    init(peer)
    init(peer)
    request = InitProducerIdRequest("x", 60_000, old.producer_id, old.epoch)
    assert peer.ask(22, version, request).error_code == error.errno


# AddPartitionsToTxn (24), AddOffsetsToTxn (25), EndTxn (26) ----------------------------------------------------------


@pytest.mark.parametrize(("adding", "ending"), [(0, 0), (2, 3), (3, 4)])
def test_a_transaction_of_old_commits(kafka: EmbeddedKafka, peer: WirePeer, adding: int, ending: int) -> None:
    kafka.create_topic("t")
    producer = init(peer, 4)
    assert add(peer, producer, adding) == [(0, 0)]
    assert produce(peer, producer, b"a", 9) == 0
    assert last_stable_offset(peer) == 0
    ended = end(peer, producer, ending)
    assert (ended.error_code, ended.producer_id, ended.producer_epoch) == (0, -1, -1)
    assert last_stable_offset(peer) == 2  # the record and the marker


def test_a_transaction_of_today_adds_partitions_by_itself_and_raises_the_epoch(
    kafka: EmbeddedKafka, peer: WirePeer
) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    assert produce(peer, producer, b"a", 12) == 0
    ended = end(peer, producer, 5)
    assert (ended.error_code, ended.producer_id, ended.producer_epoch) == (0, producer.producer_id, producer.epoch + 1)
    retried = end(peer, producer, 5)
    assert (retried.error_code, retried.producer_epoch) == (0, producer.epoch + 1)


def test_a_producer_of_old_must_add_the_partition(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    assert produce(peer, producer, b"a", 11) != 0
    assert add(peer, producer) == [(0, 0)]
    assert produce(peer, producer, b"a", 11) == 0


def test_an_aborted_transaction_is_listed_in_a_fetch(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    produce(peer, producer, b"a", 12)
    assert end(peer, producer, 5, committed=False).error_code == 0
    request = fetch_request("t", 0, isolation_level=1)
    (aborted,) = peer.ask(1, 11, request).responses[0].partitions[0].aborted_transactions
    assert (aborted.producer_id, aborted.first_offset) == (producer.producer_id, 0)


def test_one_unknown_partition_spoils_the_others(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    assert add(peer, init(peer), 3, 0, 7) == [
        (0, OperationNotAttemptedError.errno),
        (7, UnknownTopicOrPartitionError.errno),
    ]


@pytest.mark.parametrize(("version", "error"), [(1, InvalidProducerEpochError), (2, ProducerFencedError)])
def test_adding_and_ending_tell_a_fence_from_version_2_on(
    kafka: EmbeddedKafka, peer: WirePeer, version: int, error: Any
) -> None:
    kafka.create_topic("t")
    old = init(peer)
    init(peer)
    assert add(peer, old, version) == [(0, error.errno)]
    request = AddOffsetsToTxnRequest("x", old.producer_id, old.epoch, "g")
    assert peer.ask(25, version, request).error_code == error.errno
    assert end(peer, old, version).error_code == error.errno


@pytest.mark.parametrize("version", [4, 5])
def test_brokers_verify_several_transactions(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t", 2)
    producer = init(peer)
    add(peer, producer)
    transactions = [
        AddPartitionsToTxnTransaction("x", *producer, verify_only, [AddPartitionsToTxnTopic("t", [number])])
        for number, verify_only in ((0, True), (1, True), (1, False))
    ]
    response = peer.ask(24, version, AddPartitionsToTxnRequest(transactions))
    assert response.error_code == 0
    codes = [
        result.topic_results[0].results_by_partition[0].partition_error_code
        for result in response.results_by_transaction
    ]
    assert (codes[0], codes[2]) == (0, 0)
    assert codes[1] != 0


def test_ending_what_was_not_begun_is_an_error(peer: WirePeer) -> None:
    producer = init(peer)
    assert end(peer, producer, 4).error_code == InvalidTxnStateError.errno


# TxnOffsetCommit (28) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 3, 4, 5])
def test_offsets_count_once_the_transaction_is_committed(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    topic_id = create(kafka, peer, "t")
    assert topic_id
    producer = init(peer)
    if version < 5:
        assert peer.ask(25, 4, AddOffsetsToTxnRequest("x", *producer, "g")).error_code == 0
    partitions = [
        TxnOffsetCommitRequestPartition(0, 42, 1 if version >= 2 else -1, None),
        TxnOffsetCommitRequestPartition(9, 1, committed_metadata="m"),
    ]
    request = TxnOffsetCommitRequest("x", "g", *producer, topics=[TxnOffsetCommitRequestTopic("t", partitions)])
    (topic,) = peer.ask(28, version, request).topics
    assert [(each.partition_index, each.error_code) for each in topic.partitions] == [
        (0, 0),
        (9, UnknownTopicOrPartitionError.errno),
    ]
    asked = offset_fetch.OffsetFetchRequest("g", [offset_fetch.OffsetFetchRequestTopic("t", [0])], require_stable=True)
    assert peer.ask(9, 7, asked).topics[0].partitions[0].error_code == 88  # UNSTABLE_OFFSET_COMMIT
    assert end(peer, producer, 5 if version >= 5 else 3).error_code == 0
    stored = peer.ask(9, 7, asked).topics[0].partitions[0]
    assert (stored.error_code, stored.committed_offset, stored.metadata) == (0, 42, "")
    assert stored.committed_leader_epoch == (1 if version >= 2 else -1)


# WriteTxnMarkers (27), DescribeProducers (61), DescribeTransactions (65), ListTransactions (66) ----------------------


def test_who_writes_to_a_partition_is_described(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    produce(peer, producer, b"a", 12)
    known, unknown = peer.ask(61, 0, DescribeProducersRequest([TopicRequest("t", [0, 9])])).topics[0].partitions
    (state,) = known.active_producers
    assert (known.error_code, state.producer_id, state.producer_epoch) == (0, *producer)
    assert (state.last_sequence, state.current_txn_start_offset) == (0, 0)
    assert (unknown.error_code, unknown.active_producers) == (UnknownTopicOrPartitionError.errno, [])


@pytest.mark.parametrize("version", [1, 2])
def test_a_hanging_transaction_is_ended_by_hand(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    produce(peer, producer, b"a", 12)
    marker = WritableTxnMarker(
        *producer, transaction_result=False, topics=[WritableTxnMarkerTopic("t", [0, 9])], coordinator_epoch=0
    )
    (result,) = peer.ask(27, version, WriteTxnMarkersRequest([marker])).markers
    assert result.producer_id == producer.producer_id
    assert [(each.partition_index, each.error_code) for each in result.topics[0].partitions] == [
        (0, 0),
        (9, UnknownTopicOrPartitionError.errno),
    ]
    assert last_stable_offset(peer) == 2


def test_transactions_are_described(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    produce(peer, producer, b"a", 12)
    known, unknown = peer.ask(65, 0, DescribeTransactionsRequest(["x", "nix"])).transaction_states
    assert (known.error_code, known.transaction_state, known.transaction_timeout_ms) == (0, "Ongoing", 60_000)
    assert (known.producer_id, known.producer_epoch) == producer
    assert [(each.topic, each.partitions) for each in known.topics] == [("t", [0])]
    assert known.transaction_start_time_ms > 0
    assert (unknown.transactional_id, unknown.error_code) == ("nix", TransactionalIdNotFoundError.errno)
    assert (unknown.producer_id, unknown.producer_epoch, unknown.transaction_start_time_ms) == (0, 0, 0)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_transactions_are_listed(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    producer = init(peer)
    init(peer, transactional_id="y")
    produce(peer, producer, b"a", 12)
    everything = peer.ask(66, version, ListTransactionsRequest())
    assert [(each.transactional_id, each.transaction_state) for each in everything.transaction_states] == [
        ("x", "Ongoing"),
        ("y", "Empty"),
    ]
    filtered = peer.ask(66, version, ListTransactionsRequest(["Ongoing", "Odd"], [producer.producer_id]))
    assert [each.transactional_id for each in filtered.transaction_states] == ["x"]
    assert filtered.unknown_state_filters == ["Odd"]


def test_transactions_are_listed_by_pattern(peer: WirePeer) -> None:
    init(peer)
    init(peer, transactional_id="yes")
    found = peer.ask(66, 2, ListTransactionsRequest(transactional_id_pattern="y.*")).transaction_states
    assert [each.transactional_id for each in found] == ["yes"]
    broken = peer.ask(66, 2, ListTransactionsRequest(transactional_id_pattern="("))
    assert broken.error_code == InvalidRegularExpressionError.errno
