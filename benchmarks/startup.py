"""From nothing to a record that went through a group: what a test pays for a broker of its own."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import _child
from benchmarks._harness import Claim, Contender, Goal, Sample, fresh_directory
from benchmarks._project import TOPIC
from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer

MEMORY = "in memory"
DIRECTORY = "on a directory"
COMMIT = "one SQLite commit"
IMPORT = "import embedkafka"
IMPORT_ALL = "from embedkafka import EmbeddedKafka, KafkaProducer, KafkaConsumer"


def _first_record(directory: Path | None) -> float:
    """Milliseconds for engine, topic, producer, consumer group, and one record through all of them."""
    started = time.perf_counter()
    with EmbeddedKafka(directory) as kafka:
        producer = KafkaProducer(bootstrap_servers=kafka)
        producer.send(TOPIC, value=b"first", key=b"key")
        consumer = KafkaConsumer(TOPIC, bootstrap_servers=kafka, group_id="group", auto_offset_reset="earliest")
        records = consumer.poll(timeout_ms=10_000)
        elapsed_s = time.perf_counter() - started
        assert [record.value for batch in records.values() for record in batch] == [b"first"]
        consumer.close()
        producer.close()
    return elapsed_s * 1e3


def _sample(times: list[float]) -> Sample:
    """The quickest counts: a goal in milliseconds has no other side that the machine's noise would slow as well."""
    return Sample(values={"ms": min(times), "median_ms": statistics.median(times)})


def in_memory(count: int) -> Sample:
    return _sample([_first_record(None) for _ in range(count)])


def on_directory(count: int) -> Sample:
    times = []
    for _ in range(count):
        with fresh_directory() as directory:
            times.append(_first_record(directory / "data"))
    return _sample(times)


def cold(count: int) -> Sample:
    """The first engine of a fresh interpreter, import not counted: what is loaded at first use is loaded here."""
    return Sample(values={"ms": _first_record(None)})


def sqlite_commit(count: int) -> Sample:
    """A new database, one table, one row: what keeping the catalog safe costs at the least."""
    times = []
    for _ in range(count):
        with fresh_directory() as directory:
            started = time.perf_counter()
            connection = sqlite3.connect(directory / "catalog.sqlite", isolation_level=None)
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE catalog (key TEXT PRIMARY KEY, value BLOB)")
            connection.execute("INSERT INTO catalog VALUES ('topic', x'00')")
            connection.execute("COMMIT")
            times.append((time.perf_counter() - started) * 1e3)
            connection.close()
    return _sample(times)


def importing(statement: str) -> Sample:
    """What is compiled already, as after any first run: that one is thrown away."""
    program = f"import time; t = time.perf_counter(); {statement}; print((time.perf_counter() - t) * 1e3)"
    command = [sys.executable, "-c", program]
    with fresh_directory() as compiled:
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        times = [
            float(subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout)
            for _ in range(6)
        ]
    return _sample(times[1:])


def mock_cluster(count: int) -> Sample:
    import confluent_kafka

    started = time.perf_counter()
    producer = confluent_kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
    metadata = producer.list_topics(TOPIC, timeout=10)
    producer.produce(TOPIC, b"first", b"key")
    servers = ",".join(f"{broker.host}:{broker.port}" for broker in metadata.brokers.values())
    settings = {"bootstrap.servers": servers, "group.id": "group", "auto.offset.reset": "earliest", "log_level": 0}
    consumer = confluent_kafka.Consumer(settings)
    consumer.subscribe([TOPIC])
    while (message := consumer.poll(10)) is None or message.error():
        pass
    elapsed_s = time.perf_counter() - started
    assert message.value() == b"first"
    consumer.close()
    return Sample(values={"ms": elapsed_s * 1e3})


CLAIM = Claim(
    "startup",
    "milliseconds from nothing to engine, topic and a first record through a consumer group",
    [
        Contender(MEMORY, in_memory),
        Contender(DIRECTORY, on_directory),
        Contender("in memory, first of its process", lambda count: _child.measure("startup", "cold", count)),
        Contender(IMPORT, lambda _: importing(IMPORT)),
        Contender(IMPORT_ALL, lambda _: importing(IMPORT_ALL)),
        Contender(COMMIT, sqlite_commit, "bound"),
        Contender("confluent-kafka, mock cluster", mock_cluster, "peer", needs="confluent_kafka"),
    ],
    [
        Goal(MEMORY, None, 5.0, "ms", unit="ms"),
        Goal(DIRECTORY, None, 5.0, "ms", unit="ms", plus=COMMIT),
        Goal(IMPORT, None, 60.0, "ms", unit="ms"),
        Goal(IMPORT_ALL, None, 60.0, "ms", unit="ms"),
    ],
    count=20,
    quick_count=3,
    show=["ms", "median_ms"],
)
