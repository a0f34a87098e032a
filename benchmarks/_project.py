"""The project's side of a benchmark: an engine with one topic, filled and read back through the public clients only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks._data import Workload
from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, TopicPartition

TOPIC = "benchmark"


@contextlib.contextmanager
def engine(directory: Path | None, *, partitions: int = 1, **configs: Any) -> Iterator[EmbeddedKafka]:
    """An engine on ``directory``, or in memory, that creates ``TOPIC`` at first use; everything else by default.

    ``configs`` are the broker's, with underscores for dots.
    """
    dotted = {name.replace("_", "."): value for name, value in configs.items()}
    with EmbeddedKafka(directory, **{"num.partitions": partitions, **dotted}) as kafka:
        yield kafka


@contextlib.contextmanager
def producer(kafka: EmbeddedKafka, **settings: Any) -> Iterator[KafkaProducer]:
    client = KafkaProducer(bootstrap_servers=kafka, **settings)
    try:
        client.partitions_for(TOPIC)
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def reader(kafka: EmbeddedKafka, **settings: Any) -> Iterator[KafkaConsumer]:
    """A consumer without a group, at the beginning of every partition of ``TOPIC``."""
    client = KafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", **settings)
    try:
        partitions = [TopicPartition(TOPIC, number) for number in sorted(client.partitions_for_topic(TOPIC) or ())]
        client.assign(partitions)
        client.seek_to_beginning(*partitions)
        yield client
    finally:
        client.close()


def fill(kafka: EmbeddedKafka, work: Workload) -> None:
    with producer(kafka) as client:
        for key, value in work.pairs():
            client.send(TOPIC, value=value, key=key)
        client.flush()


def check(kafka: EmbeddedKafka, work: Workload, who: str, **settings: Any) -> None:
    """Read everything back and compare it with what went in.  ``settings`` are the consumer's."""
    with reader(kafka, **settings) as client:
        work.check((record.value for record in islice(client, work.count)), who)
        assert not client.poll(timeout_ms=0), f"{who}: more records came out than went in"
