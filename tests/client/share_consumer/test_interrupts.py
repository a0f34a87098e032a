"""Ctrl-C anywhere in a poll or a commit: no accepted record comes again, no other is lost."""

from __future__ import annotations

from functools import partial

import pytest
from broker.interrupts import every_line, interrupted_at
from client.share_consumer.jobs import GROUP, LOCK_MS, configure, offsets, records, send

from embedkafka import EmbeddedKafka, KafkaShareConsumer, ManualClock


def open_queue(count: int) -> EmbeddedKafka:
    kafka = EmbeddedKafka(clock=ManualClock())
    configure(kafka, **{"share.auto.offset.reset": "earliest"})
    send(kafka, "jobs", count)
    return kafka


def worker(kafka: EmbeddedKafka, mode: str = "explicit") -> KafkaShareConsumer:
    return kafka.share_consumer("jobs", group_id=GROUP, share_acknowledgement_mode=mode)


def drain(kafka: EmbeddedKafka, consumer: KafkaShareConsumer) -> list[int]:
    """Accept all that comes, at once or when a lock ends."""
    got: list[int] = []
    for _ in range(3):
        while polled := consumer.poll():
            for record in records(polled):
                consumer.acknowledge(record)
            got += offsets(polled)
        kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
    return got


@pytest.mark.timeout(600)  # some thousand engines where EMBEDKAFKA_FULL asks for every line
def test_a_poll_that_is_interrupted_loses_no_record() -> None:
    for line in every_line(usual_step=97):
        with open_queue(3) as kafka, worker(kafka) as consumer:
            went_through = not interrupted_at(line, consumer.poll)
            if went_through:
                return
            got = sorted(drain(kafka, consumer))
            assert got == [0, 1, 2], line


@pytest.mark.timeout(600)
def test_an_implicit_poll_that_is_interrupted_accepts_nothing_that_did_not_come_out() -> None:
    for line in every_line(usual_step=97):
        with open_queue(3) as kafka, worker(kafka, "implicit") as consumer:
            got: list[int] = []

            def poll(consumer: KafkaShareConsumer = consumer, got: list[int] = got) -> None:
                got += offsets(consumer.poll())

            if not interrupted_at(line, poll):
                return
            consumer.commit_sync()
            kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
            with worker(kafka) as other:
                assert sorted({*got, *drain(kafka, other)}) == [0, 1, 2], line


@pytest.mark.timeout(600)
def test_a_commit_that_is_interrupted_either_counts_or_does_not() -> None:
    for line in every_line(usual_step=97):
        with open_queue(3) as kafka:
            with worker(kafka) as consumer:
                for record in records(consumer.poll())[:2]:
                    consumer.acknowledge(record)
                went_through = not interrupted_at(line, consumer.commit_sync)
                has_failed = any(consumer.commit_sync().values())  # and said so
            kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
            with worker(kafka) as other:
                again = sorted(drain(kafka, other))
            assert again == [2] or (has_failed and again == [0, 1, 2]), line
        if went_through:
            return


@pytest.mark.timeout(600)
def test_closing_after_an_interrupted_close_lets_go_of_everything() -> None:
    for line in every_line(usual_step=97):
        with open_queue(2) as kafka:
            consumer = worker(kafka)
            consumer.poll()
            went_through = not interrupted_at(line, partial(consumer.close))
            consumer.close()
            kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
            with worker(kafka) as other:
                assert sorted(drain(kafka, other)) == [0, 1], line
        if went_through:
            return
