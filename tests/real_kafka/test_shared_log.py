"""One log, two owners in turn: Apache Kafka serves the files we wrote, goes on writing, and we go on from there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import kafka
import pytest

import embedkafka

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
CONFIGS = {"internal.segment.bytes": "6000", "index.interval.bytes": "500", "retention.ms": "-1"}
TOPIC = "shared"
Seen = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes]]]


def _produce(package: Any, bootstrap_servers: Any, start: int) -> None:
    """300 records of every codec, with offsets in their values."""
    for codec in CODECS:
        producer = package.KafkaProducer(bootstrap_servers=bootstrap_servers, compression_type=codec, batch_size=3_000)
        for _ in range(300):
            headers = [("n", b"%d" % start)] if start % 3 == 0 else []
            producer.send(
                TOPIC,
                key=None if start % 4 == 0 else b"key-%d" % start,
                value=None if start % 4 == 1 else b"value-%d" % start,
                headers=headers,
                partition=0,
                timestamp_ms=1_700_000_000_000 + start,
            )
            start += 1
        producer.flush()
        producer.close()


def _consume(package: Any, bootstrap_servers: Any) -> list[Seen]:
    consumer = package.KafkaConsumer(bootstrap_servers=bootstrap_servers, group_id=None, auto_offset_reset="earliest")
    one = package.TopicPartition(TOPIC, 0)
    consumer.assign([one])
    end = consumer.end_offsets([one])[one]
    seen: list[Seen] = []
    while len(seen) < end:
        records = consumer.poll(timeout_ms=10_000)
        assert records, f"stuck at {len(seen)} of {end}"
        seen += [
            (record.offset, record.timestamp, record.key, record.value, list(record.headers)) for record in records[one]
        ]
    # The indexes, too, have to be of use.
    for offset in range(0, end, 97):
        consumer.seek(one, offset)
        assert consumer.poll(timeout_ms=10_000)[one][0].offset == offset
        found = consumer.offsets_for_times({one: 1_700_000_000_000 + offset})[one]
        assert found.offset == offset
    consumer.close()
    return seen


def _expected(count: int) -> list[Seen]:
    return [
        (
            number,
            1_700_000_000_000 + number,
            None if number % 4 == 0 else b"key-%d" % number,
            None if number % 4 == 1 else b"value-%d" % number,
            [("n", b"%d" % number)] if number % 3 == 0 else [],
        )
        for number in range(count)
    ]


def _log_files(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.suffix in (".log", ".index", ".timeindex")]


def _replace_files(source: Path, target: Path) -> None:
    for old in _log_files(target):
        old.unlink()
    for file in _log_files(source):
        shutil.copy(file, target)


@pytest.mark.timeout(300)
def test_apache_kafka_serves_and_continues_our_log_and_we_continue_theirs(
    stopped_kafka_broker: Any, tmp_path: Path
) -> None:
    count = 300 * len(CODECS)
    with embedkafka.EmbeddedKafka(tmp_path / "data") as engine:
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
        admin.create_topics({TOPIC: {"num_partitions": 1, "configs": CONFIGS}})
        admin.close()
        _produce(embedkafka, engine, 0)
        assert _consume(embedkafka, engine) == _expected(count)
    (ours,) = (tmp_path / "data").glob(f"broker-*/{TOPIC}-0")
    assert len(list(ours.glob("*.log"))) > 3

    broker = stopped_kafka_broker
    broker.start()
    theirs_admin = kafka.KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    theirs_admin.create_topics(
        {TOPIC: {"num_partitions": 1, "replication_factor": 1, "configs": CONFIGS}}, wait_for_metadata=True
    )
    theirs_admin.close()
    broker.stop()
    theirs = broker.logs / f"{TOPIC}-0"
    _replace_files(ours, theirs)
    broker.start()
    assert _consume(kafka, broker.bootstrap_servers) == _expected(count)
    _produce(kafka, broker.bootstrap_servers, count)
    assert _consume(kafka, broker.bootstrap_servers) == _expected(2 * count)
    broker.stop()

    _replace_files(theirs, ours)
    with embedkafka.EmbeddedKafka(tmp_path / "data") as engine:
        assert _consume(embedkafka, engine) == _expected(2 * count)
        _produce(embedkafka, engine, 2 * count)
        assert _consume(embedkafka, engine) == _expected(3 * count)
