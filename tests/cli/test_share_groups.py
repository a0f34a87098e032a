"""``groups`` on share groups: where they are, who reads, moving, forgetting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli.calls import Said, call

from embedkafka import EmbeddedKafka
from embedkafka.broker import api

REMOTE = api.RequestContext(client_id="c", in_process=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten jobs, and a share group with one member that has not read any."""
    path = tmp_path / "data"
    with EmbeddedKafka(path) as kafka:
        kafka.create_topic("jobs", 1)
        with kafka.producer() as producer:
            for number in range(10):
                producer.send("jobs", b"%d" % number)
        beat(kafka, 0, ["jobs"])
    return path


def beat(kafka: EmbeddedKafka, epoch: int, topics: list[str] | None = None) -> None:
    port = kafka.engine.ports[0]
    request = api.ShareGroupHeartbeatRequest("workers", "m", epoch, None, topics)
    assert port.share_group_heartbeat(REMOTE, request).error_code == 0


def leave(data: Path) -> None:
    with EmbeddedKafka(data) as kafka:
        beat(kafka, -1)


def groups(data: Path, *words: object) -> Said:
    return call("groups", *words, "--data", data, "--json")


def described(data: Path) -> dict[str, Any]:
    (row,) = groups(data, "describe", "workers").objects()
    return row


def test_a_share_group_is_described_with_who_reads(data: Path) -> None:
    row = described(data)
    assert (row["topic"], row["partition"], row["committed"], row["log_end"], row["lag"]) == ("jobs", 0, None, 10, None)
    assert row["consumer"] == "m"


def test_a_share_group_without_members_can_be_moved(data: Path) -> None:
    leave(data)
    (row,) = groups(data, "reset-offsets", "workers", "--to-offset", 4, "--execute").objects()
    assert (row["before"], row["after"]) == (None, 4)
    assert (described(data)["committed"], described(data)["lag"]) == (4, 6)


def test_a_share_group_with_members_stays_where_it_is(data: Path) -> None:
    said = groups(data, "reset-offsets", "workers", "--to-earliest", "--execute")
    assert said.exit_code == 1
    assert "only while it has no members" in said.stderr


def test_a_share_group_can_be_forgotten(data: Path) -> None:
    leave(data)
    assert groups(data, "delete", "workers", "--yes").exit_code == 0
    assert groups(data, "list").objects() == []
