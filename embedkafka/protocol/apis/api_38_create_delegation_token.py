"""CreateDelegationToken (38): a token to authenticate with in someone's name (KIP-48); 3 names the owner (KIP-373)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class CreatableRenewers:
    principal_type: str = wire(STRING)
    principal_name: str = wire(STRING)


@dataclass(slots=True)
class CreateDelegationTokenRequest:
    owner_principal_type: str | None = wire(STRING, "3+", nullable="0+")
    owner_principal_name: str | None = wire(STRING, "3+", nullable="0+")
    renewers: list[CreatableRenewers] = wire(array(CreatableRenewers))
    max_lifetime_ms: int = wire(INT64)


@dataclass(slots=True)
class CreateDelegationTokenResponse:
    error_code: int = wire(INT16)
    principal_type: str = wire(STRING)
    principal_name: str = wire(STRING)
    token_requester_principal_type: str = wire(STRING, "3+")
    token_requester_principal_name: str = wire(STRING, "3+")
    issue_timestamp_ms: int = wire(INT64)
    expiry_timestamp_ms: int = wire(INT64)
    max_timestamp_ms: int = wire(INT64)
    token_id: str = wire(STRING)
    hmac: bytes = wire(BYTES)
    throttle_time_ms: int = wire(INT32)


API = Api(
    38,
    request=Schema(CreateDelegationTokenRequest, versions="1-3", flexible="2+"),
    response=Schema(CreateDelegationTokenResponse, versions="1-3", flexible="2+"),
)
