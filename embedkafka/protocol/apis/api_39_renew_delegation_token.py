"""RenewDelegationToken (39): push a delegation token's expiry back, up to its maximum life (KIP-48)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT32, INT64, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class RenewDelegationTokenRequest:
    hmac: bytes = wire(BYTES)
    renew_period_ms: int = wire(INT64)


@dataclass(slots=True)
class RenewDelegationTokenResponse:
    error_code: int = wire(INT16)
    expiry_timestamp_ms: int = wire(INT64)
    throttle_time_ms: int = wire(INT32)


API = Api(
    39,
    request=Schema(RenewDelegationTokenRequest, versions="1-2", flexible="2+"),
    response=Schema(RenewDelegationTokenResponse, versions="1-2", flexible="2+"),
)
