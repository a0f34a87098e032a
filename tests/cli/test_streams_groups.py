"""``groups`` on streams groups: where they are, and who has the task."""

from __future__ import annotations

from pathlib import Path

from cli.calls import call

from embedkafka import EmbeddedKafka, TopicPartition
from embedkafka.broker import api

REMOTE = api.RequestContext(client_id="c", in_process=False)


def test_a_streams_group_is_listed_and_described_with_who_has_the_task(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with EmbeddedKafka(data) as kafka:
        kafka.create_topic("words", 2)
        with kafka.producer() as producer:
            producer.send("words", b"x", partition=0)
        port = kafka.engine.ports[0]
        topology = api.Topology(0, (api.Subtopology("0", ("words",)),))
        join = api.StreamsGroupHeartbeatRequest(
            "app",
            "m",
            0,
            rebalance_timeout_ms=1_000,
            topology=topology,
            active_tasks={},
            standby_tasks={},
            warmup_tasks={},
        )
        epoch = port.streams_group_heartbeat(REMOTE, join).member_epoch
        commit = api.OffsetCommitRequest("app", {TopicPartition("words", 0): api.OffsetToCommit(0)}, epoch, "m")
        port.offset_commit(REMOTE, commit)
    (listed,) = call("groups", "list", "--data", data, "--json").objects()
    assert (listed["group"], listed["state"]) == ("app", "Stable")
    (row,) = call("groups", "describe", "app", "--data", data, "--json").objects()
    assert (row["topic"], row["partition"], row["committed"], row["lag"]) == ("words", 0, 0, 1)
    assert row["consumer"] == "m"
