"""Who a peer is, on a listener that asks: SASL as Kafka's brokers speak it (KIP-43, KIP-152, KIP-368).

==================  ============================================  ==================================================
state               open to it                                    left for
==================  ============================================  ==================================================
``HANDSHAKE``       ApiVersions, SaslHandshake                    ``TOKENS`` (v1), ``RAW_TOKENS`` (v0), ``FAILED``
``TOKENS``          SaslAuthenticate                              ``COMPLETE`` or ``FAILED``
``RAW_TOKENS``      the mechanism's bytes without any header      ``COMPLETE`` or ``FAILED``
``COMPLETE``        everything; SaslHandshake begins again        as ``HANDSHAKE``; same user, same mechanism
``FAILED``          nothing: the connection ends
==================  ============================================  ==================================================

What is not open ends the connection.  With ``connections.max.reauth.ms`` a user is known for so long only: then all
but a new handshake ends it, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from embedkafka.errors import IllegalSaslStateError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError
from embedkafka.server.peer import Peer
from embedkafka.server.sasl_mechanisms import PLAIN, SCRAM, PlainExchange, SaslExchange, ScramExchange

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_API_VERSIONS, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = 18, 17, 36
_LEAST_REAUTHENTICATION_MS = 1_000  # org.apache.kafka.common.network.KafkaChannel
_NONCE_BYTES = 24


class SaslState(Enum):
    HANDSHAKE = "HANDSHAKE"
    TOKENS = "TOKENS"
    RAW_TOKENS = "RAW_TOKENS"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


_OPEN = {
    SaslState.HANDSHAKE: frozenset((_API_VERSIONS, _SASL_HANDSHAKE)),
    SaslState.TOKENS: frozenset((_SASL_AUTHENTICATE,)),
    SaslState.RAW_TOKENS: frozenset[int](),
    SaslState.FAILED: frozenset[int](),
}


class SaslSettings:
    """What the connections of a listener authenticate by.

    Args:
        mechanisms: those that are offered.
    """

    def __init__(self, engine: Engine, mechanisms: tuple[str, ...]) -> None:
        config = engine.config
        self.mechanisms = mechanisms
        self.max_token_bytes = config.integer("sasl.server.max.receive.size")
        self.session_ms = config.integer("connections.max.reauth.ms")
        self.failure_delay_ms = config.integer("connection.failed.authentication.delay.ms")
        self.now_ms: Callable[[], float] = engine.clock.monotonic_ms
        self._users = engine.users
        self._secret = secrets.token_bytes(32)

    def exchange(self, mechanism: str) -> SaslExchange:
        """A new authentication.  Nonces are never repeatable, whatever the engine's seed: a replay would get in."""
        if mechanism == PLAIN:
            return PlainExchange(self._users.is_password)
        scram = SCRAM[mechanism]
        find = partial(self._users.credential, mechanism=scram)
        return ScramExchange(scram, find, nonce=secrets.token_urlsafe(_NONCE_BYTES), secret=self._secret)


class SaslPeer(Peer):
    """A peer that has to say who it is."""

    def __init__(self, client_host: str, settings: SaslSettings) -> None:
        super().__init__(client_host)
        self.mechanisms = settings.mechanisms
        self.failure_delay_ms = settings.failure_delay_ms
        self._settings = settings
        self._state = SaslState.HANDSHAKE
        self._mechanism = ""
        self._exchange: SaslExchange | None = None
        self._known_since_ms: float | None = None  # None before the first time

    @property
    def state(self) -> SaslState:
        return self._state

    @property
    def frame_limit_bytes(self) -> int | None:
        return None if self._known_since_ms is not None else self._settings.max_token_bytes

    @property
    def speaks_raw(self) -> bool:
        return self._state is SaslState.RAW_TOKENS

    def may_ask(self, api_key: int) -> bool:
        if self._state is not SaslState.COMPLETE:
            return api_key in _OPEN[self._state]
        return not self._is_expired or api_key == _SASL_HANDSHAKE

    @property
    def _is_expired(self) -> bool:
        settings = self._settings
        if not settings.session_ms or self._known_since_ms is None:
            return False
        return settings.now_ms() - self._known_since_ms >= settings.session_ms

    def handshake(self, mechanism: str, version: int) -> tuple[str, ...]:
        """A mechanism is chosen; returns those that there are.

        Raises:
            UnsupportedSaslMechanismError: it is not among them; the connection ends.
            IllegalSaslStateError: it comes too early after the last time.
        """
        settings = self._settings
        if self._state is SaslState.COMPLETE:
            assert self._known_since_ms is not None
            if settings.now_ms() - self._known_since_ms < _LEAST_REAUTHENTICATION_MS:
                raise IllegalSaslStateError("SaslHandshake request received after successful authentication")
        is_other = self._known_since_ms is not None and mechanism != self._mechanism
        if mechanism not in settings.mechanisms or is_other:
            self._state = SaslState.FAILED
            raise UnsupportedSaslMechanismError(f"Unsupported SASL mechanism {mechanism}")
        self._mechanism = mechanism
        self._exchange = settings.exchange(mechanism)
        self._state = SaslState.TOKENS if version else SaslState.RAW_TOKENS
        return settings.mechanisms

    def authenticate(self, token: bytes) -> tuple[bytes, int]:
        """The client's next bytes; returns the answer, and how long the user is known, milliseconds (0: for ever).

        Raises:
            SaslAuthenticationFailedError: it is not who it says; the connection ends.
            IllegalSaslStateError: it need not say any more.
        """
        exchange = self._exchange
        if self._state is SaslState.COMPLETE or exchange is None:
            raise IllegalSaslStateError("SaslAuthenticate request received after successful authentication")
        try:
            answer = exchange.respond(token)
            if exchange.user is None:
                return answer, 0
            self._recognize(f"User:{exchange.user}")
        except SaslAuthenticationFailedError:
            self._state = SaslState.FAILED
            raise
        return answer, self._settings.session_ms

    def _recognize(self, principal: str) -> None:
        if self._known_since_ms is not None and principal != self.principal:
            raise SaslAuthenticationFailedError(
                f"Cannot change principals during re-authentication from {self.principal}: {principal}"
            )
        self.principal = principal
        self._known_since_ms = self._settings.now_ms()
        self._state = SaslState.COMPLETE
        self._exchange = None
