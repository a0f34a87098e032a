"""Who a peer is, on the wire: what is open to it before and after it has said so."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from server.peers import WirePeer, frame, produce_request

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.admin import UserScramCredentialDeletion, UserScramCredentialUpsertion
from embedkafka.errors import KafkaConfigurationError
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest
from embedkafka.protocol.apis.api_17_sasl_handshake import SaslHandshakeRequest
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.protocol.apis.api_36_sasl_authenticate import SaslAuthenticateRequest
from embedkafka.server.listener import Listener

UNSUPPORTED_MECHANISM, ILLEGAL_STATE, FAILED = 33, 34, 58
VERSIONS = ApiVersionsRequest("test", "1")
RIGHT, WRONG = b"\0alice\0secret", b"\0alice\0guess"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def kafka(clock: ManualClock) -> Iterator[EmbeddedKafka]:
    settings: dict[str, Any] = {
        "connections.max.reauth.ms": 60_000,
        "connection.failed.authentication.delay.ms": 1,
    }
    with EmbeddedKafka(clock=clock, **settings) as engine, engine.admin() as admin:
        for user in ("alice", "bob"):
            admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, 1, "secret")])
        engine.create_topic("t")
        yield engine


@pytest.fixture
def listener(kafka: EmbeddedKafka) -> Listener:
    return kafka.listen(security_protocol="SASL_PLAINTEXT")


def handshake(peer: WirePeer, mechanism: str = "PLAIN", version: int = 1) -> Any:
    return peer.ask(17, version, SaslHandshakeRequest(mechanism))


def authenticate(peer: WirePeer, token: bytes = RIGHT, version: int = 2) -> Any:
    return peer.ask(36, version, SaslAuthenticateRequest(token))


def log_in(peer: WirePeer) -> None:
    assert handshake(peer).error_code == 0
    assert authenticate(peer).error_code == 0


def test_versions_can_be_asked_for_before_authentication(peer: WirePeer) -> None:
    assert peer.ask(18, 3, VERSIONS).error_code == 0
    log_in(peer)
    assert len(peer.ask(3, 9, MetadataRequest(None)).topics) == 1


@pytest.mark.parametrize("steps", [0, 1])
def test_anything_else_before_authentication_ends_the_connection(peer: WirePeer, steps: int) -> None:
    if steps:
        handshake(peer)
    peer.send(3, 9, MetadataRequest(None))
    assert peer.is_closed_by_listener()


def test_tokens_without_a_handshake_end_the_connection(peer: WirePeer) -> None:
    peer.send(36, 2, SaslAuthenticateRequest(RIGHT))
    assert peer.is_closed_by_listener()


def test_an_unknown_mechanism_is_answered_with_those_that_there_are(peer: WirePeer) -> None:
    response = handshake(peer, "GSSAPI")
    assert response.error_code == UNSUPPORTED_MECHANISM
    assert response.mechanisms == ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    assert peer.is_closed_by_listener()


def test_a_listener_may_offer_fewer_mechanisms(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen(security_protocol="SASL_PLAINTEXT", sasl_mechanisms=["SCRAM-SHA-512"])
    with WirePeer(listener) as peer:
        assert handshake(peer).mechanisms == ["SCRAM-SHA-512"]


def test_a_wrong_password_is_answered_and_ends_the_connection(peer: WirePeer) -> None:
    handshake(peer)
    response = authenticate(peer, WRONG)
    assert (response.error_code, response.error_message) == (
        FAILED,
        "Authentication failed: Invalid username or password",
    )
    assert peer.is_closed_by_listener()


def test_who_fails_to_log_in_is_in_the_log(peer: WirePeer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "embedkafka")
    handshake(peer)
    authenticate(peer, WRONG)
    assert "/127.0.0.1: Authentication failed: Invalid username or password" in caplog.messages
    assert "guess" not in caplog.text


def test_a_removed_user_gets_in_no_more(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    with kafka.admin() as admin:
        admin.alter_user_scram_credentials([UserScramCredentialDeletion("alice", 1)])
    handshake(peer)
    assert authenticate(peer).error_code == FAILED


def test_tokens_may_come_without_headers_after_the_oldest_handshake(peer: WirePeer) -> None:
    assert handshake(peer, version=0).error_code == 0
    peer.socket.sendall(frame(RIGHT))
    assert peer.receive_frame() == b""
    assert len(peer.ask(3, 9, MetadataRequest(None)).topics) == 1


def test_a_wrong_password_without_headers_ends_the_connection(peer: WirePeer) -> None:
    handshake(peer, version=0)
    peer.socket.sendall(frame(WRONG))
    assert peer.is_closed_by_listener()


def test_a_large_frame_is_taken_from_who_is_known(peer: WirePeer) -> None:
    log_in(peer)
    response = peer.ask(0, 9, produce_request("t", [b"x" * 600_000]))
    assert response.responses[0].partition_responses[0].error_code == 0


def test_a_large_frame_of_who_is_not_known_ends_the_connection(peer: WirePeer) -> None:
    peer.socket.sendall(struct.pack("!i", 524_289))
    assert peer.is_closed_by_listener()


def test_the_answer_tells_how_long_a_user_is_known(peer: WirePeer) -> None:
    handshake(peer)
    assert authenticate(peer).session_lifetime_ms == 60_000


def test_who_does_not_authenticate_again_is_forgotten(peer: WirePeer, clock: ManualClock) -> None:
    log_in(peer)
    clock.advance(59_999)
    assert peer.ask(18, 3, VERSIONS).error_code == 0
    clock.advance(1)
    peer.send(18, 3, VERSIONS)
    assert peer.is_closed_by_listener()


def test_who_authenticates_again_stays(peer: WirePeer, clock: ManualClock) -> None:
    log_in(peer)
    for _ in range(3):
        clock.advance(60_000)
        log_in(peer)
        assert len(peer.ask(3, 9, MetadataRequest(None)).topics) == 1


def test_while_authenticating_again_nothing_else_is_open(peer: WirePeer, clock: ManualClock) -> None:
    log_in(peer)
    clock.advance(2_000)
    handshake(peer)
    peer.send(3, 9, MetadataRequest(None))
    assert peer.is_closed_by_listener()


def test_authenticating_again_at_once_is_refused_and_the_user_stays(peer: WirePeer) -> None:
    log_in(peer)
    assert handshake(peer).error_code == ILLEGAL_STATE
    assert authenticate(peer).error_code == ILLEGAL_STATE
    assert len(peer.ask(3, 9, MetadataRequest(None)).topics) == 1


def test_nobody_becomes_somebody_else(peer: WirePeer, clock: ManualClock) -> None:
    log_in(peer)
    clock.advance(2_000)
    handshake(peer)
    response = authenticate(peer, b"\0bob\0secret")
    assert response.error_code == FAILED
    assert "Cannot change principals" in response.error_message
    assert peer.is_closed_by_listener()


def test_the_mechanism_stays_the_same(peer: WirePeer, clock: ManualClock) -> None:
    log_in(peer)
    clock.advance(2_000)
    assert handshake(peer, "SCRAM-SHA-256").error_code == UNSUPPORTED_MECHANISM
    assert peer.is_closed_by_listener()


def test_where_nobody_asks_authentication_is_refused(kafka: EmbeddedKafka) -> None:
    with WirePeer(kafka.listen()) as peer:
        assert handshake(peer).error_code == ILLEGAL_STATE
        assert authenticate(peer).error_code == ILLEGAL_STATE
        assert len(peer.ask(3, 9, MetadataRequest(None)).topics) == 1


def test_a_public_address_needs_authentication_or_a_clear_word(kafka: EmbeddedKafka) -> None:
    with pytest.raises(KafkaConfigurationError, match="allow_public"):
        kafka.listen("0.0.0.0")
    with kafka.listen("0.0.0.0", security_protocol="SASL_PLAINTEXT") as listener:
        assert listener.port


@pytest.mark.parametrize(
    "arguments",
    [
        {"security_protocol": "KERBEROS"},
        {"security_protocol": "SSL"},
        {"security_protocol": "SASL_SSL", "ssl_certfile": "/nowhere/server.pem"},
        {"ssl_certfile": "server.pem"},
        {"sasl_mechanisms": ["PLAIN"]},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanisms": ["GSSAPI"]},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanisms": []},
        {"security_protocol": "SASL_PLAINTEXT", "ssl_certfile": "server.pem"},
        {"security_protocol": "SSL", "ssl_client_auth": "perhaps"},
    ],
)
def test_settings_that_cannot_be_are_refused_before_anybody_listens(
    kafka: EmbeddedKafka, arguments: dict[str, Any]
) -> None:
    with pytest.raises(KafkaConfigurationError):
        kafka.listen(**arguments)
    assert kafka.engine.doors == []


def test_a_failure_is_answered_after_a_while_and_others_do_not_wait(tmp_path: object) -> None:
    with EmbeddedKafka(**{"connection.failed.authentication.delay.ms": 60_000}) as kafka:
        listener = kafka.listen(security_protocol="SASL_PLAINTEXT")
        with WirePeer(listener) as failing, WirePeer(listener) as other:
            handshake(failing)
            failing.send(36, 2, SaslAuthenticateRequest(WRONG))
            assert other.ask(18, 3, VERSIONS).error_code == 0
            failing.socket.settimeout(0.05)
            with pytest.raises(socket.timeout):
                failing.receive_frame()
