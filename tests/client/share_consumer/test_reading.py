"""Polling and iterating: what comes, how many, to whom, and what an error does to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from client.share_consumer.jobs import (
    GROUP,
    LOCK_MS,
    ShareConsumers,
    configure,
    counts,
    offsets,
    records,
    send,
    send_values,
)

from embedkafka import (
    AcknowledgeType,
    ConfigResource,
    EmbeddedKafka,
    KafkaShareConsumer,
    ManualClock,
    TopicPartition,
    errors,
)
from embedkafka.broker.share.shares import Shares

TP = TopicPartition("jobs", 0)


def finish(consumer: KafkaShareConsumer, polled: object) -> None:
    for record in records(polled):  # type: ignore[arg-type]
        consumer.acknowledge(record)


# Who gets what ------------------------------------------------------------------------------------------------------


def test_more_consumers_than_partitions_share_the_records(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 9)
    workers = [consumer("jobs", share_acquire_mode="record_limit", max_poll_records=3) for _ in range(3)]
    got = [offsets(worker.poll()) for worker in workers]
    assert sorted(offset for each in got for offset in each) == list(range(9))
    assert [len(each) for each in got] == [3, 3, 3]


def test_every_group_gets_every_record(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    with kafka.admin() as admin:
        admin.alter_configs([ConfigResource("GROUP", "others", configs={"share.auto.offset.reset": "earliest"})])
    assert offsets(consumer("jobs").poll()) == offsets(consumer("jobs", group_id="others").poll()) == [0, 1]


def test_a_group_begins_at_the_end_unless_it_is_told_otherwise(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs", group_id="new")
    assert worker.poll() == {}
    send(kafka, "jobs", 1)
    assert offsets(worker.poll()) == [2]


def test_all_partitions_are_read(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    kafka.create_topic("jobs", 3)
    for partition in range(3):
        send(kafka, "jobs", 2, partition)
    assert sorted(consumer("jobs").poll()) == [TopicPartition("jobs", number) for number in range(3)]


def test_a_topic_that_is_created_later_is_read(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    worker = consumer("jobs", "more", allow_auto_create_topics=False)
    assert worker.poll() == {}
    send(kafka, "more", 1)
    assert list(worker.poll()) == [TopicPartition("more", 0)]


def test_partitions_that_are_added_are_read(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    finish(worker, worker.poll())
    with kafka.admin() as admin:
        admin.create_partitions({"jobs": 2})
    send(kafka, "jobs", 1, partition=1)
    assert list(worker.poll()) == [TopicPartition("jobs", 1)]


def test_a_new_subscription_replaces_the_last_one(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    send(kafka, "more", 1)
    worker = consumer("jobs")
    worker.subscribe(["more"])
    assert worker.subscription() == {"more"}
    assert list(worker.poll()) == [TopicPartition("more", 0)]


def test_a_read_committed_group_gets_no_aborted_record(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    configure(kafka, **{"share.isolation.level": "read_committed"})
    with kafka.producer(transactional_id="t") as producer:
        producer.init_transactions()
        for end in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            producer.send("jobs", end.__name__.encode())
            end()
    worker = consumer("jobs")
    (record,) = records(worker.poll())
    assert record.value == b"commit_transaction"


# How many, how long -------------------------------------------------------------------------------------------------


def test_max_poll_records_bounds_a_poll_and_the_rest_comes_next(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 10)
    worker = consumer("jobs", max_poll_records=4)
    sizes = []
    while polled := worker.poll():
        sizes.append(len(records(polled)))
        finish(worker, polled)
    assert sizes == [4, 4, 2]


def test_with_a_record_limit_no_more_is_locked_than_was_asked_for(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 10)
    assert offsets(consumer("jobs", share_acquire_mode="record_limit").poll(max_records=4)) == [0, 1, 2, 3]
    assert offsets(consumer("jobs").poll()) == [4, 5, 6, 7, 8, 9]


def test_by_default_whole_batches_are_locked(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 10)
    assert offsets(consumer("jobs").poll(max_records=4)) == [0, 1, 2, 3]
    assert consumer("jobs").poll() == {}


def test_a_poll_waits_as_long_as_it_was_told_to(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    worker = consumer("jobs")
    began_ms = kafka.clock.monotonic_ms()
    assert worker.poll(timeout_ms=1_234) == {}
    assert kafka.clock.monotonic_ms() - began_ms == 1_234


def test_a_waiting_poll_gets_what_another_consumers_lock_lets_go(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 1)
    consumer("jobs").poll()
    assert counts(consumer("jobs").poll(timeout_ms=60_000)) == {0: 2}


@pytest.mark.parametrize("timeout_ms", [-1, float("nan")])
def test_a_time_below_zero_is_refused(consumer: ShareConsumers, timeout_ms: float) -> None:
    with pytest.raises(ValueError, match="timeout_ms"):
        consumer("jobs").poll(timeout_ms)


def test_a_poll_without_a_subscription_is_refused(consumer: ShareConsumers) -> None:
    with pytest.raises(errors.IllegalStateError, match="subscribed"):
        consumer().poll()


def test_a_closed_consumer_is_refused(consumer: ShareConsumers) -> None:
    worker = consumer("jobs")
    worker.close()
    worker.close()
    for use in (worker.poll, worker.commit_sync, worker.subscription, lambda: worker.acknowledge("jobs", 0, 0)):
        with pytest.raises(errors.IllegalStateError, match="closed"):
            use()


def test_wakeup_ends_the_next_poll_once(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    worker.wakeup()
    with pytest.raises(errors.WakeupError):
        worker.poll()
    assert offsets(worker.poll()) == [0]


def test_what_was_kept_until_its_lock_ended_is_not_handed_out(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 4)
    slow, other = consumer("jobs", max_poll_records=1), consumer("jobs")
    finish(slow, slow.poll())
    slow.commit_sync()
    kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
    assert counts(other.poll()) == {1: 2, 2: 2, 3: 2}
    assert slow.poll() == {}


# Going away ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "unsubscribe"])
def test_what_is_held_goes_to_others_at_once(kafka: EmbeddedKafka, consumer: ShareConsumers, end: str) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs")
    first, *_ = records(worker.poll())
    worker.acknowledge(first)
    getattr(worker, end)()
    assert offsets(consumer("jobs").poll()) == [1, 2]


def test_a_consumer_that_is_forgotten_lets_go(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = kafka.share_consumer("jobs", group_id=GROUP)
    worker.poll()
    del worker
    assert offsets(consumer("jobs").poll()) == [0]


def test_a_killed_consumers_records_come_when_their_lock_ends(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker, other = consumer("jobs"), consumer("jobs")
    worker.poll()
    worker._kill()
    assert other.poll() == {}
    assert counts(other.poll(timeout_ms=60_000)) == {0: 2}


def test_a_consumer_that_stops_polling_is_out_and_comes_back(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs", max_poll_interval_ms=50_000, share_acknowledgement_mode="implicit")
    worker.poll(max_records=1)
    kafka.clock.advance(300_000)  # type: ignore[attr-defined]
    with kafka.admin() as admin:
        assert admin.describe_share_groups([GROUP])[GROUP]["members"] == []
    worker.poll()
    with kafka.admin() as admin:
        assert len(admin.describe_share_groups([GROUP])[GROUP]["members"]) == 1


# Errors -------------------------------------------------------------------------------------------------------------


def test_a_deserializer_that_fails_releases_that_record_only(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 4)
    worker = consumer("jobs", value_deserializer=lambda data: 1 // (int(data) - 2))
    polled = worker.poll()
    assert offsets(polled) == [0, 1]
    finish(worker, polled)
    with pytest.raises(errors.RecordDeserializationError) as caught:
        worker.poll()
    assert (caught.value.topic_partition, caught.value.offset) == (TP, 2)
    polled = worker.poll()
    assert offsets(polled) == [3]
    finish(worker, polled)
    worker.commit_sync()
    assert counts(consumer("jobs").poll()) == {2: 2}


def test_a_record_that_cannot_be_deserialized_can_be_rejected(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs", value_deserializer=lambda data: 1 // 0)
    with pytest.raises(errors.RecordDeserializationError):
        worker.poll()
    worker.acknowledge("jobs", 0, 0, AcknowledgeType.REJECT)
    assert worker.poll() == {}
    assert consumer("jobs").poll() == {}


def test_a_deleted_topic_is_read_no_more(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    send(kafka, "more", 1)
    worker = consumer("jobs", "more", allow_auto_create_topics=False)
    finish(worker, worker.poll())
    with kafka.admin() as admin:
        admin.delete_topics(["jobs"])
    send(kafka, "more", 1)
    polled = worker.poll()
    assert list(polled) == [TopicPartition("more", 0)]


# Iterating ----------------------------------------------------------------------------------------------------------


def test_an_iteration_ends_when_nothing_came_for_a_while(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 5)
    worker = consumer("jobs", max_poll_records=2)
    seen = []
    for record in worker:
        seen.append(record.offset)
        worker.acknowledge(record)
    assert seen == [0, 1, 2, 3, 4]


def test_what_an_implicit_iteration_did_not_get_is_not_accepted(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 5)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    for record in worker:
        if record.offset == 1:
            break
    worker.commit_sync()
    assert offsets(worker.poll()) == [2, 3, 4]
    worker.close()
    assert offsets(consumer("jobs").poll()) == [2, 3, 4]


def test_next_gives_one_record_at_a_time(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    assert [next(worker).offset, next(worker).offset] == [0, 1]
    with pytest.raises(StopIteration):
        next(worker)


# Answers that come late -----------------------------------------------------------------------------------------------


class Late:
    """Keeps answers of the broker between its decision and their reader, as a thread does that is not run just then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._held: list[Callable[[], None]] = []
        fetch = Shares.fetch

        def fetch_late(shares: Shares, context: Any, request: Any, complete: Callable[[Any], None]) -> object:
            return fetch(shares, context, request, lambda reply: self._held.append(partial(complete, reply)))

        monkeypatch.setattr(Shares, "fetch", fetch_late)
        self._monkeypatch = monkeypatch

    def come(self) -> None:
        self._monkeypatch.undo()
        assert len(self._held) == 1
        self._held.pop()()


def test_records_whose_answer_is_under_way_when_a_poll_gives_up_come_with_the_next(
    kafka: EmbeddedKafka, consumer: ShareConsumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = consumer("jobs")
    late = Late(monkeypatch)
    kafka.clock.call_later(10, lambda: send(kafka, "jobs", 1))
    assert worker.poll(20) == {}  # cannot take it back: the record is acquired
    assert worker.poll(20) == {}
    late.come()
    assert counts(worker.poll()) == {0: 1}


def test_records_whose_answer_is_under_way_before_a_poll_waits_come_with_the_next(
    kafka: EmbeddedKafka, consumer: ShareConsumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs")
    late = Late(monkeypatch)
    assert worker.poll(20) == {}
    late.come()
    assert counts(worker.poll()) == {0: 1, 1: 1, 2: 1}


def test_records_of_a_partition_that_was_taken_away_meanwhile_go_to_others_at_once(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    worker = consumer("jobs")

    def arrive() -> None:
        send(kafka, "jobs", 1)
        worker.wakeup()

    kafka.clock.call_later(10, arrive)
    with pytest.raises(errors.WakeupError):
        worker.poll(20)
    worker.subscribe(["others"])
    assert worker.poll() == {}
    assert counts(consumer("jobs").poll()) == {0: 2}


# Threads ------------------------------------------------------------------------------------------------------------


def test_a_second_thread_in_one_consumer_is_refused() -> None:
    with EmbeddedKafka() as real, real.share_consumer("jobs", group_id=GROUP) as worker:

        def poll() -> None:
            with pytest.raises(errors.WakeupError):
                worker.poll(60_000)

        polling = threading.Thread(target=poll)
        polling.start()
        while worker._user is None:
            threading.Event().wait(0.001)
        for use in (worker.poll, worker.commit_sync, lambda: worker.acknowledge("jobs", 0, 0), worker.close):
            with pytest.raises(errors.ConcurrentModificationError, match="KafkaShareConsumer"):
                use()
        worker.wakeup()
        polling.join()


def test_a_waiting_poll_is_woken_by_a_send() -> None:
    with EmbeddedKafka() as kafka, kafka.producer() as producer:
        configure(kafka, **{"share.auto.offset.reset": "earliest"})
        got: list[bytes] = []

        def work() -> None:
            with kafka.share_consumer("jobs", group_id=GROUP) as worker:
                got.extend(record.value for record in records(worker.poll(60_000)))

        waiting = threading.Thread(target=work)
        waiting.start()
        producer.send("jobs", b"now")
        waiting.join(30)
        assert got == [b"now"]


def test_worker_threads_do_every_job_once() -> None:
    with EmbeddedKafka(num_partitions=2) as kafka:
        configure(kafka, **{"share.auto.offset.reset": "earliest"})
        done: list[int] = []

        def work() -> None:
            with kafka.share_consumer(
                "jobs",
                group_id=GROUP,
                share_acknowledgement_mode="explicit",
                share_acquire_mode="record_limit",
                max_poll_records=20,
            ) as worker:
                while len(done) < 2_000:
                    for record in records(worker.poll(20)):
                        done.append(int(record.value))
                        worker.acknowledge(record)

        workers = [threading.Thread(target=work) for _ in range(6)]
        for worker in workers:
            worker.start()
        for partition in range(2):
            send_values(
                kafka, "jobs", (b"%d" % n for n in range(1_000 * partition, 1_000 * partition + 1_000)), partition
            )
        for worker in workers:
            worker.join(60)
        assert sorted(done) == list(range(2_000))


def test_jobs_survive_a_restart(tmp_path: object) -> None:
    for expected in ([0, 1, 2, 3, 4], [3, 4], []):
        with EmbeddedKafka(tmp_path, clock=ManualClock()) as kafka:  # type: ignore[arg-type]
            if expected == [0, 1, 2, 3, 4]:
                configure(kafka, **{"share.auto.offset.reset": "earliest"})
                send(kafka, "jobs", 5)
            worker = kafka.share_consumer("jobs", group_id=GROUP, share_acknowledgement_mode="explicit")
            got = records(worker.poll())
            assert [record.offset for record in got] == expected
            for record in got[:3]:
                worker.acknowledge(record)
            worker.commit_sync()
            worker.close()
