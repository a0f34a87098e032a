"""What a streams group (KIP-1071) leaves in ``__consumer_offsets`` is what Kafka's own tools read there."""

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

ROOT = Path(__file__).parents[2]
REMOTE = api.RequestContext(client_id="c", in_process=False)
TOPOLOGY = api.Topology(
    2,
    (
        api.Subtopology("0", ("t",), repartition_sink_topics=("between",)),
        api.Subtopology(
            "1",
            ("u",),
            state_changelog_topics=(api.TopicInfo("log", configs=(("cleanup.policy", "compact"),)),),
            repartition_source_topics=(api.TopicInfo("between"),),
            copartition_groups=(api.CopartitionGroup((0,), (), (0,)),),
        ),
    ),
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a group whose members came and went, and that was deleted."""
    data = tmp_path_factory.mktemp("streams-groups") / "data"
    engine = Engine.open(data, clock=ManualClock(), configs={"group.streams.num.standby.replicas": 1})
    port = engine.ports[0]
    port.create_topics(REMOTE, [api.NewTopicSpec("t", 3), api.NewTopicSpec("u", 2)])

    def join(member_id: str) -> int:
        request = api.StreamsGroupHeartbeatRequest(
            "g",
            member_id,
            0,
            rack_id="rack",
            rebalance_timeout_ms=60_000,
            topology=TOPOLOGY,
            active_tasks={},
            standby_tasks={},
            warmup_tasks={},
            process_id=member_id,
            endpoint=api.Endpoint("localhost", 8080),
            client_tags={"zone": "z"},
        )
        return port.streams_group_heartbeat(REMOTE, request).member_epoch

    one, other = join("a"), join("b")
    port.streams_group_heartbeat(REMOTE, api.StreamsGroupHeartbeatRequest("g", "a", one))
    port.streams_group_heartbeat(REMOTE, api.StreamsGroupHeartbeatRequest("g", "b", other))
    for member_id in "ab":
        port.streams_group_heartbeat(REMOTE, api.StreamsGroupHeartbeatRequest("g", member_id, -1))
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
    assert kinds == {(kind, is_tombstone) for kind in (17, 19, 20, 21, 22, 23) for is_tombstone in (False, True)}
    (topology,) = [value for value in values if "subtopologies" in value]
    assert [each["subtopologyId"] for each in topology["subtopologies"]] == ["0", "1"]
    assert any(value.get("activeTasksPendingRevocation") for value in values)
    assert any(value.get("standbyTasks") for value in values)


def test_our_dump_prints_the_same_lines(log: Path, kafka_jars: Any) -> None:
    command = [sys.executable, "-m", "embedkafka", "log", "dump", "--deep", str(log)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == dumped(kafka_jars, log)
