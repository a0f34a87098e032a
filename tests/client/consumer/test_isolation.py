"""A consumer with isolation_level="read_committed" over a log with transactions in it."""

from __future__ import annotations

import pytest
from client.consumer.records import Consumers

from embedkafka import EmbeddedKafka, TopicPartition
from embedkafka.broker import api
from embedkafka.broker.partition import Partition
from embedkafka.record import encode_batch

T0 = TopicPartition("t", 0)


class Log:
    """A partition written to as transactional producers and their coordinator do it."""

    def __init__(self, kafka: EmbeddedKafka) -> None:
        self._port = kafka.engine.ports[0]
        self._context = api.RequestContext()
        self._port.create_topics(self._context, [api.NewTopicSpec("t", 1)])
        found = kafka.engine.topics.partition(T0)
        assert found is not None
        self._partition: Partition = found
        self._epochs: dict[int, int] = {}
        self._sequences: dict[int, int] = {}

    def send(self, value: bytes, producer_id: int = -1) -> None:
        """Outside of a transaction without a producer id."""
        is_transactional = producer_id >= 0
        epoch = self._epochs.setdefault(producer_id, 0) if is_transactional else -1
        sequence = self._sequences.get(producer_id, 0) if is_transactional else -1
        self._sequences[producer_id] = sequence + 1
        records = encode_batch(
            [(0, None, value, ())],
            producer_id=producer_id,
            producer_epoch=epoch,
            base_sequence=sequence,
            is_transactional=is_transactional,
        )
        verification = self._partition.start_verification(producer_id, epoch, sequence) if is_transactional else None
        self._partition.append(records, verification=verification)
        self._partition.wake_readers()

    def end(self, producer_id: int, *, commit: bool) -> None:
        self._epochs[producer_id] += 1
        self._sequences[producer_id] = 0
        self._partition.append_marker(producer_id, self._epochs[producer_id], commit=commit, coordinator_epoch=0)


@pytest.fixture
def log(kafka: EmbeddedKafka) -> Log:
    return Log(kafka)


def test_only_what_was_committed_is_read_and_only_up_to_what_is_undecided(log: Log, consumer: Consumers) -> None:
    reader = consumer("t", isolation_level="read_committed")
    log.send(b"plain")
    log.send(b"aborted", 1)
    log.send(b"committed", 2)
    assert [record.value for record in reader] == [b"plain"]
    log.end(1, commit=False)
    assert [record.value for record in reader] == []
    log.end(2, commit=True)
    log.send(b"after")
    assert [record.value for record in reader] == [b"committed", b"after"]


def test_read_uncommitted_shows_everything_but_the_markers(log: Log, consumer: Consumers) -> None:
    log.send(b"aborted", 1)
    log.end(1, commit=False)
    log.send(b"open", 2)
    assert [record.value for record in consumer("t")] == [b"aborted", b"open"]


def test_the_end_of_the_log_is_that_of_the_isolation_level(log: Log, consumer: Consumers) -> None:
    log.send(b"plain")
    log.send(b"open", 1)
    assert consumer("t", isolation_level="read_committed").end_offsets([T0]) == {T0: 1}
    assert consumer("t").end_offsets([T0]) == {T0: 2}


def test_the_position_passes_aborted_records_and_markers(log: Log, consumer: Consumers) -> None:
    reader = consumer(isolation_level="read_committed")
    reader.assign([T0])
    for _ in range(3):
        log.send(b"aborted", 1)
        log.end(1, commit=False)
    assert list(reader) == []
    assert reader.position(T0) == 6


def test_a_reader_that_starts_within_an_aborted_transaction_sees_nothing_of_it(log: Log, consumer: Consumers) -> None:
    for value in (b"a", b"b", b"c"):
        log.send(value, 1)
    log.end(1, commit=False)
    log.send(b"after")
    reader = consumer(isolation_level="read_committed")
    reader.assign([T0])
    reader.seek(T0, 1)
    assert [record.value for record in reader] == [b"after"]
