"""The README is true: its code works when pasted, its links lead somewhere, its commands exist."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def run(arguments: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(arguments, cwd=directory, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_the_code_works_when_pasted(number: int, tmp_path: Path) -> None:
    block = blocks("python")[number]
    (tmp_path / "pasted.py").write_text(block)
    pytests = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "@pytest.fixture" in block else []
    ran = run([sys.executable, "-W", "error", *pytests, "pasted.py"], tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert not pytests or "1 passed" in ran.stdout


def test_the_first_block_bills_and_audits_everything(tmp_path: Path) -> None:
    assert run([sys.executable, "-c", blocks("python")[0]], tmp_path).stdout == "1000 billed, 1000 audited\n"


def test_the_first_block_has_about_thirty_lines() -> None:
    assert 25 <= len(blocks("python")[0].splitlines()) <= 35


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("embedkafka ")]


def test_the_commands_after_it_work_on_what_it_wrote(tmp_path: Path) -> None:
    run([sys.executable, "-c", blocks("python")[0]], tmp_path)
    looking = [line for line in commands() if not re.match("embedkafka (serve|users)", line)]
    assert len(looking) == 4
    for line in looking:
        ran = run(["/bin/sh", "-c", line.replace("embedkafka", f"'{sys.executable}' -m embedkafka", 1)], tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout


def test_its_server_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    words = next(shlex.split(line) for line in commands() if line.startswith("embedkafka serve"))
    with subprocess.Popen(
        [sys.executable, "-m", *words, "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert "127.0.0.1:" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def test_the_options_of_its_server_exist() -> None:
    said = run([sys.executable, "-m", "embedkafka", "serve", "--help"], ROOT).stdout
    named = {word for line in commands() if " serve " in line for word in line.split() if word.startswith("--")}
    assert {"--data", "--listen", "--sasl"} < named
    assert [option for option in named if option not in said] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?:)([^)]+)\)", README))))
def test_the_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_every_file_it_names_exists() -> None:
    named = re.findall(r"`((?:benchmarks|embedkafka|tests|\.ci)/[\w./-]+)`", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_commands_it_lists_are_those_there_are() -> None:
    from embedkafka.cli.app import app

    listed = re.search(r"`embedkafka (demo \|[^`]*)`", README)
    assert listed is not None
    names = {command.strip().split()[0] for command in listed[1].split("|")}
    there = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert names == there


def test_the_exit_codes_it_lists_are_those_there_are() -> None:
    from embedkafka.cli.exits import ExitCode

    table = README.split("| exit code |")[1].split("\n\n")[0]
    listed = {int(code) for cells in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cells.split(",")}
    assert listed == set(ExitCode)
