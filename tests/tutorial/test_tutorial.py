"""What the tutorial promises, each promise with a test named after it.

Time is a :class:`ManualClock` where the promise is not about real time, so nothing here waits.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, ManualClock, TopicPartition, errors
from embedkafka.broker.api import PartitionProduceReply


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(clock=ManualClock()) as engine:
        yield engine


def read_all(kafka: EmbeddedKafka, topic: str, group_id: str | None = None) -> list[bytes]:
    """Every value there is, by a consumer of its own."""
    with kafka.consumer(topic, group_id=group_id, auto_offset_reset="earliest", consumer_timeout_ms=0) as consumer:
        return [record.value for record in consumer]


def poll_in_turn(*consumers: KafkaConsumer) -> None:
    """Let every member see the others come and go, on one thread."""
    for _ in range(4):
        for consumer in consumers:
            consumer.poll(0)


def test_null_keys_spread_over_partitions(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 3)
    with kafka.producer(batch_size=200) as producer:
        futures = [producer.send("t", value=b"x" * 50) for _ in range(600)]
        producer.flush()
        used = Counter(future.get(0).partition for future in futures)
    assert set(used) == {0, 1, 2}
    assert min(used.values()) > 100


def test_equal_keys_stay_in_one_partition(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 5)
    with kafka.producer() as producer:
        futures = [(key, producer.send("t", key=key, value=b"x")) for key in (b"a", b"b", b"c", b"d") * 50]
        producer.flush()
        partitions = {(key, future.get(0).partition) for key, future in futures}
    assert len(partitions) == 4
    assert len({partition for _, partition in partitions}) > 1


def test_adding_a_partition_breaks_that_mapping(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 2)
    keys = [b"key-%d" % number for number in range(40)]
    with kafka.producer() as producer, kafka.admin() as admin:
        before = [producer.send("t", key=key, value=b"x").get(0).partition for key in keys]
        admin.create_partitions({"t": 3})
        after = [producer.send("t", key=key, value=b"x").get(0).partition for key in keys]
    assert before != after
    assert set(after) == {0, 1, 2}


def test_reading_removes_nothing(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t")
    with kafka.producer() as producer:
        for number in range(100):
            producer.send("t", value=b"%d" % number)
    first = read_all(kafka, "t")
    assert first == [b"%d" % number for number in range(100)]
    assert read_all(kafka, "t") == first


def test_a_group_of_more_consumers_than_partitions_leaves_the_surplus_idle(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 2)
    consumers = [kafka.consumer("t", group_id="g") for _ in range(3)]
    poll_in_turn(*consumers)
    assert sorted(len(consumer.assignment()) for consumer in consumers) == [0, 1, 1]
    for consumer in consumers:
        consumer.close()


def test_the_surplus_consumer_takes_over_when_one_leaves(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 2)
    consumers = [kafka.consumer("t", group_id="g") for _ in range(3)]
    poll_in_turn(*consumers)
    busy = next(consumer for consumer in consumers if consumer.assignment())
    left = [consumer for consumer in consumers if consumer is not busy]
    busy.close()
    poll_in_turn(*left)
    assert [len(consumer.assignment()) for consumer in left] == [1, 1]
    assert set().union(*(consumer.assignment() for consumer in left)) == {
        TopicPartition("t", 0),
        TopicPartition("t", 1),
    }
    for consumer in left:
        consumer.close()


def test_two_groups_do_not_disturb_each_other(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 2)
    values = [b"%d" % number for number in range(50)]
    with kafka.producer() as producer:
        for value in values:
            producer.send("t", value=value, key=value)
    for group_id in ("billing", "mailing"):
        assert sorted(read_all(kafka, "t", group_id)) == sorted(values)
        assert read_all(kafka, "t", group_id) == []


def test_a_consumer_that_dies_resumes_at_the_committed_offset(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t")
    with kafka.producer() as producer:
        for number in range(10):
            producer.send("t", value=b"%d" % number)
    first = kafka.consumer("t", group_id="g", auto_offset_reset="earliest", enable_auto_commit=False)
    for number, record in enumerate(first):
        assert record.value == b"%d" % number
        if number == 3:
            first.commit()
        if number == 6:
            break
    kafka.kill(first)
    with kafka.consumer("t", group_id="g", auto_offset_reset="earliest") as second:
        resumed = next(second)
    assert resumed.value == b"4"


def test_a_consumer_that_dies_with_its_process_resumes_at_the_committed_offset(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as kafka, kafka.producer() as producer:
        for number in range(10):
            producer.send("t", value=b"%d" % number)
        with kafka.consumer("t", group_id="g", auto_offset_reset="earliest") as consumer:
            assert len(consumer.poll(1_000, max_records=4)[TopicPartition("t", 0)]) == 4
    with EmbeddedKafka(tmp_path) as kafka, kafka.consumer("t", group_id="g") as consumer:
        assert next(consumer).value == b"4"


def test_poll_500_on_an_empty_topic_returns_an_empty_result_after_half_a_second() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        with kafka.consumer("t") as consumer:
            consumer.poll(0)
            began = time.monotonic()
            assert consumer.poll(500) == {}
            took = time.monotonic() - began
    assert 0.5 <= took < 1.5


def test_poll_500_on_an_empty_topic_takes_half_a_second_of_a_manual_clock(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t")
    with kafka.consumer("t") as consumer:
        began_ms = kafka.clock.monotonic_ms()
        assert consumer.poll(500) == {}
        assert kafka.clock.monotonic_ms() - began_ms == 500


def test_a_send_succeeds_visibly(kafka: EmbeddedKafka) -> None:
    with kafka.producer() as producer:
        metadata = producer.send("t", value=b"x").get(0)
    assert (metadata.topic, metadata.partition, metadata.offset) == ("t", 0, 0)


def test_a_send_fails_visibly(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", configs={"max.message.bytes": 100})
    with kafka.producer() as producer:
        future = producer.send("t", value=b"x" * 1_000)
        with pytest.raises(errors.MessageSizeTooLargeError):
            future.get(0)
    assert read_all(kafka, "t") == []


def test_a_failed_send_is_retried(kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    port = type(kafka.engine.ports[0])
    produce, refused = port.produce_sealed, []

    def refuse_once(self, context, topic_partition, batches, acks, complete):
        if refused:
            return produce(self, context, topic_partition, batches, acks, complete)
        refused.append(topic_partition)
        return PartitionProduceReply(topic_partition, errors.NotEnoughReplicasError.errno)

    monkeypatch.setattr(port, "produce_sealed", refuse_once)
    with kafka.producer() as producer:
        assert producer.send("t", value=b"x").get(10).offset == 0
    assert len(refused) == 1
    assert read_all(kafka, "t") == [b"x"]


def test_what_was_sent_is_there_for_a_reader_at_once_without_a_sleep() -> None:
    with (
        EmbeddedKafka() as kafka,
        kafka.producer() as producer,
        kafka.consumer("t", auto_offset_reset="earliest") as consumer,
    ):
        for number in range(20):
            producer.send("t", value=b"%d" % number)
            (record,) = consumer.poll(0)[TopicPartition("t", 0)]
            assert record.value == b"%d" % number


def test_a_waiting_consumer_gets_a_record_from_another_thread() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        with kafka.consumer("t", auto_offset_reset="earliest") as consumer:
            sender = threading.Timer(0.05, lambda: KafkaProducer(bootstrap_servers=kafka).send("t", value=b"x").get(5))
            sender.start()
            began = time.monotonic()
            (records,) = consumer.poll(10_000).values()
            sender.join()
    assert [record.value for record in records] == [b"x"]
    assert time.monotonic() - began < 5
