"""ExpireDelegationToken (40): change a delegation token's expiry; a negative period ends it at once (KIP-48)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT32, INT64, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ExpireDelegationTokenRequest:
    hmac: bytes = wire(BYTES)
    expiry_time_period_ms: int = wire(INT64)


@dataclass(slots=True)
class ExpireDelegationTokenResponse:
    error_code: int = wire(INT16)
    expiry_timestamp_ms: int = wire(INT64)
    throttle_time_ms: int = wire(INT32)


API = Api(
    40,
    request=Schema(ExpireDelegationTokenRequest, versions="1-2", flexible="2+"),
    response=Schema(ExpireDelegationTokenResponse, versions="1-2", flexible="2+"),
)
