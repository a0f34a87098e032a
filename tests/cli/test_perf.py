"""``perf``: the figures are there and hang together; nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.calls import call


def test_the_producer_reports_throughput_and_percentiles() -> None:
    (report,) = call("perf", "producer", "-n", 2000, "--record-size", 10, "--json").objects()
    assert (report["records"], report["record_size"]) == (2000, 10)
    assert report["records_per_sec"] == pytest.approx(2000 / report["elapsed_s"], rel=0.01)
    assert report["p50_ms"] <= report["p95_ms"] <= report["p99_ms"] <= report["p99.9_ms"] <= report["max_ms"]


def test_the_producers_sentence_is_that_of_kafkas_tool() -> None:
    said = call("perf", "producer", "-n", 1000)
    assert said.stdout.startswith("1,000 records sent, ")
    for words in (
        "records/sec",
        "MB/sec",
        "ms avg latency",
        "ms max latency",
        "ms 50th",
        "ms 95th",
        "ms 99th",
        "ms 99.9th",
    ):
        assert words in said.stdout


def test_the_producers_throughput_can_be_limited() -> None:
    (report,) = call("perf", "producer", "-n", 100, "--throughput", 1000, "--json").objects()
    assert report["records_per_sec"] < 1100


def test_the_consumer_reads_what_it_wrote_first() -> None:
    (report,) = call("perf", "consumer", "-n", 2000, "--partitions", 3, "--json").objects()
    assert (report["records"], report["record_size"]) == (2000, 100)
    assert report["records_per_sec"] > 0


def test_end_to_end_reports_percentiles() -> None:
    (report,) = call("perf", "end-to-end", "-n", 50, "--json").objects()
    assert 0 < report["p50_ms"] <= report["p99_ms"] <= report["max_ms"]


def test_it_leaves_no_topic_and_no_group_in_a_directory(tmp_path: Path) -> None:
    assert call("perf", "consumer", "-n", 100, "--data", tmp_path / "data").exit_code == 0
    assert call("topics", "list", "--data", tmp_path / "data", "--json").stdout == ""
    assert call("groups", "list", "--data", tmp_path / "data", "--json").stdout == ""


def test_a_topic_that_was_named_is_kept(tmp_path: Path) -> None:
    call("topics", "create", "mine", "--data", tmp_path / "data")
    assert call("perf", "producer", "-n", 100, "--topic", "mine", "--data", tmp_path / "data").exit_code == 0
    (topic,) = call("topics", "list", "--data", tmp_path / "data", "--json").objects()
    assert topic["records"] == 100


def test_too_few_records_are_a_failure(tmp_path: Path) -> None:
    call("produce", "few", "--data", tmp_path / "data", stdin="a\nb\n")
    said = call("perf", "consumer", "-n", 3, "--topic", "few", "--timeout-ms", 50, "--data", tmp_path / "data")
    assert said.exit_code == 1
    assert "2 of 3 records" in said.stderr


def test_an_unknown_topic_is_exit_code_4(tmp_path: Path) -> None:
    call("topics", "create", "mine", "--data", tmp_path / "data")
    assert call("perf", "producer", "--topic", "min", "--data", tmp_path / "data").exit_code == 4
