"""Full batches wait a moment for a few others, and reach the log in one call; nobody may notice but by the clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from broker.interrupts import every_line, interrupted_at

from embedkafka import EmbeddedKafka, KafkaProducer, TopicPartition
from embedkafka.errors import MessageSizeTooLargeError, NotEnoughReplicasError

T0 = TopicPartition("t", 0)


class Calls:
    """Counts the batches of each call to the broker; the next answers may be lost on the way."""

    def __init__(self, kafka: EmbeddedKafka, lost: int = 0) -> None:
        (port,) = kafka.engine.ports.values()
        self._original = port.produce_sealed
        self.sizes: list[int] = []
        self.lost = lost
        port.produce_sealed = self._call

    def _call(self, context: Any, topic_partition: Any, batches: Any, *rest: Any, **options: Any) -> Any:
        self.sizes.append(len(batches))
        reply = self._original(context, topic_partition, batches, *rest, **options)
        if self.lost:
            self.lost -= 1
            return reply._replace(error_code=NotEnoughReplicasError.errno)
        return reply


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        yield kafka


def patient(kafka: EmbeddedKafka, **configs: Any) -> KafkaProducer:
    """A producer of one record per batch, whose full batches wait as long as nobody asks for them."""
    producer = kafka.producer(**{"batch_size": 0, "linger_ms": 60_000, "retry_backoff_ms": 1, **configs})
    producer.send("t", b"first").get()
    producer._linger._turn_ms = 60_000.0
    return producer


def values(kafka: EmbeddedKafka) -> list[Any]:
    """What is in the log, without sealing anything."""
    with kafka.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign([T0])
        found: list[Any] = []
        while records := consumer.poll(timeout_ms=0):
            found += [record.value for record in records[T0]]
        return found


def sent(producer: KafkaProducer, count: int) -> list[Any]:
    return [producer.send("t", b"%d" % number) for number in range(count)]


def expected(count: int) -> list[bytes]:
    return [b"first", *(b"%d" % number for number in range(count))]


@pytest.mark.parametrize("idempotent", [True, False])
def test_five_full_batches_reach_the_log_in_one_call(kafka: EmbeddedKafka, idempotent: bool) -> None:
    producer = patient(kafka, enable_idempotence=idempotent)
    calls = Calls(kafka)
    futures = sent(producer, 6)
    assert calls.sizes == [5]
    assert [future.is_done for future in futures] == [True] * 5 + [False]
    assert [future.get().offset for future in futures] == [1, 2, 3, 4, 5, 6]
    assert values(kafka) == expected(6)


def test_who_reads_gets_what_waits(kafka: EmbeddedKafka) -> None:
    producer = patient(kafka)
    futures = sent(producer, 3)
    assert not futures[0].is_done
    assert values(kafka) == expected(3)
    assert all(future.succeeded() for future in futures)


@pytest.mark.parametrize("act", ["flush", "get", "close"])
def test_what_waits_goes_when_somebody_asks_for_it(kafka: EmbeddedKafka, act: str) -> None:
    producer = patient(kafka)
    first, *others = sent(producer, 3)
    assert not first.is_done
    {"flush": producer.flush, "get": first.get, "close": producer.close}[act]()
    assert first.succeeded()
    assert all(future.succeeded() for future in others)


def test_nothing_waits_while_a_reader_is_parked(kafka: EmbeddedKafka) -> None:
    producer = patient(kafka)
    kafka.engine.unsealed.park([T0])
    first, *_ = sent(producer, 2)
    assert first.is_done


def test_full_batches_do_not_wait_for_linger(kafka: EmbeddedKafka) -> None:
    producer = kafka.producer(batch_size=0, linger_ms=60_000)
    done = threading.Event()
    producer.send("t", b"full").add_callback(lambda _: done.set())
    producer.send("t", b"open")
    assert done.wait(30)


def test_full_batches_without_a_key_do_not_wait_for_linger_either(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("two", 2)
    producer = kafka.producer(batch_size=1, linger_ms=60_000)
    done = [threading.Event() for _ in range(8)]
    for event in done:
        producer.send("two", b"next partition").add_callback(lambda _, event=event: event.set())
    producer.send("two", b"open in one partition")
    assert sum(event.wait(30) for event in done[:-1]) == 7


def test_one_in_flight_goes_alone(kafka: EmbeddedKafka) -> None:
    producer = patient(kafka, max_in_flight_requests_per_connection=1)
    calls = Calls(kafka)
    sent(producer, 3)
    assert calls.sizes == [1, 1]


def test_one_that_is_refused_harms_none_beside_it(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("small", configs={"max.message.bytes": "200"})
    producer = patient(kafka)
    producer.send("small", b"first").get()
    futures = [producer.send("small", value) for value in (b"0", b"1", b"x" * 300, b"3", b"4", b"5")]
    producer.flush()
    assert [future.succeeded() for future in futures] == [True, True, False, True, True, True]
    assert isinstance(futures[2].exception, MessageSizeTooLargeError)
    assert [future.get().offset for future in futures if future.succeeded()] == [1, 2, 3, 4, 5]


def test_a_lost_answer_repeats_nothing(kafka: EmbeddedKafka) -> None:
    producer = patient(kafka)
    calls = Calls(kafka, lost=1)
    futures = sent(producer, 6)
    producer.flush()
    assert calls.sizes[0] == 5
    assert [future.get().offset for future in futures] == [1, 2, 3, 4, 5, 6]
    assert values(kafka) == expected(6)


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_interrupt_at_any_line_neither_loses_nor_repeats(kafka: EmbeddedKafka, idempotent: bool) -> None:
    producer = patient(kafka, enable_idempotence=idempotent)
    sent_values = [b"first"]
    for line in every_line(usual_step=3):
        sent_values += [b"%d" % number for number in range(5)]
        futures = sent(producer, 5)
        extra: list[Any] = []
        was_interrupted = interrupted_at(line, lambda extra=extra: extra.append(producer.send("t", b"-")))  # type: ignore[misc]
        producer.flush()
        found = values(kafka)
        assert all(future.succeeded() for future in futures)
        if len(found) > len(sent_values):  # the record itself may have been taken, or not
            sent_values.append(b"-")
        assert found == sent_values
        assert not extra or extra[0].succeeded()
        if not was_interrupted:
            return


@pytest.mark.timeout(20)
@pytest.mark.parametrize("idempotent", [True, False])
def test_full_batches_of_a_signal_handler_follow_the_call_that_it_has_interrupted(
    kafka: EmbeddedKafka, idempotent: bool
) -> None:
    producer = patient(kafka, enable_idempotence=idempotent)
    (port,) = kafka.engine.ports.values()
    original = port.produce_sealed
    others: list[Any] = []

    def call(*arguments: Any, **options: Any) -> Any:
        if not others:  # what a handler does on top of this thread
            others.extend(sent(producer, 3))
        return original(*arguments, **options)

    port.produce_sealed = call  # type: ignore[method-assign]
    assert producer.send("t", b"own").get(timeout=5).offset == 1
    producer.flush()
    assert [future.value.offset for future in others] == [2, 3, 4]
    assert values(kafka) == [b"first", b"own", b"0", b"1", b"2"]
