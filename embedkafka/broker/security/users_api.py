"""Users' passwords in Kafka's APIs 50 and 51 as plain values (KIP-554).

They are part of :mod:`embedkafka.broker.api`, which everyone else imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "DescribeUsersReply",
    "DescribedUser",
    "ScramCredentialInfo",
    "ScramDeletion",
    "ScramMechanism",
    "ScramUpsertion",
    "UserResult",
]


class ScramMechanism(IntEnum):
    """How a password is kept (org.apache.kafka.clients.admin.ScramMechanism)."""

    UNKNOWN = 0
    SCRAM_SHA_256 = 1
    SCRAM_SHA_512 = 2


class ScramCredentialInfo(NamedTuple):
    mechanism: int
    iterations: int


class DescribedUser(NamedTuple):
    user: str
    error_code: int = 0
    error_message: str | None = None
    credential_infos: Sequence[ScramCredentialInfo] = ()


class DescribeUsersReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    users: Sequence[DescribedUser] = ()


class ScramDeletion(NamedTuple):
    user: str
    mechanism: int


class ScramUpsertion(NamedTuple):
    """``salted_password`` is what PBKDF2 makes of the password, so that the password itself is never sent."""

    user: str
    mechanism: int
    iterations: int
    salt: bytes
    salted_password: bytes


class UserResult(NamedTuple):
    user: str
    error_code: int = 0
    error_message: str | None = None
