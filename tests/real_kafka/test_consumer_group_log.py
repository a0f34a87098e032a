"""What a consumer group (KIP-848) leaves in ``__consumer_offsets`` is what Kafka's own tools read there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedkafka import EmbeddedKafka, ManualClock, SubscriptionPattern

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a group that was classic, became a consumer group and is classic again."""
    data = tmp_path_factory.mktemp("groups") / "data"
    with EmbeddedKafka(data, clock=ManualClock()) as kafka:
        kafka.create_topic("t", 4)
        settings = {"group_id": "g", "auto_offset_reset": "earliest"}
        old = kafka.consumer("t", **settings)
        old.poll(0)
        modern = kafka.consumer(**settings, group_protocol="consumer", group_instance_id="i", client_rack="r")
        modern.subscribe(pattern=SubscriptionPattern("t|u"))
        third = kafka.consumer("t", **settings, group_protocol="consumer", group_remote_assignor="range")
        for _ in range(4):
            for member in (old, modern, third):
                member.poll(0)
        kafka.create_topic("u", 1)
        with kafka.producer() as producer:
            producer.send("u", b"x")
        for _ in range(4):
            for member in (old, modern, third):
                member.poll(0)
        for member in (third, modern):
            member.close()
        kafka.clock.advance(60_000)
        old.poll(0)
        old.close()
    (found,) = data.glob("broker-*/__consumer_offsets-*/*.log")
    return found


def dumped(kafka_jars: Any, log: Path) -> list[str]:
    output = kafka_jars.run("org.apache.kafka.tools.DumpLogSegments", "--files", log, "--offsets-decoder")
    return [line for line in output.splitlines() if not line.startswith(("Dumping ", "Log starting offset: "))]


def test_kafkas_decoder_reads_every_type_of_record(log: Path, kafka_jars: Any) -> None:
    kinds = set()
    for line in dumped(kafka_jars, log):
        key = line.partition(" key: ")[2].partition(" payload: ")[0]
        if key:
            kinds.add((int(json.loads(key)["type"]), line.endswith("<DELETE>")))
    assert kinds >= {(kind, is_tombstone) for kind in (2, 3, 5, 6, 7, 8, 16) for is_tombstone in (False, True)}


def test_our_dump_prints_the_same_lines(log: Path, kafka_jars: Any) -> None:
    command = [sys.executable, "-m", "embedkafka", "log", "dump", "--deep", str(log)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == dumped(kafka_jars, log)
