"""Commands beside a live owner: those that only read work, the others name the owner."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.calls import call

from embedkafka import EmbeddedKafka


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path / "data") as kafka:
        kafka.create_topic("lines", 2)
        producer = kafka.producer()
        for number in range(100):
            producer.send("lines", b"line %d" % number)
        producer.flush()
        reader = kafka.consumer("lines", group_id="readers", auto_offset_reset="earliest", consumer_timeout_ms=100)
        assert len(list(reader)) == 100
        reader.commit()
        yield kafka


@pytest.fixture
def data(owner: EmbeddedKafka, tmp_path: Path) -> Path:
    """The directory of a live owner, for commands that run in processes of their own."""
    return tmp_path / "data"


def in_process_of_its_own(*words: object) -> tuple[int, str, str]:
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "embedkafka", *(str(word) for word in words)],
        capture_output=True,
        text=True,
        input="x\n",
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=30,
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("topics", "list"),
        ("topics", "describe", "lines"),
        ("topics", "configs", "lines", "--all"),
        ("users", "list"),
        ("acls", "list"),
        ("quotas", "list"),
        ("consume", "lines"),
        ("log", "dump", "lines"),
        ("log", "verify"),
        ("groups", "list"),
        ("groups", "describe", "readers"),
    ],
)
def test_what_only_reads_works_beside_it(data: Path, words: tuple[str, ...]) -> None:
    exit_code, stdout, stderr = in_process_of_its_own(*words, "--data", data)
    assert exit_code == 0, stderr
    assert stdout


def test_everything_that_was_flushed_is_seen(data: Path) -> None:
    _, stdout, _ = in_process_of_its_own("consume", "lines", "--data", data)
    assert len(stdout.splitlines()) == 100


def test_lag_is_seen(data: Path, owner: EmbeddedKafka) -> None:
    owner.producer().send("lines", b"new", partition=0).get()
    _, stdout, _ = in_process_of_its_own("groups", "describe", "readers", "--data", data, "--json")
    assert stdout.count('"lag": 1') == 1
    assert stdout.count('"lag": 0') == 1


def test_a_backup_of_it_can_be_opened(data: Path, tmp_path: Path) -> None:
    exit_code, _, stderr = in_process_of_its_own("backup", tmp_path / "copy", "--data", data)
    assert exit_code == 0, stderr
    with EmbeddedKafka(tmp_path / "copy") as copy:
        reader = copy.consumer("lines", auto_offset_reset="earliest", consumer_timeout_ms=100)
        assert len(list(reader)) == 100
        again = copy.consumer("lines", group_id="readers", auto_offset_reset="earliest", consumer_timeout_ms=100)
        assert list(again) == []


@pytest.mark.parametrize(
    "words",
    [
        ("topics", "create", "other"),
        ("topics", "delete", "lines", "--yes"),
        ("produce", "lines"),
        ("consume", "lines", "--group", "g"),
        ("groups", "delete", "readers", "--yes"),
        ("perf", "end-to-end", "-n", "1"),
    ],
)
def test_what_changes_something_is_exit_code_3_and_names_the_owner(data: Path, words: tuple[str, ...]) -> None:
    exit_code, stdout, stderr = in_process_of_its_own(*words, "--data", data)
    assert (exit_code, stdout) == (3, "")
    assert f"process {os.getpid()}" in stderr


def test_its_own_process_can_read_it_too(data: Path) -> None:
    assert len(call("consume", "lines", "--data", data).stdout.splitlines()) == 100
