"""Users and what is kept of their passwords."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from broker.support import Broker, running

from embedkafka import errors
from embedkafka.broker import api
from embedkafka.broker.security.scram import make_credential, salted_password
from embedkafka.errors import (
    DuplicateResourceError,
    ResourceNotFoundError,
    UnacceptableCredentialError,
    UnsupportedSaslMechanismError,
)

SHA_256, SHA_512 = api.ScramMechanism.SCRAM_SHA_256, api.ScramMechanism.SCRAM_SHA_512


def upsertion(
    user: str = "alice", mechanism: int = SHA_256, *, password: bytes = b"secret", iterations: int = 4096
) -> api.ScramUpsertion:
    kind = SHA_512 if mechanism == SHA_512 else SHA_256
    return api.ScramUpsertion(user, mechanism, iterations, b"salt", salted_password(kind, password, b"salt", 4096))


def alter(broker: Broker, *changes: api.ScramUpsertion | api.ScramDeletion) -> dict[str, type[Exception]]:
    deletions = [each for each in changes if isinstance(each, api.ScramDeletion)]
    upsertions = [each for each in changes if isinstance(each, api.ScramUpsertion)]
    results = broker.port.alter_user_scram_credentials(broker.context, deletions, upsertions)
    return {result.user: errors.for_code(result.error_code) for result in results}


def infos(broker: Broker) -> dict[str, list[tuple[int, int]]]:
    reply = broker.port.describe_user_scram_credentials(broker.context, None)
    return {each.user: [tuple(info) for info in each.credential_infos] for each in reply.users}


def test_a_user_may_have_a_password_for_each_mechanism(broker: Broker) -> None:
    alter(broker, upsertion())
    alter(broker, upsertion(mechanism=SHA_512, iterations=8192), upsertion("bob"))
    assert infos(broker) == {"alice": [(1, 4096), (2, 8192)], "bob": [(1, 4096)]}


def test_a_password_is_known_again(broker: Broker) -> None:
    alter(broker, upsertion())
    users = broker.engine.users
    assert users.is_password("alice", "secret")
    assert not users.is_password("alice", "Secret")
    assert not users.is_password("bob", "secret")


def test_a_new_password_takes_the_place_of_the_old(broker: Broker) -> None:
    alter(broker, upsertion())
    alter(broker, upsertion(password=b"other"))
    assert not broker.engine.users.is_password("alice", "secret")
    assert broker.engine.users.is_password("alice", "other")


def test_a_user_without_passwords_is_gone(broker: Broker) -> None:
    alter(broker, upsertion())
    assert alter(broker, api.ScramDeletion("alice", SHA_256)) == {"alice": errors.NoError}
    assert infos(broker) == {}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (upsertion(iterations=4095), UnacceptableCredentialError),
        (upsertion(iterations=16385), UnacceptableCredentialError),
        (upsertion(""), UnacceptableCredentialError),
        (upsertion(mechanism=0), UnsupportedSaslMechanismError),
        (upsertion(mechanism=3), UnsupportedSaslMechanismError),
        (api.ScramDeletion("alice", SHA_512), ResourceNotFoundError),
        (api.ScramDeletion("nobody", SHA_256), ResourceNotFoundError),
    ],
)
def test_a_change_that_cannot_be_changes_nothing_and_hinders_no_other(
    broker: Broker, change: api.ScramUpsertion | api.ScramDeletion, error: type[Exception]
) -> None:
    alter(broker, upsertion())
    assert alter(broker, change, upsertion("carol")) == {change.user: error, "carol": errors.NoError}
    assert infos(broker) == {"alice": [(1, 4096)], "carol": [(1, 4096)]}


def test_a_user_that_is_named_twice_is_not_changed(broker: Broker) -> None:
    alter(broker, upsertion())
    twice = (upsertion(password=b"other"), upsertion(mechanism=SHA_512))
    assert alter(broker, *twice) == {"alice": DuplicateResourceError}
    both = (api.ScramDeletion("alice", SHA_256), upsertion())
    assert alter(broker, *both) == {"alice": DuplicateResourceError}
    assert infos(broker) == {"alice": [(1, 4096)]}
    assert broker.engine.users.is_password("alice", "secret")


def test_unknown_and_repeated_users_are_described_by_an_error(broker: Broker) -> None:
    alter(broker, upsertion())
    reply = broker.port.describe_user_scram_credentials(broker.context, ["alice", "bob", "alice"])
    assert [(each.user, each.error_code) for each in reply.users] == [
        ("alice", DuplicateResourceError.errno),
        ("bob", ResourceNotFoundError.errno),
    ]


def test_what_is_kept_is_what_the_rfc_says() -> None:
    """RFC 5802, section 3."""
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", b"salt", 4096)
    kept = make_credential(SHA_256, salted, b"salt", 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert kept.stored_key == hashlib.sha256(client_key).digest()
    assert kept.server_key == hmac.digest(salted, b"Server Key", "sha256")


def test_users_cannot_be_changed_beside_a_live_owner(path: object) -> None:
    from embedkafka.broker.engine import Engine

    with running(path) as owner:
        alter(owner, upsertion())
        beside = Broker(Engine.open(path, read_only=True))
        try:
            assert infos(beside) == {"alice": [(1, 4096)]}
            assert alter(beside, upsertion("bob")) == {"bob": errors.KafkaStorageError}
            assert infos(beside) == {"alice": [(1, 4096)]}
        finally:
            beside.engine.close()
