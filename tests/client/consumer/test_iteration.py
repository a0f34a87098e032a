"""``for record in consumer``."""

from __future__ import annotations

import pytest
from client.consumer.records import Consumers, numbers, send, values

from embedkafka import EmbeddedKafka, OffsetAndMetadata, TopicPartition
from embedkafka.errors import WakeupError

TP = TopicPartition("t", 0)


def test_iteration_ends_when_nothing_came_for_consumer_timeout_ms(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    client = consumer("t", consumer_timeout_ms=700)
    began_ms = kafka.clock.monotonic_ms()
    assert [record.value for record in client] == numbers(3)
    assert kafka.clock.monotonic_ms() - began_ms == 700


def test_a_second_loop_goes_on_where_the_first_was_left(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(10))
    client = consumer("t")
    for record in client:
        if record.value == b"3":
            break
    assert [record.value for record in client] == numbers(6, start=4)


def test_a_loop_can_be_taken_up_again_after_its_end(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(2))
    client = consumer("t")
    assert len(list(client)) == 2
    send(kafka, "t", numbers(3, start=2))
    assert [record.value for record in client] == numbers(3, start=2)


def test_next_goes_on_after_a_loop_has_ended(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(2))
    client = consumer("t")
    assert len(list(client)) == 2
    send(kafka, "t", numbers(1, start=2))
    assert next(client).value == b"2"


def test_next_goes_on_after_an_error(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(1))
    client = consumer("t")
    client.wakeup()
    with pytest.raises(WakeupError):
        next(client)
    assert next(client).value == b"0"


def test_next_gives_one_record_after_the_other(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(2))
    client = consumer("t")
    assert next(client).value == b"0"
    assert next(client).value == b"1"
    with pytest.raises(StopIteration):
        next(client)
    send(kafka, "t", numbers(1, start=2))
    assert next(client).value == b"2"


def test_the_position_is_behind_the_record_the_loop_has(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(10))
    client = consumer("t")
    assert [client.position(TP) for _ in client] == list(range(1, 11))


def test_a_commit_inside_the_loop_commits_what_the_loop_has_got(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(10))
    client = consumer("t", group_id="g", enable_auto_commit=False)
    for record in client:
        if record.offset == 3:
            client.commit()
            break
    assert client.committed(TP) == 4


def test_closing_inside_the_loop_commits_what_the_loop_has_got(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(10))
    client = consumer("t", group_id="g")
    for record in client:
        if record.offset == 5:
            client.close()
    assert kafka.admin().list_group_offsets("g") == {"g": {TP: OffsetAndMetadata(6, "", 0)}}


def test_a_seek_inside_the_loop_is_followed_at_once(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(6))
    client = consumer("t")
    got = []
    for record in client:
        got.append(record.offset)
        if got == [0, 1]:
            client.seek(TP, 4)
    assert got == [0, 1, 4, 5]


def test_a_pause_inside_the_loop_is_followed_at_once_and_loses_nothing(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    send(kafka, "t", numbers(6))
    client = consumer("t")
    for record in client:
        if record.offset == 1:
            client.pause(TP)
    assert client.position(TP) == 2
    client.resume(TP)
    assert [record.offset for record in client] == [2, 3, 4, 5]


def test_poll_after_a_loop_goes_on_where_it_was_left(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(6))
    client = consumer("t")
    assert next(client).value == b"0"
    assert values(client.poll(0)) == numbers(5, start=1)


def test_a_loop_after_a_poll_goes_on_where_it_was_left(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(6))
    client = consumer("t")
    assert values(client.poll(0, max_records=2)) == numbers(2)
    assert [record.value for record in client] == numbers(4, start=2)


def test_a_closed_consumer_has_nothing_more_to_iterate(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(6))
    client = consumer("t")
    client.close()
    assert list(client) == []
    with pytest.raises(StopIteration):
        next(client)


def test_several_partitions_are_all_walked_through(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    for partition in range(4):
        send(kafka, "t", numbers(1_200, start=1_200 * partition), partition=partition)
    assert sorted(int(record.value) for record in consumer("t")) == list(range(4_800))
