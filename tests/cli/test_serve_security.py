"""``embedkafka serve`` that asks for users and encrypts."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli.calls import call
from server.certificates import Authority
from server.peers import WirePeer, request_bytes

from embedkafka.protocol.apis.api_17_sasl_handshake import SaslHandshakeRequest
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.protocol.apis.api_36_sasl_authenticate import SaslAuthenticateRequest

ROOT = Path(__file__).parents[2]


class At:
    """Where a listener is, for a peer."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.host: str = said["host"]
        self.port: int = said["port"]


@contextmanager
def served(*words: object) -> Iterator[At]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("EMBEDKAFKA_DATA", None)
    with subprocess.Popen(
        [sys.executable, "-m", "embedkafka", "serve", "--port", "0", "--json", *map(str, words)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield At(json.loads(process.stdout.readline()))
        finally:
            process.kill()


def log_in(peer: WirePeer, token: bytes) -> int:
    assert peer.ask(17, 1, SaslHandshakeRequest("PLAIN")).error_code == 0
    error_code: int = peer.ask(36, 2, SaslAuthenticateRequest(token)).error_code
    return error_code


def test_a_user_given_on_the_command_line_gets_in_and_nobody_else() -> None:
    with served("--memory", "--user", "alice:se:cret") as at:
        with WirePeer(at) as peer:  # type: ignore[arg-type]  # what it asks of a listener
            assert log_in(peer, b"\0alice\0se:cret") == 0
        with WirePeer(at) as peer:  # type: ignore[arg-type]
            assert log_in(peer, b"\0alice\0guess") == 58


def test_a_user_in_the_directory_gets_in(tmp_path: Path) -> None:
    data = tmp_path / "data"
    call("users", "add", "alice", "--data", data, stdin="secret\n")
    with served("--data", data, "--sasl") as at, WirePeer(at) as peer:  # type: ignore[arg-type]
        assert log_in(peer, b"\0alice\0secret") == 0


def test_a_certificate_encrypts_and_one_of_the_client_may_be_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.issue("server", "/CN=localhost"), authority.issue("client", "/CN=client")
    files = ("--ssl", server.certificate, "--ssl-key", server.key, "--ssl-client-ca", authority.certificate)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(client.certificate, client.key)
    with served("--memory", *files) as at, WirePeer(at) as peer:  # type: ignore[arg-type]
        peer.socket = context.wrap_socket(peer.socket, server_hostname="localhost")
        assert peer.ask(18, 3, ApiVersionsRequest("test", "1")).error_code == 0
        nobody = ssl.create_default_context(cafile=str(authority.certificate))
        with WirePeer(at) as other, pytest.raises((OSError, EOFError)):  # which of them depends on the version of TLS
            talk(other, nobody)


def talk(peer: WirePeer, context: ssl.SSLContext) -> None:
    peer.socket = context.wrap_socket(peer.socket, server_hostname="localhost")
    peer.socket.sendall(request_bytes(18, 3, ApiVersionsRequest("test", "1")))
    peer.receive_frame()


@pytest.mark.parametrize(
    "words",
    [
        ("--user", "alice"),
        ("--user", ":secret"),
        ("--ssl-key", "server.key"),
        ("--ssl-client-ca", "ca.pem"),
        ("--ssl", "/nowhere/server.pem"),
    ],
)
def test_what_cannot_be_served_safely_is_not_served(words: tuple[str, ...]) -> None:
    assert call("serve", "--memory", "--port", 0, *words).exit_code != 0


def test_a_certificate_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    missing = tmp_path / "no.pem"
    said = call("serve", "--memory", "--port", 0, "--ssl", missing)
    assert said.exit_code == 1
    assert str(missing) in said.stderr
