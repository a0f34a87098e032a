"""What a share group (KIP-932) leaves in ``__consumer_offsets`` is what Kafka's own tools read there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.clock import ManualClock
from embedkafka.model import TopicPartition

ROOT = Path(__file__).parents[2]
REMOTE = api.RequestContext(client_id="c", in_process=False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a group that came, was told where to begin, went, and was deleted."""
    data = tmp_path_factory.mktemp("share-groups") / "data"
    engine = Engine.open(data, clock=ManualClock())
    port = engine.ports[0]
    port.create_topics(REMOTE, [api.NewTopicSpec("t", 3), api.NewTopicSpec("u", 1)])

    def beat(member_id: str, epoch: int, topics: list[str] | None = None) -> int:
        request = api.ShareGroupHeartbeatRequest("g", member_id, epoch, "rack" if epoch == 0 else None, topics)
        return port.share_group_heartbeat(REMOTE, request).member_epoch

    one, other = beat("a", 0, ["t"]), beat("b", 0, ["t", "u"])
    beat("a", one)
    beat("b", other, ["u"])
    for member_id in "ab":
        beat(member_id, -1)
    port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest("g", {TopicPartition("t", 0): 5}))
    port.delete_share_group_offsets(REMOTE, api.DeleteShareGroupOffsetsRequest("g", ["u"]))
    assert [each.error_code for each in port.delete_groups(REMOTE, ["g"])] == [0]
    engine.close()
    (found,) = data.glob("broker-*/__consumer_offsets-*/*.log")
    return found


def dumped(kafka_jars: Any, log: Path) -> list[str]:
    output = kafka_jars.run("org.apache.kafka.tools.DumpLogSegments", "--files", log, "--offsets-decoder")
    return [line for line in output.splitlines() if not line.startswith(("Dumping ", "Log starting offset: "))]


def test_kafkas_decoder_reads_every_type_of_record(log: Path, kafka_jars: Any) -> None:
    kinds, values = set(), []
    for line in dumped(kafka_jars, log):
        key, _, payload = line.partition(" key: ")[2].partition(" payload: ")
        if key:
            kinds.add((int(json.loads(key)["type"]), payload == "<DELETE>"))
            values += [json.loads(payload)["data"]] if payload != "<DELETE>" else []
    assert kinds == {(kind, is_tombstone) for kind in range(10, 16) for is_tombstone in (False, True)}
    states = [value for value in values if "initializingTopics" in value]
    for name in ("initializingTopics", "initializedTopics", "deletingTopics"):
        assert {topic["topicName"] for value in states for topic in value[name]} == {"t", "u"}


def test_our_dump_prints_the_same_lines(log: Path, kafka_jars: Any) -> None:
    command = [sys.executable, "-m", "embedkafka", "log", "dump", "--deep", str(log)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == dumped(kafka_jars, log)
