"""``demo``: it works, it notices when something is wrong, and the commands it ends with work when pasted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli.calls import call
from server.waiting import wait_until

from embedkafka import EmbeddedKafka
from embedkafka.cli.demo import source as sources
from embedkafka.cli.demo import steps
from embedkafka.cli.demo.command import look_around

ROOT = Path(__file__).parents[2]


def run(*words: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "embedkafka", *words],
        cwd=directory,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=100,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("demo")
    ran = run("demo", "--repeat", "1", directory=directory)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return directory, ran.stdout


def test_it_leaves_its_data_in_a_directory_of_its_own(shown: tuple[Path, str]) -> None:
    directory, _ = shown
    assert [path.name for path in directory.iterdir()] == ["embedkafka-demo"]


def test_every_check_holds(shown: tuple[Path, str]) -> None:
    _, stdout = shown
    assert "WRONG" not in stdout
    assert stdout.count("   ok   ") == 8


def test_it_fits_into_80_columns_but_for_the_commands_to_paste(shown: tuple[Path, str]) -> None:
    _, stdout = shown
    story = stdout.split("Look around:")[0]
    assert max(map(len, story.splitlines())) <= 80


def test_every_command_it_ends_with_works_when_pasted(shown: tuple[Path, str]) -> None:
    directory, stdout = shown
    commands = [line.strip() for line in stdout.split("Look around:")[1].splitlines() if line.strip()]
    assert len(commands) == len(look_around(Path("x")))
    for command in commands:
        ran = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=directory,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stderr}"
        assert ran.stdout or " produce " in command


def test_a_second_run_takes_the_next_free_name(shown: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "embedkafka-demo").mkdir()
    ran = run("demo", "--repeat", "1", "--json", directory=tmp_path)
    assert json.loads(ran.stdout)["data"] == "embedkafka-demo-2"


def test_json_is_one_object_with_the_outcome(tmp_path: Path) -> None:
    said = call("demo", "--repeat", 1, "--data", tmp_path / "data", "--json")
    (report,) = said.objects()
    assert (said.exit_code, report["ok"]) == (0, True)
    assert report["produced"][0]["records"] == report["lines"] > 5_000
    crash = report["crash"]
    assert crash["read_again"] == crash["read"] - crash["committed"] > 0
    assert crash["committed"] + crash["resumed"] == report["lines"]


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert call("demo", "--data", tmp_path).exit_code == 2
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_lost_line_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = steps.GroupRun.take

    def lose_one(self: steps.GroupRun, records: list[object]) -> None:
        if self.records == 0 and self.group == "index":
            self.keyed.records += 1  # counted, but never seen
            records = records[1:]
        take(self, records)

    monkeypatch.setattr(steps.GroupRun, "take", lose_one)
    said = call("demo", "--repeat", 1, "--data", tmp_path / "data")
    assert said.exit_code == 1
    assert "WRONG  group index read every line once" in said.stdout
    assert "the counts do not agree" in said.stderr


@pytest.mark.parametrize("until", ["input: ", "   Without a key"])
def test_ctrl_c_ends_it_quietly_while_it_produces_and_while_it_reads(tmp_path: Path, until: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "embedkafka", "demo", "--repeat", "50"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith(until):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert (process.wait(30), said) == (130, "interrupted\n")


def test_ctrl_c_while_members_start_lets_those_leave_that_have_started(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    with EmbeddedKafka() as kafka:
        admin = kafka.admin()

        def member_count() -> int:
            return sum(len(group["members"]) for group in admin.describe_groups(list(steps.GROUPS)).values())

        def interrupted(thread: threading.Thread) -> None:
            if thread.name.startswith(tuple(steps.GROUPS)):
                if len(started) == 2:
                    wait_until(lambda: member_count() == 2)
                    monkeypatch.setattr(steps, "GIVE_UP_S", 1.0)  # for the one that never runs
                    raise KeyboardInterrupt
                started.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", interrupted)
        steps.create_topics(kafka)
        with pytest.raises(KeyboardInterrupt):
            steps.read_in_groups(kafka, sources.load(1), lambda *_, **__: None)
        assert member_count() == 0
