"""``embedkafka log dump`` says about a file, line for line, what Kafka's DumpLogSegments says about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedkafka import EmbeddedKafka

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every log of a directory with all codecs, headers, nulls and a group's commits."""
    data = tmp_path_factory.mktemp("dump") / "data"
    with EmbeddedKafka(data) as kafka:
        kafka.create_topic("lines", 2)
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            producer = kafka.producer(compression_type=codec)
            for number in range(50):
                key = None if number % 2 else b"key %d" % number
                value = b"value %d" % number if number % 8 else None
                producer.send("lines", value, key, headers=[("first", b"1"), ("second", None)] if number % 5 else None)
            producer.close()
        reader = kafka.consumer("lines", group_id="readers", auto_offset_reset="earliest", consumer_timeout_ms=100)
        assert len(list(reader)) == 250
        reader.close()
    return sorted(data.glob("broker-*/*/*.log"))


def ours(*words: object) -> list[str]:
    command = [sys.executable, "-m", "embedkafka", "log", "dump", *(str(word) for word in words)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.splitlines()


def theirs(kafka_jars: Any, file: Path, *options: str) -> list[str]:
    """DumpLogSegments' lines without those that we print on stderr."""
    output = kafka_jars.run("org.apache.kafka.tools.DumpLogSegments", "--files", file, *options)
    return [line for line in output.splitlines() if not line.startswith(("Dumping ", "Log starting offset: "))]


def test_logs_are_dumped_in_the_same_lines(logs: list[Path], kafka_jars: Any) -> None:
    topics = [log for log in logs if log.parent.name.startswith("lines-")]
    assert len(topics) == 2
    for log in topics:
        assert ours("--deep", log) == theirs(kafka_jars, log, "--deep-iteration", "--print-data-log")


def test_committed_offsets_and_groups_are_dumped_in_the_same_lines(logs: list[Path], kafka_jars: Any) -> None:
    offsets = [log for log in logs if log.parent.name.startswith("__consumer_offsets-")]
    assert len(offsets) == 1
    for log in offsets:
        assert ours("--deep", log) == theirs(kafka_jars, log, "--offsets-decoder")


@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
def test_indexes_are_dumped_in_the_same_lines(logs: list[Path], suffix: str, kafka_jars: Any) -> None:
    for log in logs:
        index = log.with_suffix(suffix)
        entries = [line for line in theirs(kafka_jars, index) if line.startswith(("offset: ", "timestamp: "))]
        assert ours(index) == entries
