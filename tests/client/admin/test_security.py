"""Rules, users and limits through the admin client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient
from embedkafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from embedkafka.errors import (
    IllegalArgumentError,
    InvalidRequestError,
    NoError,
    SecurityDisabledError,
    UnsupportedVersionError,
)

ANY_RULE = ACLFilter(
    None,
    None,
    ACLOperation.ANY,
    ACLPermissionType.ANY,
    ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)


def rule(
    name: str = "orders", *, operation: ACLOperation = ACLOperation.READ, kind: ResourceType = ResourceType.TOPIC
) -> ACL:
    return ACL("User:alice", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))


@pytest.fixture
def admin() -> Iterator[KafkaAdminClient]:
    with EmbeddedKafka(authorizer_class_name="StandardAuthorizer") as kafka, kafka.admin() as admin:
        yield admin


def test_without_an_authorizer_there_are_no_rules() -> None:
    with EmbeddedKafka() as kafka, kafka.admin() as admin:
        with pytest.raises(SecurityDisabledError):
            admin.describe_acls(ANY_RULE)
        assert admin.create_acls([rule()]) == {"succeeded": [], "failed": [SecurityDisabledError]}
        assert admin.delete_acls([ANY_RULE]) == [(ANY_RULE, [], SecurityDisabledError)]


def test_created_rules_are_described(admin: KafkaAdminClient) -> None:
    assert admin.create_acls([rule("a"), rule("b")]) == {"succeeded": [rule("a"), rule("b")], "failed": []}
    assert admin.describe_acls(ANY_RULE) == ([rule("a"), rule("b")], NoError)


def test_a_rule_that_cannot_be_keeps_the_others_not_out(admin: KafkaAdminClient) -> None:
    odd = rule("my-cluster", kind=ResourceType.CLUSTER)
    assert admin.create_acls([odd, rule()]) == {"succeeded": [rule()], "failed": [InvalidRequestError]}


def test_deleting_tells_what_is_gone(admin: KafkaAdminClient) -> None:
    admin.create_acls([rule("a"), rule("b")])
    only_a = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.TOPIC, "a", ACLResourcePatternType.MATCH),
    )
    assert admin.delete_acls([only_a]) == [(only_a, [rule("a")], NoError)]
    assert admin.describe_acls(ANY_RULE)[0] == [rule("b")]


def test_what_is_no_rule_is_refused_before_anything_happens(admin: KafkaAdminClient) -> None:
    with pytest.raises(IllegalArgumentError):
        admin.create_acls([rule(), "read"])
    with pytest.raises(IllegalArgumentError):
        admin.delete_acls(["read"])
    assert admin.describe_acls(ANY_RULE)[0] == []


def test_users_are_described_without_their_passwords(admin: KafkaAdminClient) -> None:
    changes = [UserScramCredentialUpsertion("alice", ScramMechanism.SCRAM_SHA_512, "secret", 8192)]
    assert admin.alter_user_scram_credentials(changes) == {"alice": None}
    infos = [{"mechanism": ScramMechanism.SCRAM_SHA_512, "iterations": 8192}]
    assert admin.describe_user_scram_credentials() == {"alice": {"error": None, "credential_infos": infos}}


def test_a_password_that_does_not_exist_cannot_be_forgotten(admin: KafkaAdminClient) -> None:
    outcome = admin.alter_user_scram_credentials([UserScramCredentialDeletion("bob", 1)])
    assert outcome == {"bob": "Attempt to delete a user credential that does not exist"}


def test_what_is_no_alteration_of_users_is_refused(admin: KafkaAdminClient) -> None:
    with pytest.raises(IllegalArgumentError):
        admin.alter_user_scram_credentials([("alice", "secret")])


def test_limits_are_set_found_and_removed(admin: KafkaAdminClient) -> None:
    admin.alter_client_quotas({"user": "alice", "client-id": None}, {"producer_byte_rate": 1000})
    admin.alter_client_quotas({"user": None}, {"consumer_byte_rate": 2000, "request_percentage": 12.5})
    alice = ({"client-id": None, "user": "alice"}, {"producer_byte_rate": 1000.0})
    everyone = ({"user": None}, {"consumer_byte_rate": 2000.0, "request_percentage": 12.5})
    assert admin.describe_client_quotas() == [alice, everyone]
    assert admin.describe_client_quotas({"user": "alice"}) == [alice]
    assert admin.describe_client_quotas({"user": None}) == [everyone]
    assert admin.describe_client_quotas({"user": ...}) == [alice, everyone]
    assert admin.describe_client_quotas({"user": ...}, strict=True) == [everyone]
    admin.alter_client_quotas({"user": "alice", "client-id": None}, {"producer_byte_rate": None})
    assert admin.describe_client_quotas() == [everyone]


def test_a_limit_that_cannot_be_changes_nothing(admin: KafkaAdminClient) -> None:
    for entity, limits in (
        ({"user": "alice"}, {"bytes": 1}),
        ({"user": "alice"}, {"producer_byte_rate": 0}),
        ({"user": "alice"}, {"producer_byte_rate": 1.5}),
        ({"user": "alice"}, {"connection_creation_rate": 1}),
        ({"ip": "127.0.0.1", "user": "alice"}, {"connection_creation_rate": 1}),
        ({"ip": "not an address"}, {"connection_creation_rate": 1}),
        ({"group": "g"}, {"producer_byte_rate": 1}),
        ({}, {"producer_byte_rate": 1}),
    ):
        with pytest.raises(InvalidRequestError):
            admin.alter_client_quotas(entity, limits)
    assert admin.describe_client_quotas() == []


def test_a_filter_by_an_unknown_type_is_refused(admin: KafkaAdminClient) -> None:
    with pytest.raises(UnsupportedVersionError):
        admin.describe_client_quotas({"group": "g"})


def test_rules_users_and_limits_outlive_the_engine_and_passwords_are_not_in_its_files(tmp_path: Path) -> None:
    path = tmp_path / "data"
    settings = {"authorizer.class.name": "StandardAuthorizer"}
    with EmbeddedKafka(path, **settings) as kafka, kafka.admin() as admin:
        admin.create_acls([rule()])
        admin.alter_user_scram_credentials([UserScramCredentialUpsertion("alice", 1, "correct horse battery")])
        admin.alter_client_quotas({"client-id": "app"}, {"producer_byte_rate": 5})
    for file in path.rglob("*"):
        assert not file.is_file() or b"correct horse" not in file.read_bytes()
    with EmbeddedKafka(path, **settings) as kafka, kafka.admin() as admin:
        assert admin.describe_acls(ANY_RULE)[0] == [rule()]
        assert list(admin.describe_user_scram_credentials()) == ["alice"]
        assert admin.describe_client_quotas() == [({"client-id": "app"}, {"producer_byte_rate": 5.0})]
