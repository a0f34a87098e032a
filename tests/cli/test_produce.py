"""``produce``: lines in, records out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli.calls import Said, call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    call("topics", "create", "lines", "--data", path)
    return path


def produce(data: Path, stdin: str | bytes, *words: object) -> Said:
    return call("produce", "lines", *words, "--data", data, stdin=stdin)


def records(data: Path) -> list[dict[str, Any]]:
    return call("consume", "lines", "--data", data, "--json").objects()


def test_each_line_is_a_record_without_its_line_end(data: Path) -> None:
    said = produce(data, "one\ntwo\r\nthree")
    assert said.exit_code == 0, said.stderr
    assert [record["value"] for record in records(data)] == ["one", "two", "three"]


def test_an_empty_line_is_an_empty_value(data: Path) -> None:
    produce(data, "\n")
    assert [record["value"] for record in records(data)] == [""]


def test_bytes_go_as_they_are(data: Path) -> None:
    produce(data, b"\xff\xfe\n")
    assert records(data)[0]["value_base64"] == "//4="


def test_without_a_separator_there_is_no_key(data: Path) -> None:
    produce(data, "a:b\n")
    assert (records(data)[0]["key"], records(data)[0]["value"]) == (None, "a:b")


def test_the_first_separator_splits_key_and_value(data: Path) -> None:
    produce(data, "a:b:c\n", "--key-separator", ":")
    assert (records(data)[0]["key"], records(data)[0]["value"]) == ("a", "b:c")


def test_a_line_without_the_separator_is_an_error_that_names_the_line(data: Path) -> None:
    said = produce(data, "a:1\nb\n", "-K", ":")
    assert said.exit_code == 1
    assert "line 2 has no key separator ':'" in said.stderr
    assert [record["key"] for record in records(data)] == ["a"]


def test_headers_go_with_every_record(data: Path) -> None:
    produce(data, "x\n", "--header", "source=test", "--header", "n=1")
    assert records(data)[0]["headers"] == [{"name": "source", "value": "test"}, {"name": "n", "value": "1"}]


def test_a_null_value_is_a_tombstone(data: Path) -> None:
    produce(data, "k:NULL\n", "-K", ":", "--null-value", "NULL")
    assert records(data)[0]["value"] is None


def test_a_file_is_read_instead_of_stdin(data: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("a\nb\n")
    assert call("produce", "lines", "--file", tmp_path / "lines.txt", "--data", data).exit_code == 0
    assert len(records(data)) == 2


def test_a_missing_file_is_an_error(data: Path, tmp_path: Path) -> None:
    said = call("produce", "lines", "--file", tmp_path / "nope", "--data", data)
    assert said.exit_code == 1
    assert "no such file or directory" in said.stderr


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_compression_can_be_read_back(data: Path, compression: str) -> None:
    produce(data, "same\n" * 50, "--compression", compression)
    assert [record["value"] for record in records(data)] == ["same"] * 50
    assert f"compresscodec: {compression}" in call("log", "dump", "--data", data).stdout


def test_an_unknown_compression_is_wrong_usage(data: Path) -> None:
    assert produce(data, "x\n", "--compression", "zip").exit_code == 2


def test_a_partition_can_be_chosen(data: Path) -> None:
    call("topics", "add-partitions", "lines", 4, "--data", data)
    produce(data, "x\n", "--partition", 3)
    assert records(data)[0]["partition"] == 3


def test_a_partition_that_is_not_there_is_an_error(data: Path) -> None:
    said = produce(data, "x\n", "--partition", 9)
    assert said.exit_code == 4
    assert "it has 0 to 0" in said.stderr


def test_a_new_topic_is_made_and_mentioned(data: Path) -> None:
    said = call("produce", "fresh", "--data", data, stdin="x\n")
    assert said.exit_code == 0
    assert "new topic fresh" in said.stderr


def test_a_record_that_is_too_large_is_an_error(data: Path) -> None:
    said = produce(data, "x" * 2_000_000 + "\n")
    assert said.exit_code == 1
    assert records(data) == []


def test_json_reports_the_count(data: Path) -> None:
    assert produce(data, "a\nb\n", "--json").objects() == [{"topic": "lines", "records": 2}]
