"""``topics list`` and ``describe``: what the catalog and the files show, without owning the directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.calls import call
from cli.directories import Built, batch, build


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data", partitions=2, segments=3)


def test_a_topic_is_listed_with_partitions_records_and_bytes(built: Built) -> None:
    (topic,) = call("topics", "list", "--data", built.path, "--json").objects()
    size = sum(path.stat().st_size for path in built.path.rglob("*.log"))
    assert topic == {"topic": "lines", "partitions": 2, "records": 36, "bytes": size}


def test_a_pipe_gets_aligned_columns(built: Built) -> None:
    lines = call("topics", "list", "--data", built.path).stdout.splitlines()
    assert lines[0].split() == ["Topic", "Partitions", "Records", "Bytes"]
    assert lines[1].split()[:3] == ["lines", "2", "36"]
    assert len(lines) == 2


def test_describing_shows_the_extent_of_each_partition(built: Built) -> None:
    (topic,) = call("topics", "describe", "lines", "--data", built.path, "--json").objects()
    first = topic["partitions"][0]
    assert (first["log_start_offset"], first["log_end_offset"], first["segments"]) == (0, 18, 3)


def test_half_a_batch_does_not_count(built: Built) -> None:
    with built.log(12).open("ab") as log:
        log.write(batch(18, [b"new"])[:50])
    (topic,) = call("topics", "describe", "lines", "--data", built.path, "--json").objects()
    assert topic["partitions"][0]["log_end_offset"] == 18


def test_the_log_start_offset_is_the_checkpoints(built: Built) -> None:
    (built.path / "broker-0" / "log-start-offset-checkpoint").write_text("0\n1\nlines 1 4\n")
    (topic,) = call("topics", "describe", "lines", "--data", built.path, "--json").objects()
    assert [partition["log_start_offset"] for partition in topic["partitions"]] == [0, 4]


def test_a_partition_without_a_folder_is_empty(built: Built) -> None:
    for path in built.log(0, partition=1).parent.iterdir():
        path.unlink()
    built.log(0, partition=1).parent.rmdir()
    (topic,) = call("topics", "describe", "lines", "--data", built.path, "--json").objects()
    assert topic["partitions"][1]["log_end_offset"] == 0
