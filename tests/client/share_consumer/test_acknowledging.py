"""Saying what became of records: the four ways, the two modes, and what comes again."""

from __future__ import annotations

import pytest
from client.share_consumer.jobs import LOCK_MS, ShareConsumers, configure, counts, offsets, records, send

from embedkafka import AcknowledgeType, EmbeddedKafka, KafkaShareConsumer, TopicPartition, errors

ACCEPT, RELEASE, REJECT, RENEW = AcknowledgeType
TP = TopicPartition("jobs", 0)


def acknowledge_all(consumer: KafkaShareConsumer, polled: object, type: int = ACCEPT) -> None:
    for record in records(polled):  # type: ignore[arg-type]
        consumer.acknowledge(record, type)


# Four ways ----------------------------------------------------------------------------------------------------------


def test_an_accepted_record_never_comes_again(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs")
    acknowledge_all(worker, worker.poll())
    assert worker.commit_sync() == {TP: None}
    worker.close()
    assert consumer("jobs").poll() == {}


def test_a_released_record_comes_again_with_the_next_delivery_count(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs")
    polled = worker.poll()
    assert counts(polled) == {0: 1, 1: 1, 2: 1}
    for record, type_ in zip(records(polled), (ACCEPT, RELEASE, ACCEPT), strict=True):
        worker.acknowledge(record, type_)
    assert counts(worker.poll()) == {1: 2}


def test_a_record_released_too_often_is_given_up(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    configure(kafka, **{"share.delivery.count.limit": "2"})
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    for count in (1, 2):
        polled = worker.poll()
        assert counts(polled) == {0: count}
        acknowledge_all(worker, polled, RELEASE)
    assert worker.poll() == {}


def test_a_rejected_record_never_comes_again(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    acknowledge_all(worker, worker.poll(), REJECT)
    assert worker.poll() == {}
    worker.close()
    assert consumer("jobs").poll() == {}


def test_a_renewed_record_comes_again_to_the_same_consumer_with_a_new_lock(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 1)
    worker, other = consumer("jobs"), consumer("jobs")
    polled = worker.poll()
    for _ in range(3):
        kafka.clock.advance(LOCK_MS - 1_000)  # type: ignore[attr-defined]
        acknowledge_all(worker, polled, RENEW)
        polled = worker.poll()
        assert counts(polled) == {0: 1}
        assert other.poll() == {}
    acknowledge_all(worker, polled)
    assert worker.commit_sync() == {TP: None}


def test_a_record_renewed_by_a_commit_can_be_accepted_without_another_poll(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    (record,) = records(worker.poll())
    worker.acknowledge(record, RENEW)
    assert worker.commit_sync() == {TP: None}
    worker.acknowledge(record)
    assert worker.commit_sync() == {TP: None}
    assert worker.poll() == {}


def test_a_record_whose_lock_has_run_out_goes_to_another_consumer(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 2)
    slow, other = consumer("jobs"), consumer("jobs")
    polled = slow.poll()
    assert other.poll() == {}
    kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
    assert counts(other.poll()) == {0: 2, 1: 2}
    acknowledge_all(slow, polled)
    assert isinstance(slow.commit_sync()[TP], errors.InvalidRecordStateError)


def test_the_lock_lasts_as_long_as_the_group_says(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    configure(kafka, **{"share.record.lock.duration.ms": "20000"})
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    assert worker.acquisition_lock_timeout_ms() is None
    worker.poll()
    assert worker.acquisition_lock_timeout_ms() == 20_000
    kafka.clock.advance(20_000)  # type: ignore[attr-defined]
    assert counts(consumer("jobs").poll()) == {0: 2}


# Two modes ----------------------------------------------------------------------------------------------------------


def test_in_implicit_mode_the_next_poll_accepts(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 5)
    worker = consumer("jobs", share_acknowledgement_mode="implicit", max_poll_records=3)
    assert offsets(worker.poll()) == [0, 1, 2]
    assert offsets(worker.poll()) == [3, 4]
    worker.close()
    assert offsets(consumer("jobs").poll()) == [3, 4]


@pytest.mark.parametrize("commit", ["commit_sync", "commit_async"])
def test_in_implicit_mode_a_commit_accepts(kafka: EmbeddedKafka, consumer: ShareConsumers, commit: str) -> None:
    send(kafka, "jobs", 5)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    worker.poll()
    getattr(worker, commit)()
    worker.close()
    assert consumer("jobs").poll() == {}


def test_in_implicit_mode_close_accepts_nothing(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    worker.poll()
    worker.close()
    assert offsets(consumer("jobs").poll()) == [0, 1]


def test_in_implicit_mode_a_record_cannot_be_acknowledged(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    (record,) = records(worker.poll())
    with pytest.raises(errors.IllegalStateError, match="explicit"):
        worker.acknowledge(record)


def test_in_explicit_mode_every_record_must_be_acknowledged_before_the_next_poll(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs")
    first, second = records(worker.poll())
    worker.acknowledge(first)
    with pytest.raises(errors.IllegalStateError, match="acknowledged"):
        worker.poll()
    worker.acknowledge(second)
    assert worker.poll() == {}


def test_in_explicit_mode_a_commit_sends_what_was_acknowledged_so_far(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs")
    first, *_ = records(worker.poll())
    worker.acknowledge(first)
    assert worker.commit_sync() == {TP: None}
    assert worker.commit_sync() == {}
    worker.close()
    assert offsets(consumer("jobs").poll()) == [1, 2]


# By topic, partition and offset --------------------------------------------------------------------------------------


def test_a_record_can_be_acknowledged_by_its_place(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 4)
    worker = consumer("jobs")
    worker.poll()
    worker.acknowledge("jobs", 0, 0)
    worker.acknowledge("jobs", 0, 1, RELEASE)
    worker.acknowledge("jobs", 0, 2, type=REJECT)
    worker.acknowledge(topic="jobs", partition=0, offset=3)
    assert offsets(worker.poll()) == [1]


@pytest.mark.parametrize(
    "arguments", [(), ("jobs",), ("jobs", 0), ("jobs", 0, 0, ACCEPT, 5), (None, 0, 0), (7, ACCEPT)], ids=str
)
def test_anything_else_is_a_type_error(
    kafka: EmbeddedKafka, consumer: ShareConsumers, arguments: tuple[object]
) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    worker.poll()
    with pytest.raises(TypeError):
        worker.acknowledge(*arguments)  # type: ignore[call-overload]
    worker.acknowledge("jobs", 0, 0)


@pytest.mark.parametrize("type_", [0, 5, -1])
def test_only_kafkas_four_types_are_taken(kafka: EmbeddedKafka, consumer: ShareConsumers, type_: int) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    (record,) = records(worker.poll())
    with pytest.raises(ValueError, match="AcknowledgeType"):
        worker.acknowledge(record, type_)
    worker.acknowledge(record)


def test_a_record_of_another_consumer_cannot_be_acknowledged(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker, other = consumer("jobs"), consumer("jobs")
    (record,) = records(worker.poll())
    other.poll()
    with pytest.raises(errors.IllegalStateError, match="jobs-0"):
        other.acknowledge(record)
    worker.acknowledge(record)


def test_a_committed_record_cannot_be_acknowledged_again(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 2)
    worker = consumer("jobs")
    first, second = records(worker.poll())
    worker.acknowledge(first)
    worker.commit_sync()
    with pytest.raises(errors.IllegalStateError, match="offset 0 of jobs-0"):
        worker.acknowledge(first)
    worker.acknowledge(second)


# The callback --------------------------------------------------------------------------------------------------------


def test_the_callback_learns_partitions_offsets_and_errors(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    kafka.create_topic("jobs", 2)
    send(kafka, "jobs", 2, partition=0)
    send(kafka, "jobs", 1, partition=1)
    told: list[object] = []
    worker = consumer("jobs")
    worker.set_acknowledgement_commit_callback(lambda acknowledged, error: told.append((acknowledged, error)))
    acknowledge_all(worker, worker.poll())
    worker.commit_async()
    assert told == []
    worker.poll()
    assert sorted(told, key=str) == [({TP: {0, 1}}, None), ({TopicPartition("jobs", 1): {0}}, None)]


def test_commit_sync_calls_the_callback_before_it_returns(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    told: list[object] = []
    worker = consumer("jobs")
    worker.set_acknowledgement_commit_callback(lambda *args: told.append(args))
    polled = worker.poll()
    kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
    acknowledge_all(worker, polled)
    worker.commit_sync()
    ((acknowledged, error),) = told  # type: ignore[misc]
    assert acknowledged == {TP: {0}}
    assert isinstance(error, errors.InvalidRecordStateError)


def test_close_calls_the_callback(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    told: list[object] = []
    worker = consumer("jobs")
    worker.set_acknowledgement_commit_callback(lambda *args: told.append(args))
    acknowledge_all(worker, worker.poll())
    worker.close()
    assert told == [({TP: {0}}, None)]


def test_a_callback_cannot_use_the_consumer(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    refused: list[Exception] = []

    def call_back(*_: object) -> None:
        for use in (worker.poll, worker.commit_sync, lambda: worker.acknowledge("jobs", 0, 0)):
            with pytest.raises(errors.IllegalStateError, match="callback") as caught:
                use()
            refused.append(caught.value)

    worker.set_acknowledgement_commit_callback(call_back)
    acknowledge_all(worker, worker.poll())
    worker.commit_sync()
    assert len(refused) == 3


def test_what_a_callback_raises_comes_out_of_the_call_that_called_it(
    kafka: EmbeddedKafka, consumer: ShareConsumers
) -> None:
    send(kafka, "jobs", 1)
    worker = consumer("jobs")
    worker.set_acknowledgement_commit_callback(lambda *_: 1 // 0)
    acknowledge_all(worker, worker.poll())
    with pytest.raises(errors.KafkaError, match="ZeroDivisionError"):
        worker.commit_sync()
    assert worker.poll() == {}


def test_a_callback_that_was_taken_back_is_not_called(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 1)
    told: list[object] = []
    worker = consumer("jobs")
    worker.set_acknowledgement_commit_callback(lambda *args: told.append(args))
    acknowledge_all(worker, worker.poll())
    worker.commit_async()
    worker.set_acknowledgement_commit_callback(None)
    worker.poll()
    assert told == []
