"""Users' passwords: the values that the methods on users will take.  The methods say "not yet"."""

from __future__ import annotations

from enum import IntEnum

from embedkafka.errors import IllegalArgumentError


class ScramMechanism(IntEnum):
    """How a password is kept (KIP-554)."""

    UNKNOWN = 0
    SCRAM_SHA_256 = 1
    SCRAM_SHA_512 = 2


def _mechanism(given: ScramMechanism | int | str) -> ScramMechanism:
    if isinstance(given, str):
        return ScramMechanism[given.upper().replace("-", "_")]
    return ScramMechanism(given)


class UserScramCredentialDeletion:
    """A password to forget."""

    def __init__(self, user: str, mechanism: ScramMechanism | int | str) -> None:
        self.user = user
        self.mechanism = _mechanism(mechanism)

    def __repr__(self) -> str:
        return f"UserScramCredentialDeletion({self.user!r}, {self.mechanism.name})"


class UserScramCredentialUpsertion:
    """A password to keep, salted and hashed ``iterations`` times (None: 4096)."""

    def __init__(
        self,
        user: str,
        mechanism: ScramMechanism | int | str,
        password: str | bytes,
        iterations: int | None = None,
        salt: bytes | None = None,
    ) -> None:
        self.user = user
        self.mechanism = _mechanism(mechanism)
        if self.mechanism is ScramMechanism.UNKNOWN:
            raise IllegalArgumentError("a password is kept by SCRAM_SHA_256 or SCRAM_SHA_512")
        self.password = password.encode() if isinstance(password, str) else password
        self.iterations = 4096 if iterations is None else iterations
        self.salt = salt

    def __repr__(self) -> str:
        return f"UserScramCredentialUpsertion({self.user!r}, {self.mechanism.name})"
