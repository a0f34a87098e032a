"""The transaction coordinator in its engine: markers, offsets, timeouts, restarts, disks that fail, interrupts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker.interrupts import every_line, interrupted_at
from broker.support import START_MS, TOPIC, Broker, running

from embedkafka.broker import api
from embedkafka.broker.topic import TRANSACTION_STATE
from embedkafka.clock import ManualClock
from embedkafka.errors import (
    ConcurrentTransactionsError,
    IllegalGenerationError,
    InvalidProducerEpochError,
    InvalidTxnStateError,
    KafkaStorageError,
    ProducerFencedError,
    UnknownTopicOrPartitionError,
    UnstableOffsetCommitError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import RecordCursor, encode_batch

OTHER = TopicPartition("t", 1)


class Producer:
    """A transactional producer of version 2, one request a call."""

    def __init__(self, broker: Broker, transactional_id: str = "x", timeout_ms: int = 60_000) -> None:
        self.broker = broker
        self.port, self.context = broker.port, broker.context
        self.transactional_id = transactional_id
        self.timeout_ms = timeout_ms
        self.producer_id = self.epoch = -1
        self.sequences: dict[TopicPartition, int] = {}

    def init(self) -> api.InitProducerIdReply:
        replies: list[api.InitProducerIdReply] = []
        request = api.InitProducerIdRequest(self.transactional_id, self.timeout_ms)
        self.port.init_producer_id(self.context, request, replies.append)
        if not replies[0].error_code:
            self.producer_id, self.epoch = replies[0].producer_id, replies[0].producer_epoch
            self.sequences.clear()
        return replies[0]

    def send(self, value: bytes, to: TopicPartition = TOPIC) -> int:
        """The error code of producing one record."""
        sequence = self.sequences.get(to, 0)
        batch = encode_batch(
            [(START_MS, None, value, ())],
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            base_sequence=sequence,
            is_transactional=True,
        )
        replies: list[api.ProduceReply] = []
        request = api.ProduceRequest([api.PartitionBatches(to, batch)], transactional_id=self.transactional_id)
        self.port.produce(self.context, request, replies.append)
        error_code = replies[0].partitions[0].error_code
        if not error_code:
            self.sequences[to] = sequence + 1
        return error_code

    def send_offset(self, offset: int, group_id: str = "g", of: TopicPartition = TOPIC, **member: Any) -> int:
        request = api.TxnOffsetCommitRequest(
            self.transactional_id, group_id, self.producer_id, self.epoch, {of: api.OffsetToCommit(offset)}, **member
        )
        return self.port.txn_offset_commit(self.context, request).error_codes[of]

    def end(self, *, commit: bool = True) -> int:
        request = api.EndTxnRequest(self.transactional_id, self.producer_id, self.epoch, commit)
        reply = self.port.end_txn(self.context, request)
        if not reply.error_code:
            self.producer_id, self.epoch = reply.producer_id, reply.producer_epoch
            self.sequences.clear()
        return reply.error_code

    @property
    def state(self) -> str:
        (described,) = self.port.describe_transactions(self.context, [self.transactional_id])
        return described.state


def committed_values(broker: Broker, of: TopicPartition = TOPIC) -> list[bytes | None]:
    """What a read_committed reader sees, read by the rules of the fetch reply."""
    reply = broker.fetch(0, of, isolation_level=api.READ_COMMITTED)
    cursor = RecordCursor(reply.records, *of, 0, aborted_transactions=reply.aborted_transactions)
    return [record.value for record in cursor.take(1_000)]


def committed_offset(broker: Broker, *, stable: bool = False, of: TopicPartition = TOPIC) -> api.CommittedOffset:
    request = api.OffsetFetchRequest("g", [of], require_stable=stable)
    return broker.port.offset_fetch(broker.context, request).offsets[of]


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running() as broker:
        broker.create(partitions=2)
        yield broker


@pytest.fixture
def producer(broker: Broker) -> Producer:
    producer = Producer(broker)
    assert producer.init().error_code == 0
    return producer


class TestEnding:
    @pytest.mark.parametrize("commit", [True, False])
    def test_every_partition_gets_a_marker(self, broker: Broker, producer: Producer, commit: bool) -> None:
        assert [producer.send(b"1"), producer.send(b"2", OTHER)] == [0, 0]
        assert (broker.offset(-1), broker.offset(-1, OTHER)) == (1, 1)
        assert producer.end(commit=commit) == 0
        assert (broker.offset(-1), broker.offset(-1, OTHER)) == (2, 2)
        assert producer.state == ("CompleteCommit" if commit else "CompleteAbort")

    def test_records_are_seen_after_the_commit_and_not_before(self, broker: Broker, producer: Producer) -> None:
        producer.send(b"1")
        assert broker.fetch(0, isolation_level=api.READ_COMMITTED).last_stable_offset == 0
        producer.end()
        assert broker.fetch(0, isolation_level=api.READ_COMMITTED).last_stable_offset == 2

    def test_the_next_transaction_has_the_next_epoch(self, broker: Broker, producer: Producer) -> None:
        for _ in range(3):
            assert producer.send(b"1") == 0
            assert producer.end() == 0
        assert producer.epoch == 3

    def test_a_topic_that_was_deleted_meanwhile_does_not_hold_the_transaction_up(
        self, broker: Broker, producer: Producer
    ) -> None:
        producer.send(b"1")
        broker.port.delete_topics(broker.context, ["t"])
        assert producer.end() == 0
        assert producer.state == "CompleteCommit"

    def test_a_partition_that_does_not_exist_cannot_be_added(self, broker: Broker, producer: Producer) -> None:
        nowhere = TopicPartition("t", 9)
        request = api.TxnPartitions("x", producer.producer_id, producer.epoch, [TOPIC, nowhere])
        (result,) = broker.port.add_partitions_to_txn(broker.context, [request])
        assert result.error_codes[nowhere] == UnknownTopicOrPartitionError.errno
        assert result.error_codes[TOPIC] != 0
        assert producer.state == "Empty"

    def test_version_1_adds_before_it_writes_and_keeps_its_epoch(self, broker: Broker, producer: Producer) -> None:
        request = api.TxnPartitions("x", producer.producer_id, producer.epoch, [TOPIC], transaction_version=1)
        (result,) = broker.port.add_partitions_to_txn(broker.context, [request])
        assert result.error_codes == {TOPIC: 0}
        ended = api.EndTxnRequest("x", producer.producer_id, producer.epoch, True, transaction_version=1)
        assert broker.port.end_txn(broker.context, ended) == api.EndTxnReply()
        assert broker.offset(-1) == 1


class TestFencing:
    def test_a_new_producer_ends_the_old_ones_transaction(self, broker: Broker, producer: Producer) -> None:
        producer.send(b"1")
        other = Producer(broker)
        assert other.init().error_code == ConcurrentTransactionsError.errno
        assert other.init().error_code == 0
        assert producer.state == "Empty"
        assert producer.send(b"2") == InvalidProducerEpochError.errno
        assert producer.end() == ProducerFencedError.errno
        assert committed_values(broker) == []

    def test_the_fenced_producer_can_commit_no_offsets(self, broker: Broker, producer: Producer) -> None:
        Producer(broker).init()
        assert producer.send_offset(1) == InvalidProducerEpochError.errno
        assert committed_offset(broker).offset == -1


class TestOffsets:
    def test_they_count_after_the_commit_and_not_before(self, broker: Broker, producer: Producer) -> None:
        assert producer.send_offset(5) == 0
        assert committed_offset(broker).offset == -1
        producer.end()
        assert committed_offset(broker).offset == 5

    def test_they_never_count_after_an_abort(self, broker: Broker, producer: Producer) -> None:
        producer.send_offset(5)
        producer.end(commit=False)
        assert committed_offset(broker, stable=True).offset == -1

    def test_who_requires_stable_offsets_is_told_to_wait(self, broker: Broker, producer: Producer) -> None:
        producer.send_offset(5)
        assert committed_offset(broker, stable=True).error_code == UnstableOffsetCommitError.errno
        assert committed_offset(broker, stable=True, of=OTHER).error_code == 0
        producer.end()
        assert committed_offset(broker, stable=True).offset == 5

    def test_a_later_commit_outside_the_transaction_wins(self, broker: Broker, producer: Producer) -> None:
        producer.send_offset(5)
        commit = api.OffsetCommitRequest("g", {TOPIC: api.OffsetToCommit(9)})
        broker.port.offset_commit(broker.context, commit)
        producer.end()
        assert committed_offset(broker).offset == 9

    def test_a_consumer_of_an_old_generation_is_refused(self, broker: Broker, producer: Producer) -> None:
        assert producer.send_offset(5, generation_id=3, member_id="gone") == IllegalGenerationError.errno

    @pytest.mark.parametrize("ended", [True, False, None])
    def test_they_are_the_same_after_a_restart(self, tmp_path: Path, ended: bool | None) -> None:
        with running(tmp_path) as broker:
            broker.create(partitions=2)
            producer = Producer(broker)
            producer.init()
            producer.send_offset(5)
            if ended is not None:
                producer.end(commit=ended)
        with running(tmp_path) as broker:
            stable = committed_offset(broker, stable=True)
            if ended is None:
                assert stable.error_code == UnstableOffsetCommitError.errno
                producer = Producer(broker)
                producer.init()
                stable = committed_offset(broker, stable=True)
            assert stable == api.CommittedOffset(5 if ended else -1)


class TestTime:
    def test_an_open_transaction_is_aborted_after_its_timeout(self, broker: Broker) -> None:
        producer = Producer(broker, timeout_ms=15_000)
        producer.init()
        producer.send(b"1")
        clock = broker.engine.clock
        assert isinstance(clock, ManualClock)
        clock.advance(10_000)
        assert producer.state == "Ongoing"
        clock.advance(10_000)
        assert producer.state == "CompleteAbort"
        assert producer.end() == InvalidTxnStateError.errno
        assert producer.send(b"2") == InvalidProducerEpochError.errno
        assert producer.end(commit=False) == 0
        assert producer.send(b"3") == 0

    def test_a_transaction_that_was_open_at_the_end_of_the_engine_times_out_in_the_next(self, tmp_path: Path) -> None:
        clock = ManualClock(START_MS)
        with running(tmp_path, clock=clock) as broker:
            broker.create()
            producer = Producer(broker)
            producer.init()
            producer.send(b"1")
        clock = ManualClock(START_MS + 61_000)
        with running(tmp_path, clock=clock) as broker:
            assert broker.fetch(0, isolation_level=api.READ_COMMITTED).last_stable_offset == 0
            clock.advance(10_000)
            assert broker.fetch(0, isolation_level=api.READ_COMMITTED).last_stable_offset == 2

    def test_ids_expire(self) -> None:
        with running(**{"transactional.id.expiration.ms": 1_000}) as broker:
            broker.create()
            Producer(broker).init()
            clock = broker.engine.clock
            assert isinstance(clock, ManualClock)
            clock.advance(3_600_000)
            assert broker.port.list_transactions(broker.context, api.ListTransactionsRequest()).transactions == []


class TestCrash:
    @pytest.mark.parametrize("commit", [True, False])
    def test_what_was_decided_is_completed_when_the_directory_is_opened_again(
        self, tmp_path: Path, commit: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running(tmp_path) as broker:
            broker.create(partitions=2)
            producer = Producer(broker)
            producer.init()
            producer.send(b"1")
            producer.send(b"2", OTHER)
            producer.send_offset(5)
            host = broker.engine.transactions._host
            monkeypatch.setattr(host, "write_markers", lambda marker: dict.fromkeys(marker.partitions, 56))
            assert producer.end(commit=commit) == 0
            assert producer.state == ("PrepareCommit" if commit else "PrepareAbort")
        with running(tmp_path) as broker:
            producer = Producer(broker)
            assert producer.state == ("CompleteCommit" if commit else "CompleteAbort")
            assert committed_values(broker) == ([b"1"] if commit else [])
            assert committed_values(broker, OTHER) == ([b"2"] if commit else [])
            assert committed_offset(broker, stable=True).offset == (5 if commit else -1)

    def test_a_disk_that_refuses_markers_is_asked_again(
        self, broker: Broker, producer: Producer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        producer.send(b"1")
        host = broker.engine.transactions._host
        with monkeypatch.context() as broken:
            broken.setattr(host, "write_markers", lambda marker: {TOPIC: KafkaStorageError.errno})
            assert producer.end() == 0
            assert producer.state == "PrepareCommit"
        clock = broker.engine.clock
        assert isinstance(clock, ManualClock)
        clock.advance(1_000)
        assert producer.state == "CompleteCommit"

    def test_producer_ids_are_never_given_twice(self, tmp_path: Path) -> None:
        seen = []
        for number in range(3):
            with running(tmp_path) as broker:
                producer = Producer(broker, f"x{number}")
                producer.init()
                seen.append(producer.producer_id)
        assert len(set(seen)) == 3


class TestHanging:
    def test_an_operator_can_end_a_transaction_past_its_coordinator(self, broker: Broker, producer: Producer) -> None:
        producer.send(b"1")
        marker = api.TxnMarker(producer.producer_id, producer.epoch, False, [TOPIC, TopicPartition("t", 9)])
        (result,) = broker.port.write_txn_markers(broker.context, [marker])
        assert result.error_codes == {TOPIC: 0, TopicPartition("t", 9): UnknownTopicOrPartitionError.errno}
        assert broker.fetch(0, isolation_level=api.READ_COMMITTED).last_stable_offset == 2
        assert committed_values(broker) == []


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.timeout(300)
def test_ending_can_be_interrupted_anywhere_and_repeated(commit: bool) -> None:
    """However far the first attempt came, the second ends the same transaction, once."""
    for line in every_line(usual_step=7):
        with running() as broker:
            broker.create()
            producer = Producer(broker)
            producer.init()
            producer.send(b"1")
            producer.send_offset(5)
            interrupted = interrupted_at(line, lambda producer=producer: producer.end(commit=commit))
            if interrupted:
                assert producer.end(commit=commit) == 0
            assert producer.state == ("CompleteCommit" if commit else "CompleteAbort")
            assert committed_values(broker) == ([b"1"] if commit else [])
            assert committed_offset(broker, stable=True).offset == (5 if commit else -1)
            assert producer.send(b"2") == 0
        if not interrupted:
            return


@pytest.mark.timeout(300)
def test_init_can_be_interrupted_anywhere_and_repeated() -> None:
    for line in every_line(usual_step=7):
        with running() as broker:
            broker.create()
            old = Producer(broker)
            old.init()
            old.send(b"1")
            producer = Producer(broker)
            interrupted = interrupted_at(line, producer.init)
            for _ in range(2):
                reply = producer.init()
            assert reply.error_code == 0
            assert committed_values(broker) == []
            assert producer.send(b"2") == 0
            assert producer.end() == 0
            assert committed_values(broker) == [b"2"]
        if not interrupted:
            return


def test_the_topic_of_transactions_is_compacted_and_has_fifty_partitions(broker: Broker, producer: Producer) -> None:
    topic = broker.engine.topics.topic(TRANSACTION_STATE)
    assert topic is not None
    assert (len(topic.partitions), topic.settings["cleanup.policy"]) == (50, ["compact"])


def test_there_is_no_such_topic_without_transactions(broker: Broker) -> None:
    broker.port.list_transactions(broker.context, api.ListTransactionsRequest())
    assert TRANSACTION_STATE not in broker.topic_names()
