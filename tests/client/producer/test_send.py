"""What ``send`` takes, refuses and gives back."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

import pytest

from embedkafka import EmbeddedKafka, KafkaProducer, ProducerRecord, TopicPartition
from embedkafka.client.partitioners import DefaultPartitioner, RoundRobinPartitioner
from embedkafka.client.serializers import IntegerSerializer, JsonSerializer, MsgpackSerializer, StringSerializer
from embedkafka.errors import (
    IllegalStateError,
    KafkaStorageError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from embedkafka.record import murmur2


def test_arguments_are_taken_by_position_as_in_kafka_python(world: Any) -> None:
    metadata = world.producer().send("t", b"value", b"key", [("h", b"x")], 0, 1234).get()
    assert metadata == ("t", 0, TopicPartition("t", 0), 0, 1234, None, 3, 5, 2)
    ((_, (record,)),) = world.batches()
    assert (record.timestamp, record.key, record.value, record.headers) == (1234, b"key", b"value", [("h", b"x")])


def test_a_producer_record_takes_the_place_of_the_arguments(world: Any) -> None:
    future = world.producer().send(ProducerRecord("t", value=b"v", key=b"k", headers=[("h", None)], timestamp_ms=7))
    assert future.get().timestamp == 7
    ((_, (record,)),) = world.batches()
    assert (record.key, record.value, record.headers) == (b"k", b"v", [("h", None)])


def test_offsets_count_up_over_batches(world: Any) -> None:
    producer = world.producer()
    futures = [producer.send("t", b"x" * 1000) for _ in range(100)]
    producer.flush()
    assert [future.value.offset for future in futures] == list(range(100))
    assert len(world.batches()) > 5


def test_buffers_of_any_kind_are_bytes(world: Any) -> None:
    producer = world.producer()
    producer.send("t", bytearray(b"a"), memoryview(b"b")).get()
    ((_, (record,)),) = world.batches()
    assert (record.key, record.value) == (b"b", b"a")


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (ValueError, {"value": None}),
        (TypeError, {"value": 7}),
        (TypeError, {"value": "text"}),
        (TypeError, {"value": b"v", "key": "text"}),
        (TypeError, {"value": b"v", "headers": ["x"]}),
        (TypeError, {"value": b"v", "headers": [("x", "text")]}),
        (TypeError, {"value": b"v", "headers": {"x": b"y"}}),
        (ValueError, {"value": b"v", "partition": 7}),
        (ValueError, {"value": b"v", "partition": -1}),
        (TypeError, {"value": b"v", "partition": "0"}),
        (TypeError, {"value": b"v", "timestamp_ms": "now"}),
        (TypeError, {"value": b"v", "timestamp_ms": 12.7}),
        (TypeError, {"value": b"v", "timestamp_ms": True}),
        (ValueError, {"value": b"v", "timestamp_ms": 2**63}),
        (ValueError, {"value": b"v", "timestamp_ms": -(2**64)}),
        (MessageSizeTooLargeError, {"value": b"v" * 1_048_577}),
    ],
)
def test_bad_arguments_are_refused_and_nothing_is_sent(world: Any, error: type[Exception], arguments: Any) -> None:
    producer = world.producer()
    producer.send("t", b"before")
    with pytest.raises(error):
        producer.send("t", **arguments)
    producer.send("t", b"after")
    producer.flush()
    assert world.values() == [b"before", b"after"]


@pytest.mark.parametrize("topic", ["a b", "", "..", "x" * 250])
def test_an_illegal_topic_is_a_value_error_as_in_kafka_python(world: Any, topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        world.producer().send(topic, b"v")


def test_a_topic_that_is_no_text_is_a_type_error(world: Any) -> None:
    for topic in (None, 7, b"t", ["t"]):
        with pytest.raises(TypeError):
            world.producer().send(topic, b"v")


def test_a_topic_that_never_comes_is_a_timeout(world: Any) -> None:
    producer = world.producer(allow_auto_create_topics=False, max_block_ms=500)
    before = world.clock.monotonic_ms()
    with pytest.raises(KafkaTimeoutError, match="nowhere"):
        producer.send("nowhere", b"v")
    assert world.clock.monotonic_ms() == before + 500


def test_a_record_over_the_topics_limit_fails_visibly(world: Any) -> None:
    world.create("small", **{"max.message.bytes": "2000"})
    producer = world.producer()
    future = producer.send("small", b"x" * 3000)
    with pytest.raises((MessageSizeTooLargeError, RecordListTooLargeError)):
        future.get()
    assert future.failed()
    assert producer.send("small", b"y").get().offset == 0


def test_a_deleted_topic_fails_its_records_after_the_delivery_timeout(world: Any) -> None:
    world.create("gone")
    producer = world.producer(delivery_timeout_ms=1_000, allow_auto_create_topics=False)
    future = producer.send("gone", b"v")
    world.engine.ports[0].delete_topics(producer._link.context, ["gone"])
    with pytest.raises((KafkaTimeoutError, UnknownTopicOrPartitionError)):
        future.get(timeout=10)


def test_new_partitions_are_used_at_once(world: Any) -> None:
    from embedkafka.broker.api import NewPartitionsSpec

    world.create("t", 1)
    producer = world.producer()
    producer.send("t", b"v", b"k").get()
    world.engine.ports[0].create_partitions(producer._link.context, [NewPartitionsSpec("t", 3)])
    assert producer.partitions_for("t") == {0, 1, 2}
    assert {producer.send("t", b"v", b"%d" % n).get().partition for n in range(30)} == {0, 1, 2}


def test_a_closed_producer_refuses(world: Any) -> None:
    producer = world.producer()
    producer.send("t", b"v")
    producer.close()
    producer.close()
    for call in (lambda: producer.send("t", b"v"), producer.flush, lambda: producer.partitions_for("t")):
        with pytest.raises(IllegalStateError):
            call()


def test_a_producer_of_a_closed_engine_refuses() -> None:
    kafka = EmbeddedKafka()
    producer = KafkaProducer(bootstrap_servers=kafka)
    future = producer.send("t", b"v")
    kafka.close()
    assert future.succeeded()
    with pytest.raises(IllegalStateError):
        producer.send("t", b"v")
    producer.close()


# -- partitions --------------------------------------------------------------------------------------------------------


def test_equal_keys_go_to_javas_partition(world: Any) -> None:
    world.create("t", 7)
    producer = world.producer()
    for number in range(40):
        key = b"key-%d" % number
        assert producer.send("t", b"v", key).get().partition == (murmur2(key) & 0x7FFFFFFF) % 7


def test_null_keys_stay_in_a_partition_for_about_a_batch_and_reach_all(world: Any) -> None:
    world.create("t", 4)
    producer = world.producer(batch_size=2_000)
    futures = [producer.send("t", b"x" * 100) for _ in range(600)]
    producer.flush()
    partitions = [future.value.partition for future in futures]
    changes = sum(a != b for a, b in itertools.pairwise(partitions))
    assert set(partitions) == {0, 1, 2, 3}
    assert 30 <= changes <= 40, "about one per full batch of 17 records"
    assert all(len(records) > 10 for partition in range(4) for _, records in world.batches("t", partition)[:-1])


def test_round_robin_takes_every_partition_in_turn(world: Any) -> None:
    world.create("t", 3)
    producer = world.producer(partitioner=RoundRobinPartitioner())
    assert [producer.send("t", b"v", b"same").get().partition for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_a_partitioner_is_asked_with_kafka_pythons_arguments(world: Any) -> None:
    calls = []

    class Mine:
        def partition(self, *arguments: Any) -> int:
            calls.append(arguments)
            return 2

    world.create("t", 3)
    producer = world.producer(partitioner=Mine(), key_serializer=str.encode, value_serializer=str.encode)
    assert producer.send("t", "value", "key").get().partition == 2
    ((topic, key, key_bytes, value, value_bytes, cluster),) = calls
    assert (topic, key, key_bytes, value, value_bytes) == ("t", "key", b"key", "value", b"value")
    assert cluster.partitions_for_topic("t") == cluster.available_partitions_for_topic("t") == {0, 1, 2}
    assert cluster.partitions_for_topic("unknown") is None
    assert "t" in cluster.topics()


def test_a_callable_partitioner_is_asked_as_kafka_python_2_did(world: Any) -> None:
    calls = []

    def choose(key: bytes | None, every: list[int], available: list[int]) -> int:
        calls.append((key, every, available))
        return every[-1]

    world.create("t", 3)
    assert world.producer(partitioner=choose).send("t", b"v", b"k").get().partition == 2
    assert calls == [(b"k", [0, 1, 2], [0, 1, 2])]


def test_a_partitioner_that_chooses_none_is_an_error(world: Any) -> None:
    producer = world.producer(partitioner=lambda *arguments: None)
    with pytest.raises(ValueError, match="chose no partition"):
        producer.send("t", b"v")


@pytest.mark.parametrize("chosen", ["1", 1.5, b"0"])
def test_a_partitioner_that_chooses_no_int_is_an_error(world: Any, chosen: object) -> None:
    producer = world.producer(partitioner=lambda *arguments: chosen)
    with pytest.raises(TypeError, match="chose"):
        producer.send("t", b"v")


def test_an_explicit_partition_goes_before_the_partitioner(world: Any) -> None:
    world.create("t", 3)
    producer = world.producer(partitioner=lambda *arguments: 2)
    assert producer.send("t", b"v", partition=1).get().partition == 1


def test_the_default_partitioner_can_be_called(world: Any) -> None:
    world.create("t", 3)
    cluster = world.producer()._cluster
    partitioner = DefaultPartitioner()
    assert partitioner.partition("t", None, b"k", None, None, cluster) == (murmur2(b"k") & 0x7FFFFFFF) % 3
    assert {partitioner.partition("t", None, None, None, None, cluster) for _ in range(3)} == {0, 1, 2}
    with pytest.raises(ValueError, match="unknown"):
        partitioner.partition("unknown", None, None, None, None, cluster)


# -- serializers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serializer", "given", "expected"),
    [
        (StringSerializer(), "ä", "ä".encode()),
        (StringSerializer("latin-1"), "ä", b"\xe4"),
        (JsonSerializer(), {"a": [1, "ä"]}, '{"a":[1,"ä"]}'.encode()),
        (IntegerSerializer(), -2, b"\xff\xff\xff\xfe"),
        (IntegerSerializer(8), 1, b"\0\0\0\0\0\0\0\1"),
        (MsgpackSerializer(), {"a": [1, b"x"]}, b"\x81\xa1a\x92\x01\xc4\x01x"),
        (str, 5, "TypeError"),
        (lambda value: b"<" + value + b">", b"x", b"<x>"),
        (StringSerializer, "x", b"x"),
    ],
)
def test_values_go_through_their_serializer(world: Any, serializer: Any, given: Any, expected: Any) -> None:
    producer = world.producer(value_serializer=serializer)
    if expected == "TypeError":
        with pytest.raises(TypeError):
            producer.send("t", given)
        return
    producer.send("t", given, b"k").get()
    producer.send("t", given).get()
    assert world.values() == [expected, expected]
    if hasattr(serializer, "deserialize") and not isinstance(serializer, type):
        assert serializer.deserialize("t", [], expected) == given
        assert serializer.deserialize("t", [], None) is None
        assert serializer.serialize("t", [], None) is None


def test_a_failing_serializer_raises_and_sends_nothing(world: Any) -> None:
    producer = world.producer(value_serializer=StringSerializer())
    producer.send("t", "fine")
    with pytest.raises(TypeError):
        producer.send("t", 7)
    producer.flush()
    assert world.values() == [b"fine"]


def test_a_serializer_that_makes_no_bytes_is_named(world: Any) -> None:
    with pytest.raises(TypeError, match="value_serializer"):
        world.producer(value_serializer=lambda value: 7).send("t", b"v")


def test_a_serializer_sees_topic_and_headers(world: Any) -> None:
    class Topical:
        closed = 0

        def serialize(self, topic: str, headers: Any, data: Any) -> bytes:
            return f"{topic} {headers} {data}".encode()

        def close(self) -> None:
            self.closed += 1

    serializer = Topical()
    producer = world.producer(value_serializer=serializer)
    producer.send("t", 1)
    producer.send("t", 2, headers=[("h", b"x")])
    producer.close()
    assert world.values() == [b"t [] 1", b"t [('h', b'x')] 2"]
    assert serializer.closed == 1


@pytest.mark.parametrize("bad", [b"\0\0\0", b"\0" * 5])
def test_an_integer_of_another_size_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        IntegerSerializer().deserialize("t", [], bad)


# -- futures -----------------------------------------------------------------------------------------------------------


def test_callbacks_run_in_offset_order_before_flush_returns(world: Any) -> None:
    producer = world.producer()
    seen: list[Any] = []
    futures = [producer.send("t", b"%d" % number) for number in range(5)]
    for future in reversed(futures):
        future.add_callback(lambda tag, metadata: seen.append((tag, metadata.offset)), "x")
    producer.flush()
    assert seen == [("x", offset) for offset in range(5)]


def test_callbacks_run_before_flush_and_get_return_with_a_housekeeping_thread() -> None:
    with EmbeddedKafka() as kafka, KafkaProducer(bootstrap_servers=kafka) as producer:
        seen: list[Any] = []
        for number in range(20):
            producer.send("t", b"%d" % number).add_callback(
                lambda metadata: seen.append((metadata.offset, threading.current_thread().name))
            )
        producer.flush()
        assert [offset for offset, _ in seen] == list(range(20))
        assert {name for _, name in seen} == {"embedkafka-housekeeping"}
        producer.send("t", b"v").add_callback(lambda metadata: seen.append("got")).get(timeout=10)
        assert seen[-1] == "got"


def test_a_callback_added_afterwards_runs_at_once(world: Any) -> None:
    future = world.producer().send("t", b"v")
    metadata = future.get()
    seen: list[Any] = []
    assert future.add_callback(seen.append).add_errback(seen.append).add_both(seen.append) is future
    assert seen == [metadata, metadata]


def test_a_callback_may_send_flush_and_wait(world: Any) -> None:
    producer = world.producer()
    seen: list[Any] = []

    def again(metadata: Any) -> None:
        if metadata.offset < 3:
            producer.send("t", b"again").add_callback(again)
            producer.flush()
            seen.append(producer.send("u", b"v").get(timeout=1).offset)

    producer.send("t", b"first").add_callback(again)
    producer.flush()
    assert world.values() == [b"first", b"again", b"again", b"again"]
    assert seen == [0, 1, 2]


def test_a_callback_may_wait_on_a_housekeeping_thread() -> None:
    with EmbeddedKafka() as kafka, KafkaProducer(bootstrap_servers=kafka) as producer:
        seen: list[Any] = []

        def again(metadata: Any) -> None:
            inner = producer.send("u", b"v").add_callback(lambda m: seen.append("inner callback"))
            seen.append(inner.get(timeout=10).offset)
            producer.flush(timeout=10)

        producer.send("t", b"v").add_callback(again).get(timeout=10)
        producer.flush(timeout=10)
        assert sorted(map(str, seen)) == ["0", "inner callback"]


def test_a_failing_callback_does_not_disturb_the_others(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    producer = world.producer()
    seen: list[Any] = []
    future = producer.send("t", b"v")
    future.add_callback(lambda metadata: 1 / 0)
    future.add_callback(seen.append)
    producer.flush()
    assert seen == [future.value]
    assert "ZeroDivisionError" in caplog.text


def test_a_future_chains_to_another(world: Any) -> None:
    class Other:
        def __init__(self) -> None:
            self.outcome: Any = None

        def success(self, value: Any) -> None:
            self.outcome = value

        def failure(self, error: Any) -> None:
            self.outcome = error

    other = Other()
    future = world.producer().send("t", b"v").chain(other)
    assert other.outcome is None
    assert other.outcome is None
    metadata = future.get()
    assert other.outcome == metadata


def test_a_future_can_be_awaited(world: Any) -> None:
    producer = world.producer()

    async def send() -> Any:
        return [(await producer.send("t", b"v")).offset for _ in range(3)]

    assert asyncio.run(send()) == [0, 1, 2]


def test_many_futures_can_be_awaited_together_beside_a_housekeeping_thread() -> None:
    with EmbeddedKafka() as kafka, KafkaProducer(bootstrap_servers=kafka) as producer:

        async def wait(future: Any) -> int:
            return int((await future).offset)

        async def send() -> Any:
            return await asyncio.gather(*[wait(producer.send("t", b"v")) for _ in range(50)])

        assert sorted(asyncio.run(send())) == list(range(50))


def test_get_gives_up_after_its_timeout(world: Any) -> None:
    from client.producer.conftest import FailingPort

    producer = world.producer()
    producer.send("t", b"v").get()
    port = FailingPort(producer)
    port.answers = ["hold"]
    future = producer.send("t", b"v")
    with pytest.raises(KafkaTimeoutError):
        future.get(timeout=0.25)
    assert not future.is_done
    with pytest.raises(KafkaTimeoutError):
        producer.flush(timeout=0.25)
    port.release()
    assert future.get(timeout=0).offset == 1


def test_a_topic_that_cannot_be_created_is_not_waited_for(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    producer = world.producer()

    def full(*entries: Any) -> None:
        raise KafkaStorageError("no space left on device")

    monkeypatch.setattr(world.engine.catalog, "put_topics", full)
    began_ms = world.clock.now_ms()
    future = producer.send("t", b"v")
    assert isinstance(future.exception, KafkaStorageError)
    assert "no space left" in str(future.exception)
    assert world.clock.now_ms() == began_ms
    monkeypatch.undo()
    assert producer.send("t", b"v").get().offset == 0
