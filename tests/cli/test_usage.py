"""What is typed wrong is answered with what to do, the right exit code, and no traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli.calls import call
from cli.directories import build


def test_without_a_directory_it_says_how_to_name_one() -> None:
    said = call("topics", "list")
    assert said.exit_code == 2
    assert "--data DIR or set EMBEDKAFKA_DATA" in said.stderr


def test_the_environment_names_the_directory(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    assert call("topics", "list", env={"EMBEDKAFKA_DATA": str(built.path)}).exit_code == 0


def test_the_option_wins_over_the_environment(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    assert call("topics", "list", "--data", built.path, env={"EMBEDKAFKA_DATA": "/nowhere"}).exit_code == 0


def test_the_option_may_come_before_the_commands_name(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    (topic,) = call("--data", built.path, "--json", "topics", "list").objects()
    assert topic["topic"] == "lines"


def test_a_directory_that_is_not_there_is_exit_code_4(tmp_path: Path) -> None:
    said = call("topics", "list", "--data", tmp_path / "nope")
    assert said.exit_code == 4
    assert f"no data directory at {tmp_path / 'nope'}" in said.stderr


def test_it_points_at_a_data_directory_nearby(tmp_path: Path) -> None:
    build(tmp_path / "my-data")
    said = call("topics", "list", "--data", tmp_path / "mydata")
    assert f"there is one at {tmp_path / 'my-data'}" in said.stderr


def test_reading_makes_no_directory(tmp_path: Path) -> None:
    call("topics", "list", "--data", tmp_path / "nope")
    assert not (tmp_path / "nope").exists()


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    said = call("topics", "list", "--data", tmp_path)
    assert said.exit_code == 4
    assert "is not an embedkafka data directory" in said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    said = call("topics", "list", "--data", tmp_path / "data")
    assert said.exit_code == 4
    assert "is a file" in said.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_directory_without_permission_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(tmp_path / "data")

    def refuse(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_file", refuse)  # root may read everything, so it is played
    said = call("topics", "list", "--data", built.path)
    assert said.exit_code == 1
    assert "may not read" in said.stderr


@pytest.mark.parametrize("words", [("topic",), ("topics", "lst"), ("consume",), ("consume", "a", "--partition", "x")])
def test_what_does_not_exist_is_exit_code_2(words: tuple[str, ...]) -> None:
    assert call(*words).exit_code == 2


def test_an_error_with_json_is_one_object_on_stderr(tmp_path: Path) -> None:
    said = call("topics", "list", "--data", tmp_path / "nope", "--json")
    assert said.stdout == ""
    body = json.loads(said.stderr)
    assert body["exit_code"] == said.exit_code == 4
    assert "no data directory" in body["error"]


def test_a_bug_is_told_as_one_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build(tmp_path / "data")
    monkeypatch.setattr("embedkafka.cli.topics.read_topics", lambda path: 1 / 0)
    said = call("topics", "list", "--data", built.path)
    assert said.exit_code == 1
    assert "unexpected ZeroDivisionError" in said.stderr
    assert "EMBEDKAFKA_TRACEBACK=1" in said.stderr
    assert "Traceback" not in said.stderr


def test_version_says_which_codec_is_in_use() -> None:
    from embedkafka.record import is_compiled

    said = call("--version")
    assert said.exit_code == 0
    assert ("compiled" if is_compiled() else "pure") in said.stdout
    assert len(said.stdout.splitlines()) == 1


def test_every_command_has_a_help_that_ends_well() -> None:
    for words in (
        ("demo",),
        ("topics", "create"),
        ("produce",),
        ("consume",),
        ("groups", "reset-offsets"),
        ("log", "dump"),
        ("log", "verify"),
        ("backup",),
        ("perf", "producer"),
        ("perf", "consumer"),
        ("perf", "end-to-end"),
    ):
        said = call(*words, "--help")
        assert said.exit_code == 0
        assert "Usage: " in said.stdout
