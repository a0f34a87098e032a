"""kafka-python's small classes and enumerations."""

from __future__ import annotations

import pytest

from embedkafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    AlterConfigOp,
    ConfigResource,
    ConfigResourceType,
    GroupState,
    MemberToRemove,
    OffsetTimestamp,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from embedkafka.errors import IllegalArgumentError


@pytest.mark.parametrize("given", [AlterConfigOp.APPEND, 2, "append", "APPEND", " Append "])
def test_members_are_found_by_name_value_or_themselves(given: object) -> None:
    assert AlterConfigOp.build_from(given) is AlterConfigOp.APPEND
    assert AlterConfigOp.value_for(given) == 2


def test_states_are_found_by_their_name_on_the_wire_or_in_python() -> None:
    for given in ("PreparingRebalance", "preparing-rebalance", "PREPARING_REBALANCE"):
        assert GroupState.value_for(given) == "PreparingRebalance"
    with pytest.raises(ValueError, match="GroupState"):
        GroupState.build_from("sleeping")


def test_a_config_resource_takes_a_type_or_its_name() -> None:
    assert ConfigResource("topic", "t").resource_type is ConfigResourceType.TOPIC
    assert "TOPIC" in repr(ConfigResource(ConfigResourceType.TOPIC, "t"))


def test_a_time_is_an_int_that_says_so() -> None:
    assert OffsetTimestamp(5) == 5
    assert repr(OffsetTimestamp(5)) == "OffsetTimestamp(5)"


def test_members_to_remove_are_compared_by_value() -> None:
    assert MemberToRemove("a") == MemberToRemove("a")
    assert len({MemberToRemove("a"), MemberToRemove("a"), MemberToRemove(group_instance_id="a")}) == 2


def test_rules_are_compared_by_value() -> None:
    pattern = ResourcePattern(ResourceType.TOPIC, "t")
    rules = {ACL("User:a", "*", ACLOperation.READ, ACLPermissionType.ALLOW, pattern) for _ in range(2)}
    assert len(rules) == 1
    assert "READ" in repr(rules.pop())


@pytest.mark.parametrize(
    "make",
    [
        lambda: ResourcePattern(ResourceType.ANY, "t"),
        lambda: ResourcePattern(ResourceType.TOPIC, "t", ACLResourcePatternType.MATCH),
        lambda: ResourcePattern("topic", "t"),
        lambda: ResourcePatternFilter(ResourceType.TOPIC, "t", "literal"),
        lambda: ACL("u", "*", ACLOperation.ANY, ACLPermissionType.ALLOW, ResourcePattern(ResourceType.TOPIC, "t")),
        lambda: ACL("u", "*", ACLOperation.READ, ACLPermissionType.ANY, ResourcePattern(ResourceType.TOPIC, "t")),
        lambda: ACLFilter("u", "*", "read", ACLPermissionType.ALLOW, ResourcePattern(ResourceType.TOPIC, "t")),
        lambda: UserScramCredentialUpsertion("u", ScramMechanism.UNKNOWN, "secret"),
    ],
)
def test_rules_and_passwords_that_cannot_be(make: object) -> None:
    with pytest.raises(IllegalArgumentError):
        make()


def test_a_password_is_neither_kept_nor_shown() -> None:
    given = UserScramCredentialUpsertion("u", "scram-sha-256", "secret")
    assert (given.mechanism, given.iterations) == (ScramMechanism.SCRAM_SHA_256, 4096)
    assert "secret" not in repr(given)
    assert "secret" not in str(vars(given))


def test_the_same_password_is_salted_differently_each_time() -> None:
    first, second = (UserScramCredentialUpsertion("u", 1, "secret") for _ in range(2))
    assert first.salt != second.salt
    assert first.salted_password != second.salted_password


def test_a_deletion_takes_a_mechanism_by_its_number() -> None:
    assert UserScramCredentialDeletion("u", 2).mechanism is ScramMechanism.SCRAM_SHA_512
