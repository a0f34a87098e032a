"""What rules decide: one fact of Kafka's StandardAuthorizer each."""

from __future__ import annotations

import pytest

from embedkafka.broker.api import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPatternType,
    AclPermissionType,
    AclResourceType,
)
from embedkafka.broker.security.acls import Acls, bit_field, matches

TOPIC, GROUP = AclResourceType.TOPIC, AclResourceType.GROUP
LITERAL, PREFIXED, MATCH = AclPatternType.LITERAL, AclPatternType.PREFIXED, AclPatternType.MATCH
ALLOW, DENY = AclPermissionType.ALLOW, AclPermissionType.DENY
READ, WRITE, DESCRIBE, ALL = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.ALL


def rule(
    operation: int = READ,
    name: str = "orders",
    *,
    permission: int = ALLOW,
    pattern: int = LITERAL,
    principal: str = "User:alice",
    host: str = "*",
    kind: int = TOPIC,
) -> AclBinding:
    return AclBinding(kind, name, pattern, principal, host, operation, permission)


def decide(
    *rules: AclBinding,
    operation: int = READ,
    name: str = "orders",
    principal: str = "User:alice",
    host: str = "10.0.0.1",
) -> bool | None:
    return Acls(rules).decide(principal, host, operation, TOPIC, name)


def test_without_rules_about_a_resource_nothing_is_decided() -> None:
    assert decide() is None
    assert decide(rule(name="payments")) is None
    assert decide(rule(kind=GROUP)) is None


def test_a_rule_for_somebody_else_decides_against_everyone_else() -> None:
    assert decide(rule(principal="User:bob")) is False


def test_a_rule_allows_its_operation_and_no_other() -> None:
    assert decide(rule(READ)) is True
    assert decide(rule(READ), operation=WRITE) is False


def test_all_covers_every_operation() -> None:
    for operation in AclOperation:
        if operation > ALL:
            assert decide(rule(ALL), operation=operation) is True
            assert decide(rule(ALL, permission=DENY), operation=operation) is False


@pytest.mark.parametrize("operation", [READ, WRITE, AclOperation.DELETE, AclOperation.ALTER])
def test_whoever_may_do_something_may_look(operation: int) -> None:
    assert decide(rule(operation), operation=DESCRIBE) is True


@pytest.mark.parametrize("operation", [AclOperation.CREATE, AclOperation.ALTER_CONFIGS, AclOperation.CLUSTER_ACTION])
def test_other_operations_do_not_imply_looking(operation: int) -> None:
    assert decide(rule(operation), operation=DESCRIBE) is False


def test_altering_settings_implies_seeing_them() -> None:
    rules = rule(AclOperation.ALTER_CONFIGS)
    assert decide(rules, operation=AclOperation.DESCRIBE_CONFIGS) is True
    assert decide(rule(AclOperation.DESCRIBE_CONFIGS), operation=AclOperation.ALTER_CONFIGS) is False


def test_a_denial_implies_nothing() -> None:
    assert decide(rule(READ, permission=DENY), rule(DESCRIBE), operation=DESCRIBE) is True


def test_a_denial_wins() -> None:
    assert decide(rule(), rule(permission=DENY)) is False
    assert decide(rule(), rule(permission=DENY, name="*")) is False
    assert decide(rule(), rule(permission=DENY, name="ord", pattern=PREFIXED)) is False
    assert decide(rule(), rule(permission=DENY, principal="User:*")) is False


def test_a_prefix_is_about_every_name_that_begins_so() -> None:
    rules = rule(name="ord", pattern=PREFIXED)
    assert decide(rules) is True
    assert decide(rules, name="ord") is True
    assert decide(rules, name="or") is None
    assert decide(rules, name="Orders") is None


def test_a_literal_star_is_about_every_name_and_a_prefixed_one_is_not() -> None:
    assert decide(rule(name="*")) is True
    assert decide(rule(name="*", pattern=PREFIXED)) is None
    assert decide(rule(name="*", pattern=PREFIXED), name="*x") is True


def test_a_literal_star_is_about_names_that_begin_with_a_star_too() -> None:
    assert decide(rule(name="*"), rule(name="*", permission=DENY), name="*x") is False


def test_a_rule_may_be_for_one_address() -> None:
    assert decide(rule(host="10.0.0.1")) is True
    assert decide(rule(host="10.0.0.2")) is False


def test_a_rule_may_be_for_everyone() -> None:
    assert decide(rule(principal="User:*")) is True
    assert decide(rule(principal="Group:*")) is False


def some(*rules: AclBinding) -> bool:
    return Acls(rules).allows_some("User:alice", "10.0.0.1", WRITE, TOPIC)


def test_some_resource_is_enough_where_any_will_do() -> None:
    assert some(rule(WRITE))
    assert some(rule(ALL, "app-", pattern=PREFIXED))
    assert not some(rule(READ), rule(WRITE, principal="User:bob"), rule(WRITE, kind=GROUP))


def test_what_is_denied_again_is_not_enough() -> None:
    assert not some(rule(WRITE), rule(WRITE, permission=DENY))
    assert not some(rule(WRITE), rule(WRITE, "ord", permission=DENY, pattern=PREFIXED))
    assert not some(rule(WRITE, "app-x", pattern=PREFIXED), rule(ALL, "app-", permission=DENY, pattern=PREFIXED))
    assert not some(rule(WRITE, "*"), rule(WRITE, "*", permission=DENY))
    assert some(rule(WRITE, "app-", pattern=PREFIXED), rule(WRITE, "app-", permission=DENY))
    assert some(rule(WRITE, "*"), rule(WRITE, "o", permission=DENY, pattern=PREFIXED))


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        (AclPatternType.ANY, None, {"orders", "ord", "*"}),
        (AclPatternType.ANY, "orders", {"orders"}),
        (LITERAL, None, {"orders", "*"}),
        (LITERAL, "*", {"*"}),
        (PREFIXED, "ord", {"ord"}),
        (PREFIXED, "orders", set()),
        (MATCH, "orders", {"orders", "ord", "*"}),
        (MATCH, "order", {"ord", "*"}),
        (MATCH, "payments", {"*"}),
        (MATCH, None, {"orders", "ord", "*"}),
    ],
)
def test_a_filter_compares_names_as_its_pattern_says(pattern: int, name: str | None, found: set[str]) -> None:
    rules = [rule(name="orders"), rule(name="ord", pattern=PREFIXED), rule(name="*")]
    wanted = AclBindingFilter(TOPIC, name, pattern)
    assert {each.resource_name for each in rules if matches(wanted, each)} == found


def test_a_filter_compares_every_part() -> None:
    for part, value in (
        ("resource_type", GROUP),
        ("principal", "User:bob"),
        ("host", "10.0.0.1"),
        ("operation", WRITE),
        ("permission_type", DENY),
    ):
        assert matches(AclBindingFilter(), rule())
        assert not matches(AclBindingFilter()._replace(**{part: value}), rule())


def test_operations_are_one_bit_each() -> None:
    assert bit_field([READ, WRITE, READ]) == 1 << 3 | 1 << 4
    assert bit_field([31]) == -(1 << 31)
