"""Users: what is kept of their passwords, in the catalog, one value a user.

``user/<name>`` holds ``{"SCRAM-SHA-256": {"salt", "stored_key", "server_key", "iterations"}, ...}``.  A password itself
is never kept; PLAIN is checked against the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedkafka.broker.catalog import Catalog
from embedkafka.broker.catalog_view import CatalogView
from embedkafka.broker.security.scram import (
    HASHES,
    MAX_ITERATIONS,
    MIN_ITERATIONS,
    NAMES,
    ScramCredential,
    make_credential,
)
from embedkafka.broker.security.users_api import (
    DescribedUser,
    DescribeUsersReply,
    ScramCredentialInfo,
    ScramDeletion,
    ScramMechanism,
    ScramUpsertion,
    UserResult,
)
from embedkafka.errors import (
    BrokerResponseError,
    DuplicateResourceError,
    ResourceNotFoundError,
    UnacceptableCredentialError,
    UnsupportedSaslMechanismError,
)

_Credentials = Mapping[ScramMechanism, ScramCredential]
_Users = Mapping[str, _Credentials]
_Change = ScramDeletion | ScramUpsertion


class Users:
    """Every user.  Safe to call from any thread; a change is committed before it counts."""

    def __init__(self, catalog: Catalog) -> None:
        self._users = CatalogView(catalog, "user/", _read)

    def credential(self, user: str, mechanism: ScramMechanism) -> ScramCredential | None:
        """What is kept of a user's password, for one mechanism."""
        return self._users.value.get(user, {}).get(mechanism)

    def is_password(self, user: str, password: str) -> bool:
        """Whether this is the user's password.  Takes some milliseconds, also for a user that does not exist."""
        credentials = self._users.value.get(user)
        known = next(iter(credentials.values())) if credentials else _NOBODY
        return known.verify_password(password) and known is not _NOBODY

    def describe(self, users: Sequence[str] | None) -> DescribeUsersReply:
        """How users' passwords are kept; None or nothing asks for everyone."""
        known = self._users.value
        asked = list(users or sorted(known))
        return DescribeUsersReply(users=[_described(user, known, asked.count(user)) for user in dict.fromkeys(asked)])

    def alter(self, deletions: Sequence[ScramDeletion], upsertions: Sequence[ScramUpsertion]) -> list[UserResult]:
        """Forget and set passwords, in one commit; a user that is named twice is refused."""
        changes: list[_Change] = [*deletions, *upsertions]
        users = [change.user for change in changes]
        errors: dict[str, BrokerResponseError] = {}

        def decide(known: _Users) -> dict[str, Any]:
            after: dict[str, _Credentials] = {}
            for change in changes:
                error = _refusal(change, known, users.count(change.user))
                if error is None:
                    after[change.user] = _altered(known.get(change.user, {}), change)
                else:
                    errors.setdefault(change.user, error)
            return {user: _to_value(credentials) for user, credentials in after.items()}

        try:
            self._users.change(decide)
        except BrokerResponseError as error:
            errors = {**dict.fromkeys(users, error), **errors}
        return [_result(user, errors.get(user)) for user in dict.fromkeys(users)]


def _altered(credentials: _Credentials, change: _Change) -> _Credentials:
    mechanism = ScramMechanism(change.mechanism)
    if isinstance(change, ScramUpsertion):
        made = make_credential(mechanism, change.salted_password, change.salt, change.iterations)
        return {**credentials, mechanism: made}
    return {each: kept for each, kept in credentials.items() if each != mechanism}


def _described(user: str, known: _Users, times: int) -> DescribedUser:
    if times > 1:
        message = f"Cannot describe SCRAM credentials for the same user twice in a single request: {user}"
        return DescribedUser(user, DuplicateResourceError.errno, message)
    if user not in known:
        message = f"Attempt to describe a user credential that does not exist: {user}"
        return DescribedUser(user, ResourceNotFoundError.errno, message)
    infos = [ScramCredentialInfo(each.mechanism, each.iterations) for each in known[user].values()]
    return DescribedUser(user, credential_infos=sorted(infos))


def _refusal(change: _Change, known: _Users, times: int) -> BrokerResponseError | None:
    """Why a change cannot be made (``org.apache.kafka.controller.ScramControlManager``)."""
    if not change.user:
        return UnacceptableCredentialError("Username must not be empty")
    if change.mechanism not in HASHES:
        return UnsupportedSaslMechanismError("Unknown SCRAM mechanism")
    if isinstance(change, ScramDeletion):
        if ScramMechanism(change.mechanism) not in known.get(change.user, {}):
            return ResourceNotFoundError("Attempt to delete a user credential that does not exist")
    elif change.iterations < MIN_ITERATIONS:
        return UnacceptableCredentialError("Too few iterations")
    elif change.iterations > MAX_ITERATIONS:
        return UnacceptableCredentialError("Too many iterations")
    if times > 1:
        return DuplicateResourceError("A user credential cannot be altered twice in the same request")
    return None


def _result(user: str, error: BrokerResponseError | None) -> UserResult:
    return UserResult(user) if error is None else UserResult(user, error.errno, str(error.args[0]))


def _to_value(credentials: _Credentials) -> dict[str, Any] | None:
    value = {
        NAMES[each.mechanism]: {
            "salt": each.salt,
            "stored_key": each.stored_key,
            "server_key": each.server_key,
            "iterations": each.iterations,
        }
        for each in credentials.values()
    }
    return value or None


def _read(section: Mapping[str, Any]) -> _Users:
    return {
        user: {
            mechanism: ScramCredential(mechanism, **value[name]) for mechanism, name in NAMES.items() if name in value
        }
        for user, value in section.items()
    }


_NOBODY = make_credential(ScramMechanism.SCRAM_SHA_256, b"", b"nobody", MIN_ITERATIONS)
