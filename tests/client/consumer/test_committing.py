"""Committed offsets: by hand, by callback, automatically, fenced."""

from __future__ import annotations

import contextlib

import pytest
from client.consumer.records import Consumers, numbers, poll_in_turn, send, values

from embedkafka import EmbeddedKafka, OffsetAndMetadata, TopicPartition, errors

TP = TopicPartition("t", 0)


def committed(kafka: EmbeddedKafka, group_id: str = "g") -> dict[TopicPartition, OffsetAndMetadata]:
    return kafka.admin().list_group_offsets(group_id)[group_id]


def test_commit_commits_the_positions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g", enable_auto_commit=False)
    client.poll(0, max_records=2)
    assert committed(kafka) == {}
    client.commit()
    assert committed(kafka) == {TP: OffsetAndMetadata(2, "", 0)}
    assert client.committed(TP) == 2


def test_commit_takes_offsets_with_metadata(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g")
    client.poll(0)
    client.commit({TP: OffsetAndMetadata(3, "three", -1)})
    assert client.committed(TP, metadata=True) == OffsetAndMetadata(3, "three", -1)


def test_nothing_committed_is_none(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t")
    client = consumer(group_id="g")
    assert client.committed(TP) is None
    assert client.committed(TP, metadata=True) is None


def test_a_consumer_with_assigned_partitions_commits_too(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    client = consumer(group_id="g", enable_auto_commit=False)
    client.assign([TP])
    client.poll(0)
    client.commit()
    assert client.committed(TP) == 5


def test_commit_async_commits_and_calls_back_in_a_later_call(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g", enable_auto_commit=False)
    client.poll(0)
    calls = []
    future = client.commit_async(callback=lambda offsets, response: calls.append((offsets, response)))
    assert future.is_done
    assert future.succeeded()
    assert client.committed(TP) == 5
    assert calls == []
    client.poll(0)
    assert calls == [({TP: OffsetAndMetadata(5, "", 0)}, None)]


def test_commit_async_hands_its_error_to_the_callback_and_the_future(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    calls = []
    future = client.commit_async({TP: OffsetAndMetadata(1, "x" * 5_000, -1)}, callback=lambda *call: calls.append(call))
    assert isinstance(future.exception, errors.OffsetMetadataTooLargeError)
    client.close()
    ((_, error),) = calls
    assert error is future.exception


def test_auto_commit_commits_at_the_interval(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g", auto_commit_interval_ms=5_000)
    client.poll(0)
    client.poll(4_900)
    assert committed(kafka) == {}
    client.poll(200)
    assert committed(kafka) == {TP: OffsetAndMetadata(5, "", 0)}


def test_an_auto_commit_that_failed_for_now_is_tried_again_soon(
    kafka: EmbeddedKafka, consumer: Consumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g", auto_commit_interval_ms=5_000, retry_backoff_ms=100)
    client.poll(0)
    loading = errors.CoordinatorLoadInProgressError.errno
    with monkeypatch.context() as patched:
        patched.setattr(client._membership, "commit", lambda offsets: dict.fromkeys(offsets, loading))
        client.poll(5_001)
    assert committed(kafka) == {}
    client.poll(150)
    assert committed(kafka) == {TP: OffsetAndMetadata(5, "", 0)}


def test_auto_commit_commits_on_close_only_when_asked(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    for autocommit, expected in ((False, {}), (True, {TP: OffsetAndMetadata(5, "", 0)})):
        client = consumer("t", group_id="g")
        client.poll(0)
        client.close(autocommit=autocommit)
        assert committed(kafka) == expected


def test_leaving_a_with_block_by_an_error_commits_nothing(kafka: EmbeddedKafka) -> None:
    send(kafka, "t", numbers(5))
    client = kafka.consumer("t", group_id="g", auto_offset_reset="earliest")
    with contextlib.suppress(ValueError), client:
        client.poll(0)
        raise ValueError("mine")
    assert committed(kafka) == {}


def test_auto_commit_commits_before_partitions_move(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    first = consumer("t", group_id="g")
    assert values(first.poll(0)) == numbers(5)
    second = consumer("t", group_id="g")
    poll_in_turn(second, first)
    assert committed(kafka) == {TP: OffsetAndMetadata(5, "", 0)}


def test_default_offset_commit_callback_hears_of_auto_commits(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    calls = []
    send(kafka, "t", numbers(5))
    client = consumer(
        "t",
        group_id="g",
        auto_commit_interval_ms=100,
        default_offset_commit_callback=lambda offsets, response: calls.append((offsets, response)),
    )
    client.poll(0)
    client.poll(150)
    client.poll(0)
    assert calls[0] == ({TP: OffsetAndMetadata(5, "", 0)}, None)


def test_a_member_that_was_left_behind_cannot_commit(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    first = consumer("t", group_id="g", enable_auto_commit=False, max_poll_interval_ms=1_000)
    first.poll(0)
    second = consumer("t", group_id="g", enable_auto_commit=False)
    while not second.assignment():
        second.poll(100)
    with pytest.raises(errors.CommitFailedError):
        first.commit()
    assert committed(kafka) == {}


def test_a_member_whose_instance_id_was_taken_cannot_commit(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(5))
    first = consumer("t", group_id="g", group_instance_id="a", enable_auto_commit=False)
    first.poll(0)
    consumer("t", group_id="g", group_instance_id="a").poll(0)
    for _ in range(2):
        with pytest.raises(errors.FencedInstanceIdError):
            first.commit()
        with pytest.raises(errors.FencedInstanceIdError):
            first.poll(0)
    assert committed(kafka) == {}


def test_a_commit_from_outside_a_group_with_members_fails(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    consumer("t", group_id="g").poll(0)
    outside = consumer(group_id="g")
    outside.assign([TP])
    with pytest.raises(errors.CommitFailedError):
        outside.commit({TP: OffsetAndMetadata(1, "", -1)})


def test_a_commit_for_a_topic_that_is_not_there_times_out(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    began_ms = kafka.clock.monotonic_ms()
    with pytest.raises(errors.KafkaTimeoutError):
        client.commit({TopicPartition("nowhere", 0): OffsetAndMetadata(1, "", -1)}, timeout_ms=700)
    assert kafka.clock.monotonic_ms() - began_ms == 700
    assert committed(kafka) == {}


def test_committed_offsets_survive_the_group_and_are_where_the_next_consumer_begins(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    send(kafka, "t", numbers(5))
    client = consumer("t", group_id="g")
    client.poll(0, max_records=2)
    client.close()
    assert values(consumer("t", group_id="g").poll(0)) == numbers(3, start=2)


def test_a_commit_sees_records_that_were_only_just_sent(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    with kafka.producer(linger_ms=60_000) as producer:
        producer.send("t", value=b"x")
        assert values(client.poll(0)) == [b"x"]
        client.commit()
    assert client.committed(TP) == 1


def test_a_deleted_topic_does_not_hold_up_auto_commit(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    for topic in ("kept", "gone"):
        send(kafka, topic, numbers(2))
    client = consumer(group_id="g", auto_commit_interval_ms=100)
    client.subscribe(pattern="kept|gone")
    assert len(values(client.poll(0))) == 4
    kafka.admin().delete_topics(["gone"])
    before_ms = kafka.clock.now_ms()
    client.poll(50)
    assert kafka.clock.now_ms() - before_ms == 50
    assert client.committed(TopicPartition("kept", 0)) == 2
