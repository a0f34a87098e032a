"""SaslHandshake (17): name the SASL mechanism, or learn which there are.

After version 0 the mechanism's bytes follow bare on the connection, after version 1 inside SaslAuthenticate (KIP-152).
It is never flexible: old Java clients would send the wrong header (KAFKA-9577).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class SaslHandshakeRequest:
    mechanism: str = wire(STRING)


@dataclass(slots=True)
class SaslHandshakeResponse:
    error_code: int = wire(INT16)
    mechanisms: list[str] = wire(array(STRING))


API = Api(
    17,
    request=Schema(SaslHandshakeRequest, versions="0-1"),
    response=Schema(SaslHandshakeResponse, versions="0-1"),
)
