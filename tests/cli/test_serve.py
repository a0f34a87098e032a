"""``embedkafka serve`` as a process: its ready line, its signals, what it refuses."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.calls import call
from server.waiting import wait_until

from embedkafka import EmbeddedKafka
from embedkafka.cli import stopping
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


def is_served(port: int) -> bool:
    try:
        return ask(port)[4:] == (7).to_bytes(4, "big")
    except ConnectionResetError:
        return False


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


def test_a_signal_that_comes_twice_at_once_is_one_wish(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served("--data", data) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        while "stopping" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert (data / "broker-0" / ".kafka_cleanshutdown").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit")
def test_too_many_open_files_are_said_once_and_forgotten_when_some_are_closed() -> None:
    with served("--memory", "--json") as process:
        port = ready(process)["port"]
        assert isinstance(port, int)
        assert is_served(port)  # so what answers these peers is imported
        open_files = len(os.listdir(f"/proc/{process.pid}/fd"))
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (open_files + 3, open_files + 3))
        peers = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(10)]
        peers[0].sendall(API_VERSIONS)
        assert peers[0].recv(8)  # it has looked at all of them
        for peer in peers:
            peer.close()
        wait_until(lambda: is_served(port))  # until it has seen them go, it turns others away
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read().count("Too many open files") <= 1


_A_SIGNAL_AT_EVERY_LINE_OF_A_SIGNALS_HANDLER = """
import signal, sys
from embedkafka.cli.stopping import stop_signals

def once_more(frame, event, argument):
    if event == "line":
        signal.raise_signal(signal.SIGTERM)
    return once_more

with stop_signals() as stopped:
    sys.settrace(once_more)
    signal.raise_signal(signal.SIGINT)
    sys.settrace(None)
    stopped.wait()
print("stopped")
"""


def test_a_signal_in_the_middle_of_another_ones_handler_does_not_wait_for_it() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _A_SIGNAL_AT_EVERY_LINE_OF_A_SIGNALS_HANDLER],
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=True,
    )
    assert ran.stdout == "stopped\n"


def test_a_later_signal_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ONE_WISH_S", -1.0)
    with stopping.stop_signals() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_public_address_needs_a_plain_word(tmp_path: Path) -> None:
    said = call("serve", "--data", tmp_path / "data", "--listen", "0.0.0.0:0")
    assert said.exit_code == 2
    assert "--public-without-users" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_nobody_knows_is_told() -> None:
    said = call("serve", "--memory", "--listen", "no.such.host.invalid:0")
    assert said.exit_code == 1
    assert "cannot listen on no.such.host.invalid" in said.stderr


def test_all_of_its_options_are_readable_on_a_narrow_terminal() -> None:
    assert "\N{HORIZONTAL ELLIPSIS}" not in call("serve", "--help", env={"COLUMNS": "80"}).stdout


def test_it_logs_who_is_refused_where_that_is_asked_for() -> None:
    with served("--memory", "--json", "--verbose") as process:
        port = ready(process)["port"]
        assert isinstance(port, int)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert peer.recv(1) == b""
        assert process.stderr is not None
        assert "embedkafka.server.connection: /127.0.0.1: closed: " in process.stderr.readline()


def test_memory_and_a_directory_exclude_each_other(tmp_path: Path) -> None:
    assert call("serve", "--memory", "--data", tmp_path).exit_code == 2


def test_a_taken_port_is_told() -> None:
    with EmbeddedKafka() as kafka:
        address = kafka.listen().address
        said = call("serve", "--memory", "--listen", address)
    assert said.exit_code == 1
    assert f"cannot listen on {address}: Address already in use" in said.stderr
    assert "0 takes a free one" in said.stderr


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


@pytest.mark.parametrize("text", ["", ":9", "9", "host:port", "host:65536", "host:-1"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(CliError, match="--listen takes HOST:PORT"):
        parse_address(text, "--listen")


@pytest.mark.parametrize("text", [":9", "9"])
def test_a_port_alone_is_told_how_to_be_an_address(text: str) -> None:
    with pytest.raises(CliError) as raised:
        parse_address(text, "--listen")
    assert "127.0.0.1:9 " in raised.value.hint
