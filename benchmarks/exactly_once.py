"""Consume, transform, produce: exactly once (a transaction per poll) beside at least once (a commit per poll)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import _peers
from benchmarks._data import Workload, workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, engine, fill, producer
from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

EXACTLY = "exactly once"
AT_LEAST = "at least once"
PEER_EXACTLY = f"{_peers.CONFLUENT}, {EXACTLY}"
PEER_AT_LEAST = f"{_peers.CONFLUENT}, {AT_LEAST}"
OUTPUT = "output"
GROUP = "pipeline"
POLL = 500


def transform(value: bytes) -> bytes:
    return value[::-1]


@contextlib.contextmanager
def _input(directory: Path, work: Workload) -> Iterator[EmbeddedKafka]:
    with engine(directory) as kafka:
        fill(kafka, work)
        kafka.create_topic(OUTPUT, 1)
        yield kafka


def _consumer(kafka: EmbeddedKafka) -> KafkaConsumer:
    return kafka.consumer(
        TOPIC,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_poll_records=POLL,
    )


def _check(kafka: EmbeddedKafka, work: Workload, who: str) -> None:
    with kafka.consumer(auto_offset_reset="earliest", isolation_level="read_committed") as client:
        client.assign([TopicPartition(OUTPUT, 0)])
        values: list[bytes] = []
        while polled := client.poll(timeout_ms=0):
            values += [transform(record.value) for records in polled.values() for record in records]
        work.check(values, who)


def exactly_once(count: int) -> Sample:
    def step(client: KafkaProducer, consumer: KafkaConsumer) -> int:
        polled = consumer.poll(timeout_ms=5_000)
        client.begin_transaction()
        done = _send_all(client, polled)
        client.send_offsets_to_transaction(_next_offsets(polled), consumer.group_metadata())
        client.commit_transaction()
        return done

    return _run(count, EXACTLY, step, transactional_id="pipeline")


def at_least_once(count: int) -> Sample:
    def step(client: KafkaProducer, consumer: KafkaConsumer) -> int:
        done = _send_all(client, consumer.poll(timeout_ms=5_000))
        client.flush()
        consumer.commit()
        return done

    return _run(count, AT_LEAST, step)


def _run(count: int, who: str, step: Callable[[KafkaProducer, KafkaConsumer], int], **settings: Any) -> Sample:
    work = workload(count)
    with fresh_directory() as directory, _input(directory, work) as kafka:
        with producer(kafka, **settings) as client, _consumer(kafka) as consumer:
            if settings:
                client.init_transactions()
            with timed(count) as sample:
                done = 0
                while done < count:
                    done += step(client, consumer)
        _check(kafka, work, who)
    return sample


def _send_all(client: KafkaProducer, polled: Any) -> int:
    send, done = client.send, 0
    for records in polled.values():
        for record in records:
            send(OUTPUT, transform(record.value), record.key)
        done += len(records)
    return done


def _next_offsets(polled: Any) -> dict[TopicPartition, OffsetAndMetadata]:
    return {one: OffsetAndMetadata(records[-1].offset + 1, "", -1) for one, records in polled.items()}


def confluent(count: int, *, exactly: bool) -> Sample:
    import confluent_kafka

    work = workload(count)
    settings = {"transactional.id": "pipeline"} if exactly else {}
    with _peers.mock_cluster() as filler, _peers.mock_consumer(filler, group=GROUP) as (consumer, _):
        _peers.mock_fill(filler, work)
        servers = _peers.mock_servers(filler)
        client = confluent_kafka.Producer({"bootstrap.servers": servers, **_peers.PRODUCER, **settings})
        if exactly:
            client.init_transactions(10)
        consumer.subscribe([_peers.TOPIC])
        first = consumer.consume(1, 60)  # joining the group takes seconds and is not what is measured
        assert first
        values = [transform(first[0].value())]
        with timed(count) as sample:
            while len(values) < count:
                messages = consumer.consume(min(POLL, count - len(values)), 5)
                if exactly:
                    client.begin_transaction()
                for message in messages:
                    client.produce(OUTPUT, transform(message.value()), message.key())
                values += [transform(message.value()) for message in messages]
                positions = consumer.position(consumer.assignment())
                if exactly:
                    client.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 30)
                    client.commit_transaction(30)
                else:
                    assert client.flush(60) == 0
                    consumer.commit(offsets=positions, asynchronous=False)
        work.check((transform(value) for value in values), _peers.CONFLUENT)
    return sample


CLAIM = Claim(
    "exactly_once",
    "records of 100 bytes consumed, transformed and produced, at most 500 a poll; wall time",
    [
        Contender(EXACTLY, exactly_once),
        Contender(AT_LEAST, at_least_once, "bound"),
        Contender(PEER_EXACTLY, lambda count: confluent(count, exactly=True), "peer", 0.2, "confluent_kafka"),
        Contender(PEER_AT_LEAST, lambda count: confluent(count, exactly=False), "peer", 0.2, "confluent_kafka"),
    ],
    [
        Goal(EXACTLY, AT_LEAST, 2.0, WALL),
        Goal(EXACTLY, PEER_EXACTLY, 1 / 3, WALL),
    ],
    count=200_000,
    quick_count=10_000,
)
