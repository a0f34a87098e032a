"""AlterUserScramCredentials (51): store or delete users' SCRAM credentials (KIP-554).

The client salts and hashes, so that the broker never sees a password.  Mechanism 1 is SCRAM-SHA-256, 2 SCRAM-SHA-512.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ScramCredentialDeletion:
    name: str = wire(STRING)
    mechanism: int = wire(INT8)


@dataclass(slots=True)
class ScramCredentialUpsertion:
    name: str = wire(STRING)
    mechanism: int = wire(INT8)
    iterations: int = wire(INT32)
    salt: bytes = wire(BYTES)
    salted_password: bytes = wire(BYTES)


@dataclass(slots=True)
class AlterUserScramCredentialsRequest:
    deletions: list[ScramCredentialDeletion] = wire(array(ScramCredentialDeletion))
    upsertions: list[ScramCredentialUpsertion] = wire(array(ScramCredentialUpsertion))


@dataclass(slots=True)
class AlterUserScramCredentialsResult:
    user: str = wire(STRING)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class AlterUserScramCredentialsResponse:
    throttle_time_ms: int = wire(INT32)
    results: list[AlterUserScramCredentialsResult] = wire(array(AlterUserScramCredentialsResult))


API = Api(
    51,
    request=Schema(AlterUserScramCredentialsRequest, versions="0", flexible="0+"),
    response=Schema(AlterUserScramCredentialsResponse, versions="0", flexible="0+"),
)
