"""DescribeDelegationToken (41): owners' delegation tokens, null being all; 3 tells who asked for them (KIP-373)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeDelegationTokenOwner:
    principal_type: str = wire(STRING)
    principal_name: str = wire(STRING)


@dataclass(slots=True)
class DescribeDelegationTokenRequest:
    owners: list[DescribeDelegationTokenOwner] | None = wire(array(DescribeDelegationTokenOwner), nullable="0+")


@dataclass(slots=True)
class DescribedDelegationTokenRenewer:
    principal_type: str = wire(STRING)
    principal_name: str = wire(STRING)


@dataclass(slots=True)
class DescribedDelegationToken:
    principal_type: str = wire(STRING)
    principal_name: str = wire(STRING)
    token_requester_principal_type: str = wire(STRING, "3+")
    token_requester_principal_name: str = wire(STRING, "3+")
    issue_timestamp: int = wire(INT64)
    expiry_timestamp: int = wire(INT64)
    max_timestamp: int = wire(INT64)
    token_id: str = wire(STRING)
    hmac: bytes = wire(BYTES)
    renewers: list[DescribedDelegationTokenRenewer] = wire(array(DescribedDelegationTokenRenewer))


@dataclass(slots=True)
class DescribeDelegationTokenResponse:
    error_code: int = wire(INT16)
    tokens: list[DescribedDelegationToken] = wire(array(DescribedDelegationToken))
    throttle_time_ms: int = wire(INT32)


API = Api(
    41,
    request=Schema(DescribeDelegationTokenRequest, versions="1-3", flexible="2+"),
    response=Schema(DescribeDelegationTokenResponse, versions="1-3", flexible="2+"),
)
