"""Whatever a peer does in whatever order: it is somebody only after it has proven that, and nobody else later."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.admin import UserScramCredentialUpsertion
from embedkafka.errors import BrokerResponseError
from embedkafka.server.sasl import SaslPeer, SaslSettings, SaslState

SESSION_MS = 5_000
METADATA, HANDSHAKE, AUTHENTICATE, VERSIONS = 3, 17, 36, 18
MECHANISMS = ["PLAIN"] * 12 + ["SCRAM-SHA-256", "GSSAPI", ""]  # a mistake ends it all, so most are none
LIKELY = [b"\0alice\0secret", b"\0bob\0secret"]
TOKENS = {b"\0alice\0secret": "alice", b"\0bob\0secret": "bob", b"\0alice\0guess": None, b"\0\0": None, b"": None}


@pytest.fixture
def engine() -> Iterator[SimpleNamespace]:
    """What a listener asks an engine for, with the users alice and bob."""
    with EmbeddedKafka(clock=ManualClock(), **{"connections.max.reauth.ms": SESSION_MS}) as kafka:
        with kafka.admin() as admin:
            for user in ("alice", "bob"):
                admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, 1, "secret")])
        users: Any = SimpleNamespace(  # the same answers without thousands of hashes for each
            is_password=lambda user, password: user in ("alice", "bob") and password == "secret",
            credential=kafka.engine.users.credential,
        )
        yield SimpleNamespace(config=kafka.engine.config, clock=kafka.clock, users=users)


def test_nobody_gets_in_but_by_a_proof(engine: SimpleNamespace) -> None:
    class Peers(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            settings = SaslSettings(engine, ("PLAIN", "SCRAM-SHA-256"))  # type: ignore[arg-type]
            self.peer = SaslPeer("/10.0.0.1", settings)
            self.user: str | None = None  # who it has proven to be
            self.mechanism: str | None = None  # chosen, and not used yet
            self.is_over = False
            self.since_ms = 0.0

        @precondition(lambda self: self.peer.may_ask(HANDSHAKE))
        @rule(mechanism=st.sampled_from(MECHANISMS), version=st.integers(0, 1))
        def choose(self, mechanism: str, version: int) -> None:
            before = self.peer.state
            try:
                self.peer.handshake(mechanism, version)
            except BrokerResponseError:
                self.is_over = self.peer.state is SaslState.FAILED
                assert self.is_over or self.peer.state is before
            else:
                self.mechanism = mechanism

        @precondition(lambda self: self.peer.may_ask(AUTHENTICATE) or self.peer.speaks_raw)
        @rule(token=st.one_of(*[st.sampled_from(LIKELY)] * 6, st.sampled_from(sorted(TOKENS)), st.binary(max_size=30)))
        def prove(self, token: bytes) -> None:
            try:
                self.peer.authenticate(token)
            except BrokerResponseError:
                self.is_over = self.peer.state is SaslState.FAILED
                assert self.is_over or self.peer.state is SaslState.COMPLETE  # not asked for any more
            else:
                proven = TOKENS.get(token) if self.mechanism == "PLAIN" else None
                if self.peer.state is SaslState.COMPLETE:
                    assert proven is not None
                    assert self.user in (None, proven)
                    self.user = proven
                    self.since_ms = engine.clock.monotonic_ms()
                    self.mechanism = None

        @precondition(lambda self: self.peer.may_ask(HANDSHAKE))
        @rule(user=st.sampled_from(["alice", "bob"]))
        def log_in(self, user: str) -> None:
            self.wait(1_000)
            if self.peer.may_ask(HANDSHAKE):
                self.choose("PLAIN", 1)
                self.prove(f"\0{user}\0secret".encode())

        @rule(delta_ms=st.sampled_from([1_000, 1, 999, SESSION_MS]))
        def wait(self, delta_ms: int) -> None:
            engine.clock.advance(delta_ms)

        @invariant()
        def is_whom_it_has_proven_to_be(self) -> None:
            assert self.peer.principal == f"User:{self.user or 'ANONYMOUS'}"

        @invariant()
        def only_somebody_may_ask(self) -> None:
            is_fresh = engine.clock.monotonic_ms() - self.since_ms < SESSION_MS
            is_known = self.user is not None and self.mechanism is None and not self.is_over and is_fresh
            assert self.peer.may_ask(METADATA) == is_known
            assert not self.is_over or not any(map(self.peer.may_ask, range(100)))
            if self.user is None:
                assert self.peer.frame_limit_bytes == 524_288

    run_state_machine_as_test(Peers)
