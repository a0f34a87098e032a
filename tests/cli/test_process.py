"""The command as a process: exit codes, signals, closed pipes, encodings, completion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.directories import Built, batch, build, write_segment

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
for name in ("EMBEDKAFKA_DATA", "PYTHONUNBUFFERED"):  # unbuffered, a closed pipe shows earlier than it does elsewhere
    ENVIRONMENT.pop(name, None)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data", segments=2)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "embedkafka", *(str(word) for word in words)]


def run(*words: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*words), capture_output=True, env={**ENVIRONMENT, **(env or {})}, timeout=30)


def test_a_good_end_is_exit_code_0(built: Built) -> None:
    assert run("log", "verify", "--data", built.path).returncode == 0


def test_something_wrong_is_exit_code_1(built: Built) -> None:
    built.log(6).write_bytes(b"\0" * 99)
    assert run("log", "verify", "--data", built.path).returncode == 1


def test_wrong_usage_is_exit_code_2() -> None:
    assert run("topics", "list").returncode == 2


def test_nothing_there_is_exit_code_4(tmp_path: Path) -> None:
    assert run("topics", "list", "--data", tmp_path / "nope").returncode == 4


def test_a_reader_that_goes_away_ends_it_quietly_with_exit_code_141(built: Built) -> None:
    write_segment(built.log(), [batch(0, [b"x" * (number % 97) for number in range(10_000)])])
    with subprocess.Popen(
        command("consume", "lines", "--data", built.path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


@pytest.mark.parametrize("words", [("--follow",), ("--timeout-ms", "60000")])
def test_ctrl_c_ends_it_quietly_with_exit_code_130(built: Built, words: tuple[str, ...]) -> None:
    with subprocess.Popen(
        command("consume", "lines", "--data", built.path, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(12):
            process.stdout.readline()  # flushed although it goes to a pipe, because it waits for more now
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b"interrupted\n"


def test_a_terminal_that_knows_only_ascii_gets_escapes(built: Built) -> None:
    write_segment(built.log(), [batch(0, ["naïve".encode()])])
    ran = run("consume", "lines", "-n", 1, "--data", built.path, env={"PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stdout.strip()) == (0, rb"na\xefve")


def test_a_tool_gets_results_on_stdout_only(built: Built) -> None:
    ran = run("consume", "lines", "--data", built.path)
    assert len(ran.stdout.splitlines()) == 12
    assert ran.stderr == b"12 records\n"


def test_the_shell_can_complete_commands() -> None:
    words = {"_EMBEDKAFKA_COMPLETE": "complete_bash", "COMP_WORDS": "embedkafka to", "COMP_CWORD": "1"}
    assert run(env=words).stdout.split() == [b"topics"]


def test_importing_the_library_does_not_pay_for_the_command_line() -> None:
    code = "import sys, embedkafka; print([name for name in ('typer', 'rich', 'click') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, env=ENVIRONMENT, timeout=30, text=True)
    assert ran.stdout == "[]\n"
