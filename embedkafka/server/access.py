"""How a listener is spoken to: encrypted or not, and whether peers say who they are.

==================  ===========  =========================================================
protocol            encrypted    who a peer is
==================  ===========  =========================================================
``PLAINTEXT``       no           ``User:ANONYMOUS``
``SSL``             yes          whom its certificate names, where it shows one
``SASL_PLAINTEXT``  no           the user that it proves to be
``SASL_SSL``        yes          the user that it proves to be
==================  ===========  =========================================================
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from embedkafka.config import BROKER_CONFIGS
from embedkafka.errors import KafkaConfigurationError, SaslAuthenticationFailedError
from embedkafka.server.peer import Peer
from embedkafka.server.principal_rules import Rule, parse_rules, user_of
from embedkafka.server.sasl import SaslPeer, SaslSettings
from embedkafka.server.tls import server_context

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_Path = str | os.PathLike[str]


class CertifiedPeer(Peer):
    """A peer that a certificate may name."""

    def __init__(self, client_host: str, rules: list[Rule]) -> None:
        super().__init__(client_host)
        self._rules = rules

    def show_certificate(self, distinguished_name: str) -> None:
        user = user_of(self._rules, distinguished_name)
        if user is None:
            raise SaslAuthenticationFailedError(f"ssl.principal.mapping.rules have none for {distinguished_name}")
        super().show_certificate(user)


class Access(NamedTuple):
    """``is_authenticated``: whether every peer has to prove who it is."""

    ssl_context: ssl.SSLContext | None
    new_peer: Callable[[str], Peer]
    is_authenticated: bool


def access(
    engine: Engine,
    security_protocol: str = "PLAINTEXT",
    *,
    sasl_mechanisms: Sequence[str] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    ssl_certfile: _Path | None = None,
    ssl_keyfile: _Path | None = None,
    ssl_password: str | None = None,
    ssl_cafile: _Path | None = None,
    ssl_client_auth: str | None = None,
) -> Access:
    """How a listener of an engine is to be spoken to; see :meth:`embedkafka.EmbeddedKafka.listen` for the arguments.

    Raises:
        KafkaConfigurationError: they contradict each other, or a certificate cannot be read.
    """
    if security_protocol not in PROTOCOLS:
        raise KafkaConfigurationError(f"security_protocol is one of {', '.join(PROTOCOLS)}, not {security_protocol!r}")
    is_encrypted, asks_for_users = security_protocol.endswith("SSL"), security_protocol.startswith("SASL")
    files = (ssl_context, ssl_certfile, ssl_keyfile, ssl_cafile, ssl_client_auth)
    if not is_encrypted and any(each is not None for each in files):
        raise KafkaConfigurationError(
            f"certificates are for security_protocol SSL or SASL_SSL, not {security_protocol}"
        )
    if not asks_for_users and sasl_mechanisms is not None:
        raise KafkaConfigurationError(
            f"sasl_mechanisms is for security_protocol SASL_PLAINTEXT or SASL_SSL, not {security_protocol}"
        )
    if ssl_client_auth not in (None, "required", "requested", "none"):
        raise KafkaConfigurationError(f"ssl_client_auth is required, requested or none, not {ssl_client_auth!r}")
    if is_encrypted and ssl_context is None:
        ssl_context = server_context(
            engine.config,
            certfile=ssl_certfile,
            keyfile=ssl_keyfile,
            password=ssl_password,
            cafile=ssl_cafile,
            client_auth=ssl_client_auth,
        )
    if not asks_for_users:
        is_authenticated = ssl_context is not None and ssl_context.verify_mode is ssl.CERT_REQUIRED
        rules = parse_rules(engine.config.text("ssl.principal.mapping.rules"))
        return Access(ssl_context, partial(CertifiedPeer, rules=rules) if ssl_context else Peer, is_authenticated)
    settings = SaslSettings(engine, _mechanisms(engine, sasl_mechanisms))
    return Access(ssl_context, partial(SaslPeer, settings=settings), True)


def _mechanisms(engine: Engine, given: Sequence[str] | None) -> tuple[str, ...]:
    key = BROKER_CONFIGS["sasl.enabled.mechanisms"]
    names = key.parse(list(given) if given is not None else engine.config[key.name])
    if not isinstance(names, list) or not names:
        raise KafkaConfigurationError("sasl.enabled.mechanisms names none")
    return tuple(names)
