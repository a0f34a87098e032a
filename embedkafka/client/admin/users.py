"""Users' passwords: what to keep and to forget, and the methods that do so.

Users are for listeners that ask who a peer is (``EmbeddedKafka.listen(security_protocol="SASL_PLAINTEXT")``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from embedkafka.broker import api
from embedkafka.client.admin.base import AdminBase
from embedkafka.errors import IllegalArgumentError, for_code

_SALT_BYTES = 24  # as kafka-python


ScramMechanism = api.ScramMechanism


def _mechanism(given: ScramMechanism | int | str) -> ScramMechanism:
    if isinstance(given, str):
        return api.ScramMechanism[given.upper().replace("-", "_")]
    return ScramMechanism(given)


class UserScramCredentialDeletion:
    """A password to forget."""

    def __init__(self, user: str, mechanism: ScramMechanism | int | str) -> None:
        self.user = user
        self.mechanism = _mechanism(mechanism)

    def __repr__(self) -> str:
        return f"UserScramCredentialDeletion({self.user!r}, {self.mechanism.name})"


class UserScramCredentialUpsertion:
    """A password to keep, salted and hashed ``iterations`` times (None: 4096); the password itself is not kept here.

    Takes as many hashes: some milliseconds.
    """

    DEFAULT_ITERATIONS = 4096

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
        self.iterations = self.DEFAULT_ITERATIONS if iterations is None else iterations
        self.salt = os.urandom(_SALT_BYTES) if salt is None else salt  # of a password never a repeatable one
        from embedkafka.broker.security.scram import salted_password  # the hashes are for few programs

        text = password.encode() if isinstance(password, str) else password
        self.salted_password = salted_password(self.mechanism, text, self.salt, self.iterations)

    def __repr__(self) -> str:
        return f"UserScramCredentialUpsertion({self.user!r}, {self.mechanism.name})"


class UserAdmin(AdminBase):
    def alter_user_scram_credentials(
        self, alterations: Iterable[UserScramCredentialDeletion | UserScramCredentialUpsertion]
    ) -> dict[str, str | None]:
        """Keep and forget passwords; None or an error's message by user.

        Raises:
            IllegalArgumentError: something else than these two is given.
        """
        deletions, upsertions = [], []
        for each in alterations:
            if isinstance(each, UserScramCredentialDeletion):
                deletions.append(api.ScramDeletion(each.user, int(each.mechanism)))
            elif isinstance(each, UserScramCredentialUpsertion):
                kept = (each.iterations, each.salt, each.salted_password)
                upsertions.append(api.ScramUpsertion(each.user, int(each.mechanism), *kept))
            else:
                raise IllegalArgumentError(
                    "alterations must be UserScramCredentialDeletion or UserScramCredentialUpsertion, not "
                    f"{type(each).__name__}"
                )
        results = self._port().alter_user_scram_credentials(self._link.context, deletions, upsertions)
        return {result.user: result.error_message if result.error_code else None for result in results}

    def describe_user_scram_credentials(self, users: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
        """How users' passwords are kept; None is everyone.

        Returns:
            ``{user: {"error": None or a message, "credential_infos": [{"mechanism": ..., "iterations": ...}]}}``.
        """
        asked = None if users is None else list(users)
        reply = self._port().describe_user_scram_credentials(self._link.context, asked)
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or "")
        return {
            each.user: {
                "error": each.error_message if each.error_code else None,
                "credential_infos": [
                    {"mechanism": ScramMechanism(info.mechanism), "iterations": info.iterations}
                    for info in each.credential_infos
                ],
            }
            for each in reply.users
        }
