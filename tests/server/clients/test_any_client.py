"""What examples/any_client.md says is true: every block of it runs as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_kafka.jars import compiled

from embedkafka.config import BROKER_CONFIGS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "examples/any_client.md").read_text()
KAFKAJS = Path(__file__).parent / "kafkajs"
FRANZ_GO = Path(__file__).parent / "franz_go"
LIMIT_S = 60

Program = Callable[[str, str], str]


def block(language: str, word: str) -> str:
    """The block in that language with that word in it; there is exactly one."""
    found = [
        each for each in re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE) if word in each
    ]
    assert len(found) == 1, word
    return str(found[0])


@pytest.fixture
def run(broker: str, tmp_path: Path) -> Callable[..., str]:
    """What a command says on stdout, in an empty folder."""

    def ask(*command: object, address: str = broker, cwd: Path = tmp_path, **environment: str) -> str:
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BOOTSTRAP_SERVERS": address, **environment},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return ask


@pytest.fixture
def embedkafka_on_path(tmp_path: Path) -> str:
    """A PATH on which ``embedkafka`` is the one under test."""
    script = tmp_path / "bin" / "embedkafka"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m embedkafka "$@"\n')
    script.chmod(0o755)
    return f"{script.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("client", ["from kafka import", "aiokafka", "ManualClock"])
def test_a_client_in_python(run: Callable[..., str], client: str) -> None:
    assert run(sys.executable, "-c", block("python", client)) == "hello\n"


def test_kafkajs(run: Callable[..., str], program: Program, tmp_path: Path) -> None:
    node = program("node", "kafkajs needs Node.js")
    if not (KAFKAJS / "node_modules" / "kafkajs").is_dir():
        pytest.skip(f"kafkajs is not installed: npm ci --prefix {KAFKAJS}")
    (tmp_path / "hello.js").write_text(block("js", "kafkajs"))
    assert run(node, "hello.js", NODE_PATH=str(KAFKAJS / "node_modules")) == "hello\n"


@pytest.mark.real_kafka
def test_java(run: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "Hello.java"
    source.write_text(block("java", "class Hello"))
    jars = compiled([source], tmp_path)
    assert run(*jars.command("Hello")) == "hello\n"


@pytest.mark.timeout(600)
def test_go(run: Callable[..., str], program: Program, tmp_path: Path) -> None:
    go = program("go", "franz-go needs Go 1.26 or later")
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((FRANZ_GO / name).read_bytes())
    (tmp_path / "main.go").write_text(block("go", "package main"))
    assert run(go, "run", "-mod=mod", ".") == "hello\n"


def test_kcat(run: Callable[..., str], program: Program) -> None:
    program("kcat", "apt-get install kcat")
    assert run("sh", "-ec", block("sh", "kcat")) == "hello\n"


def test_a_server_for_a_script(run: Callable[..., str], embedkafka_on_path: str) -> None:
    lines = block("sh", "broker.json").replace("# ... run your tests here ...", "echo $BOOTSTRAP_SERVERS")
    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", run("bash", "-emc", lines, PATH=embedkafka_on_path))


@pytest.fixture
def secured(run: Callable[..., str], embedkafka_on_path: str, tmp_path: Path) -> Iterator[str]:
    """The address of what the block about users serves."""
    *commands, serve = block("sh", "openssl").splitlines()
    for command in commands:
        run("sh", "-ec", command, PATH=embedkafka_on_path)
    with subprocess.Popen(
        ["sh", "-c", f"exec {serve} --json --port 0"],
        cwd=tmp_path,
        env={**os.environ, "PATH": embedkafka_on_path, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()


def test_users_encryption_and_rules(run: Callable[..., str], secured: str) -> None:
    said = run(sys.executable, "-c", block("python", "SASL_SSL"), address=secured)
    assert sorted(said.splitlines()) == ["Broker: Topic authorization failed", "hello"]


def test_its_table_of_settings_tells_their_defaults() -> None:
    rows = re.findall(r"^\| `([a-z.]+)` \| (\w+) \|", TEXT, re.MULTILINE)
    assert len(rows) == 9
    assert rows == [(name, str(BROKER_CONFIGS[name].default).lower()) for name, _ in rows]
