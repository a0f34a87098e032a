"""Illegal input: each with its own error, and nothing changed by it."""

from __future__ import annotations

import math

import pytest
from client.consumer.records import Consumers, numbers, send, values

from embedkafka import EmbeddedKafka, KafkaConsumer, OffsetAndMetadata, TopicPartition, errors
from embedkafka.client.serializers import JsonSerializer

TP = TopicPartition("t", 0)


@pytest.mark.parametrize("timeout_ms", [-1, -0.5, math.nan])
def test_a_negative_timeout(kafka: EmbeddedKafka, consumer: Consumers, timeout_ms: float) -> None:
    with pytest.raises(ValueError, match="timeout_ms"):
        consumer("t").poll(timeout_ms)


@pytest.mark.parametrize("timeout_ms", ["1", None, True])
def test_a_timeout_that_is_no_number(kafka: EmbeddedKafka, consumer: Consumers, timeout_ms: object) -> None:
    with pytest.raises(TypeError, match="timeout_ms"):
        consumer("t").poll(timeout_ms)


@pytest.mark.parametrize(
    ("max_records", "error"), [(0, ValueError), (-3, ValueError), (1.5, TypeError), ("9", TypeError)]
)
def test_a_number_of_records_that_cannot_be(
    kafka: EmbeddedKafka, consumer: Consumers, max_records: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match="max_records"):
        consumer("t").poll(0, max_records=max_records)


@pytest.mark.parametrize("topics", ["t", 7, {"t": 1}])
def test_topics_that_are_no_list(kafka: EmbeddedKafka, consumer: Consumers, topics: object) -> None:
    client = consumer()
    with pytest.raises(TypeError):
        client.subscribe(topics)
    assert client.subscription() is None


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "ä", "x" * 250])
def test_topic_names_that_are_illegal(kafka: EmbeddedKafka, consumer: Consumers, name: str) -> None:
    client = consumer()
    with pytest.raises(ValueError, match="topic"):
        client.subscribe([name])
    assert client.subscription() is None


def test_subscribing_to_nothing_or_in_two_ways(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    with pytest.raises(ValueError, match="topics or a pattern"):
        client.subscribe()
    with pytest.raises(errors.IllegalStateError):
        client.subscribe(["t"], pattern="t")
    client.assign([TP])
    with pytest.raises(errors.IllegalStateError):
        client.subscribe(["t"])
    assert client.assignment() == {TP}


def test_a_listener_that_is_none(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    with pytest.raises(TypeError, match="listener"):
        client.subscribe(["t"], listener=print)
    assert client.subscription() is None


def test_assigning_what_is_no_partition(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    for wrong in ("t", ("t", 0), None):
        with pytest.raises(TypeError, match="TopicPartition"):
            client.assign([wrong])
    assert client.assignment() == set()


def test_positions_of_what_is_no_partition_or_not_assigned(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    for method in (client.position, client.highwater, client.lag, client.pause):
        with pytest.raises(TypeError):
            method(("t", 0))
        with pytest.raises(errors.IllegalStateError):
            method(TP)
    for method in (client.seek_to_beginning, client.seek_to_end):
        with pytest.raises(TypeError):
            method(("t", 0))
        with pytest.raises(ValueError, match="not assigned"):
            method(TP)
        with pytest.raises(ValueError, match="no partitions"):
            method()
    with pytest.raises(ValueError, match="not assigned"):
        client.seek(TP, 0)


@pytest.mark.parametrize("offset", [-1, 1.5, "1", None, True])
def test_an_offset_that_cannot_be(kafka: EmbeddedKafka, consumer: Consumers, offset: object) -> None:
    client = consumer()
    client.assign([TP])
    client.seek(TP, 0)
    with pytest.raises(ValueError, match="offset"):
        client.seek(TP, offset)
    assert client.position(TP) == 0


def test_offsets_to_commit_of_the_wrong_type(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    for wrong in ({TP: 5}, {("t", 0): OffsetAndMetadata(5, "", -1)}):
        with pytest.raises(TypeError, match="OffsetAndMetadata"):
            client.commit(wrong)
        with pytest.raises(TypeError, match="OffsetAndMetadata"):
            client.commit_async(wrong)
    with pytest.raises(ValueError, match="offset"):
        client.commit({TP: OffsetAndMetadata(-5, "", -1)})
    assert client.committed(TP) is None


def test_committing_without_a_group(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.poll(0)
    for method in (client.commit, client.commit_async, lambda: client.committed(TP)):
        with pytest.raises(errors.IllegalStateError, match="group_id"):
            method()


def test_times_before_the_epoch(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    with pytest.raises(ValueError, match="negative"):
        consumer().offsets_for_times({TP: -5})


def test_every_method_of_a_closed_consumer(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    client.close()
    client.close()  # does nothing
    calls = [
        lambda: client.poll(0),
        lambda: client.subscribe(["t"]),
        lambda: client.assign([TP]),
        client.assignment,
        client.subscription,
        client.unsubscribe,
        lambda: client.seek(TP, 0),
        lambda: client.position(TP),
        client.commit,
        client.commit_async,
        lambda: client.committed(TP),
        lambda: client.end_offsets([TP]),
        client.topics,
        client.paused,
        client.bootstrap,
    ]
    for call in calls:
        with pytest.raises(errors.IllegalStateError, match="closed"):
            call()
    assert not client.bootstrap_connected()


def test_a_consumer_of_a_closed_engine(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", group_id="g")
    client.poll(0)
    kafka.close()
    with pytest.raises(errors.IllegalStateError, match="engine"):
        client.poll(0)
    client.close()


def test_bytes_that_cannot_be_deserialized_name_the_record_and_can_be_passed_over(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    send(kafka, "t", [b"1", b"2", b"no json", b"4"])
    client = consumer("t", value_deserializer=JsonSerializer())
    assert values(client.poll(0)) == [1, 2]
    for _ in range(2):
        with pytest.raises(errors.RecordDeserializationError) as caught:
            client.poll(0)
        assert (caught.value.topic_partition, caught.value.offset) == (TP, 2)
        assert isinstance(caught.value.__cause__, ValueError)
        assert client.position(TP) == 2
    client.seek(TP, 3)
    assert values(client.poll(0)) == [4]


def test_a_loop_over_bytes_that_cannot_be_deserialized_stops_there(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    def picky(data: bytes) -> bytes:
        if data == b"2":
            raise ValueError("mine")
        return data

    send(kafka, "t", numbers(4))
    client = consumer("t", value_deserializer=picky)
    got = []
    with pytest.raises(errors.RecordDeserializationError):
        got.extend(record.value for record in iter(client))
    client.seek(TP, 3)
    assert [record.value for record in client] == [b"3"]


def test_a_key_deserializer_that_fails_too(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    with kafka.producer() as producer:
        producer.send("t", value=b"x", key=b"\xff")
    with pytest.raises(errors.RecordDeserializationError, match="UnicodeDecodeError"):
        consumer("t", key_deserializer=bytes.decode).poll(0)


@pytest.mark.parametrize("cut_to", [1, 20, 60])
def test_fetched_bytes_without_a_whole_batch_are_an_error_and_no_endless_loop(
    kafka: EmbeddedKafka, consumer: Consumers, cut_to: int
) -> None:
    send(kafka, "t", numbers(3))
    port = kafka.engine.ports[0]
    fetch = port.fetch

    def cut(context, request, complete):
        def cut_reply(reply):
            partitions = [p._replace(records=[chunk[:cut_to] for chunk in p.records]) for p in reply.partitions]
            complete(reply._replace(partitions=partitions))

        return fetch(context, request, cut_reply)

    port.fetch = cut
    client = consumer("t")
    with pytest.raises(errors.CorruptRecordError, match="t-0"):
        client.poll(1_000)
    assert client.position(TP) == 0
    del port.fetch
    assert values(client.poll(0)) == numbers(3)


def test_the_default_bootstrap_servers_says_what_to_write_instead() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="embed:"):
        KafkaConsumer("t")
