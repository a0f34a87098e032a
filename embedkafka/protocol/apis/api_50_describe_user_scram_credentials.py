"""DescribeUserScramCredentials (50): which SCRAM credentials users have, but not their content (KIP-554)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class UserName:
    name: str = wire(STRING)


@dataclass(slots=True)
class DescribeUserScramCredentialsRequest:
    users: list[UserName] | None = wire(array(UserName), nullable="0+")


@dataclass(slots=True)
class CredentialInfo:
    mechanism: int = wire(INT8)
    iterations: int = wire(INT32)


@dataclass(slots=True)
class DescribeUserScramCredentialsResult:
    user: str = wire(STRING)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    credential_infos: list[CredentialInfo] = wire(array(CredentialInfo))


@dataclass(slots=True)
class DescribeUserScramCredentialsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    results: list[DescribeUserScramCredentialsResult] = wire(array(DescribeUserScramCredentialsResult))


API = Api(
    50,
    request=Schema(DescribeUserScramCredentialsRequest, versions="0", flexible="0+"),
    response=Schema(DescribeUserScramCredentialsResponse, versions="0", flexible="0+"),
)
