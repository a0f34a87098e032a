"""The peers' side: librdkafka's mock cluster, lmdb, SQLite, each used as its own documentation advises."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks._data import Workload, workload
from benchmarks._harness import Sample, fresh_directory, timed

TOPIC = "benchmark"
CONFLUENT = "confluent-kafka, mock cluster"

# The mock cluster keeps 5 MiB of each of its 4 partitions: so many records of 100 bytes fit for sure.
MOCK_HOLDS = 120_000

# Its queue, too, must not be what is measured.
PRODUCER = {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 2_000_000, "log_level": 0}


@contextlib.contextmanager
def mock_cluster(**settings: Any) -> Iterator[Any]:
    """A producer that carries a mock cluster of one broker inside itself.  ``settings`` are the producer's."""
    import confluent_kafka

    producer = confluent_kafka.Producer({"test.mock.num.brokers": 1, **PRODUCER, **settings})
    producer.list_topics(TOPIC, timeout=10)
    yield producer
    producer.flush(10)


def mock_servers(producer: Any) -> str:
    """The mock cluster's address, for clients beside the producer that carries it."""
    brokers = producer.list_topics(TOPIC, timeout=10).brokers.values()
    return ",".join(f"{broker.host}:{broker.port}" for broker in brokers)


@contextlib.contextmanager
def mock_consumer(producer: Any, *, group: str = "benchmark") -> Iterator[tuple[Any, list[Any]]]:
    """A consumer of the mock cluster, connected, and the partitions to assign to it."""
    import confluent_kafka

    metadata = producer.list_topics(TOPIC, timeout=10)
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": mock_servers(producer),
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    numbers = metadata.topics[TOPIC].partitions
    partitions = [confluent_kafka.TopicPartition(TOPIC, number, 0) for number in numbers]
    for partition in partitions:
        consumer.get_watermark_offsets(partition, timeout=10)
    try:
        yield consumer, partitions
    finally:
        consumer.close()


def mock_fill(producer: Any, work: Workload) -> None:
    for key, value in work.pairs():
        producer.produce(TOPIC, value, key)
    assert producer.flush(60) == 0


def mock_check(producer: Any, work: Workload, who: str) -> None:
    with mock_consumer(producer) as (consumer, partitions):
        consumer.assign(partitions)
        values: list[bytes] = []
        while len(values) < work.count:
            messages = consumer.consume(min(500, work.count - len(values)), 5)
            assert messages, f"{who}: {len(values)} of {work.count} records came out"
            values += [message.value() for message in messages]
    work.check(values, who)


def lmdb(count: int, *, sync: bool) -> Sample:
    """Transactions of 1000 records each."""
    work = workload(count)
    pack = struct.Struct(">Q").pack
    with fresh_directory() as directory, _lmdb_environment(directory, sync=sync) as environment:
        values = (value for _, value in work.pairs())
        with timed(count) as sample:
            for first in range(0, count, 1000):
                with environment.begin(write=True) as transaction:
                    put = transaction.put
                    for number, value in enumerate(islice(values, 1000), first):
                        put(pack(number), value, append=True)
        with environment.begin() as transaction:
            work.check((value for _, value in transaction.cursor()), "lmdb")
    return sample


def _lmdb_environment(directory: Path, *, sync: bool) -> Any:
    import lmdb

    return lmdb.open(str(directory), map_size=4 << 30, sync=sync, metasync=sync)


def sqlite(count: int) -> Sample:
    """Transactions of 1000 records each, in the mode that suits writing many short ones that must survive."""
    work = workload(count)
    with fresh_directory() as directory, contextlib.closing(_sqlite_log(directory)) as connection:
        pairs = work.pairs()
        with timed(count) as sample:
            for _ in range(0, count, 1000):
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO log (key, value) VALUES (?, ?)", islice(pairs, 1000))
                connection.execute("COMMIT")
        work.check((value for (value,) in connection.execute("SELECT value FROM log ORDER BY offset")), "SQLite")
    return sample


def _sqlite_log(directory: Path) -> sqlite3.Connection:
    """A table that serves as a log."""
    connection = sqlite3.connect(directory / "log.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE log (offset INTEGER PRIMARY KEY, key BLOB, value BLOB)")
    return connection
