"""``embedkafka serve`` as a process: its ready line, its signals, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.calls import call

from embedkafka import EmbeddedKafka
from embedkafka.cli.exits import CliError
from embedkafka.cli.serve import parse_address

ROOT = Path(__file__).parents[2]
API_VERSIONS = bytes.fromhex("0000000a 0012 0000 00000007 ffff")


@contextmanager
def served(*words: object) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("EMBEDKAFKA_DATA", None)
    with subprocess.Popen(
        [sys.executable, "-m", "embedkafka", "serve", "--port", "0", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(API_VERSIONS)
        return peer.recv(8)


def ready(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


def test_the_ready_line_names_the_port_that_was_free_and_answers(tmp_path: Path) -> None:
    with served("--data", tmp_path / "data", "--json") as process:
        said = ready(process)
        assert said["event"] == "ready"
        assert said["address"] == f"127.0.0.1:{said['port']}"
        port = said["port"]
        assert isinstance(port, int)
        assert ask(port)[4:] == (7).to_bytes(4, "big")


def test_without_json_the_ready_line_is_for_a_person() -> None:
    with served("--memory") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:")
        assert line.endswith(", data in memory\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    with served("--data", data, "--json") as process:
        ready(process)
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert json.loads(process.stdout.read()) == {"event": "stopped"}
    assert (data / "broker-0" / ".kafka_cleanshutdown").exists()


def test_a_public_address_needs_a_plain_word() -> None:
    said = call("serve", "--memory", "--listen", "0.0.0.0:0")
    assert said.exit_code == 2
    assert "--allow-public-without-authentication" in said.stderr


def test_memory_and_a_directory_exclude_each_other(tmp_path: Path) -> None:
    assert call("serve", "--memory", "--data", tmp_path).exit_code == 2


def test_a_taken_port_is_told() -> None:
    with EmbeddedKafka() as kafka:
        address = kafka.listen().address
        said = call("serve", "--memory", "--listen", address)
    assert said.exit_code == 1
    assert f"cannot listen on {address}" in said.stderr


def test_settings_reach_the_broker() -> None:
    with served("--memory", "--json", "--config", "no.such.setting=1") as process:
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert "no.such.setting" in process.stderr.read()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9", ("127.0.0.1", 9)),
        ("[::1]:9", ("::1", 9)),
        ("localhost", ("localhost", 9092)),
        ("[::1]", ("::1", 9092)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text, "--listen") == address


@pytest.mark.parametrize("text", ["", ":9", "host:port", "host:65536", "host:-1"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(CliError, match="--listen takes HOST:PORT"):
        parse_address(text, "--listen")
