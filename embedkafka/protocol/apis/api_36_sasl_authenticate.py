"""SaslAuthenticate (36): one round of a SASL exchange (KIP-152).

The bytes are the mechanism's own.  From 1 the last answer tells after how long the client has to authenticate again
(KIP-368); 0 is never.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class SaslAuthenticateRequest:
    auth_bytes: bytes = wire(BYTES)


@dataclass(slots=True)
class SaslAuthenticateResponse:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    auth_bytes: bytes = wire(BYTES)
    session_lifetime_ms: int = wire(INT64, "1+", ignorable=True)


API = Api(
    36,
    request=Schema(SaslAuthenticateRequest, versions="0-2", flexible="2+"),
    response=Schema(SaslAuthenticateResponse, versions="0-2", flexible="2+"),
)
