"""Transactions while other threads are at work: in the same producer, under the same id, on the same partitions."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, TopicPartition
from embedkafka.errors import IllegalStateError, KafkaError

PARTITIONS = [TopicPartition("t", number) for number in range(2)]
GROUP = "g"


@pytest.fixture(params=[0.005, 1e-6], ids=["usual switches", "many switches"])
def kafka(request: pytest.FixtureRequest) -> Iterator[EmbeddedKafka]:
    """In real time, with threads that take turns as usual or as often as they can."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(request.param)
    try:
        with EmbeddedKafka() as kafka:
            kafka.create_topic("t", len(PARTITIONS))
            yield kafka
    finally:
        sys.setswitchinterval(interval_s)


def together(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own; the first error is raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def visible(kafka: EmbeddedKafka) -> dict[TopicPartition, list[str]]:
    """What read_committed readers see."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest")
    consumer.assign(PARTITIONS)
    ends = consumer.end_offsets(PARTITIONS)
    found: dict[TopicPartition, list[str]] = defaultdict(list)
    while any(consumer.position(one) < end for one, end in ends.items()):
        for one, records in consumer.poll(timeout_ms=1_000).items():
            found[one] += [record.value.decode() for record in records]
    consumer.close()
    return found


def transactional(kafka: EmbeddedKafka, transactional_id: str, **configs: Any) -> KafkaProducer:
    return kafka.producer(transactional_id=transactional_id, batch_size=200, retry_backoff_ms=1, **configs)


@pytest.mark.parametrize("commit", [True, False], ids=["commit", "abort"])
def test_what_other_threads_send_while_a_transaction_ends_is_in_it_or_refused(
    kafka: EmbeddedKafka, commit: bool
) -> None:
    producer = transactional(kafka, "mine")
    producer.init_transactions()
    futures: dict[str, Any] = {}
    refused: set[str] = set()
    accepted, is_over = threading.Event(), threading.Event()

    def send(thread: int) -> Callable[[], None]:
        def work() -> None:
            number = 0
            while not is_over.is_set():
                value = f"{thread}-{number}"
                number += 1
                try:
                    futures[value] = producer.send("t", value.encode(), partition=number % 2)
                    accepted.set()
                except IllegalStateError:
                    refused.add(value)

        return work

    def end() -> None:
        try:
            for _ in range(40):
                accepted.clear()
                producer.begin_transaction()
                assert accepted.wait(20)
                (producer.commit_transaction if commit else producer.abort_transaction)()
        finally:
            is_over.set()

    together(end, send(1), send(2))
    found = {value for values in visible(kafka).values() for value in values}
    assert all(future.is_done for future in futures.values())
    assert found == ({value for value, future in futures.items() if future.succeeded()} if commit else set())
    assert refused
    producer.close()


def test_of_producers_that_fight_over_an_id_what_was_committed_is_seen_and_nothing_else(kafka: EmbeddedKafka) -> None:
    committed: list[str] = []
    fenced: list[str] = []

    def fight(thread: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(25):
                producer = transactional(kafka, "contested")
                sent: list[str] = []
                try:
                    producer.init_transactions()
                    for number in range(3):
                        sent = [f"{thread}-{turn}-{number}-{record}" for record in range(8)]
                        producer.begin_transaction()
                        for record, value in enumerate(sent):
                            producer.send("t", value.encode(), partition=record % 2)
                        producer.commit_transaction()
                        committed.extend(sent)
                except KafkaError:
                    fenced.extend(sent)
                kafka.kill(producer)

        return work

    together(*(fight(thread) for thread in range(3)))
    found = [value for values in visible(kafka).values() for value in values]
    assert sorted(found) == sorted(committed)
    assert fenced


def test_producers_of_transactions_on_the_same_partitions_do_not_disturb_each_other(kafka: EmbeddedKafka) -> None:
    committed: dict[TopicPartition, dict[int, list[str]]] = {one: defaultdict(list) for one in PARTITIONS}

    def work_as(thread: int) -> Callable[[], None]:
        def work() -> None:
            producer = transactional(kafka, f"id-{thread}")
            producer.init_transactions()
            for number in range(40):
                producer.begin_transaction()
                for record in range(6):
                    producer.send("t", f"{thread}-{number}-{record}".encode(), partition=record % 2)
                if number % 3 == thread % 3:
                    producer.abort_transaction()
                    continue
                producer.commit_transaction()
                for record in range(6):
                    committed[PARTITIONS[record % 2]][thread].append(f"{thread}-{number}-{record}")
            producer.close()

        return work

    together(*(work_as(thread) for thread in range(4)))
    for one, found in visible(kafka).items():
        by_thread: dict[int, list[str]] = defaultdict(list)
        for value in found:
            by_thread[int(value.split("-")[0])].append(value)
        assert by_thread == committed[one]


def test_a_second_thread_cannot_end_a_transaction_that_another_one_is_ending(kafka: EmbeddedKafka) -> None:
    producer = transactional(kafka, "mine")
    producer.init_transactions()
    inside, go_on = threading.Event(), threading.Event()
    flush = producer._flush

    def slow_flush(timeout: float | None) -> None:
        inside.set()
        assert go_on.wait(20)
        flush(timeout)

    producer._flush = slow_flush  # type: ignore[method-assign]
    producer.begin_transaction()
    producer.send("t", b"v", partition=0)

    def interfere() -> None:
        assert inside.wait(20)
        try:
            for call in (producer.commit_transaction, producer.abort_transaction, producer.begin_transaction):
                with pytest.raises(IllegalStateError, match="another thread"):
                    call()
        finally:
            go_on.set()

    together(producer.commit_transaction, interfere)
    assert visible(kafka) == {PARTITIONS[0]: ["v"]}
    producer.close()
