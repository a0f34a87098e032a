"""Who may do what: the decision that access control lists make, as Kafka's ``StandardAuthorizer`` makes it.

Pure: rules are values, nothing here is stored, locked or logged.  A rule is *about* a resource where its name is the
resource's (LITERAL), a beginning of it (PREFIXED), or ``*`` (LITERAL).  Of the rules about a resource those count whose
principal and host are the caller's or ``*``, and whose operation is the one asked for, ALL, or, for a rule that allows,
one that implies it.  Then:

==============================================  =======================================================
one of them denies                              no
one of them allows                              yes
none of them counts, but there are rules        no
nobody has made a rule about this resource      no, or yes with ``allow.everyone.if.no.acl.found``
==============================================  =======================================================

One difference: Kafka 4.3.1 passes over the rules about ``*`` for a group or transactional id that itself begins with a
star, also over those that deny.  Here they hold for every name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from embedkafka.broker.security.acls_api import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPatternType,
    AclPermissionType,
    AclResourceType,
)

WILDCARD = "*"
WILDCARD_PRINCIPAL = "User:*"

IMPLIED_BY: dict[int, frozenset[int]] = {
    AclOperation.DESCRIBE: frozenset({AclOperation.READ, AclOperation.WRITE, AclOperation.DELETE, AclOperation.ALTER}),
    AclOperation.DESCRIBE_CONFIGS: frozenset({AclOperation.ALTER_CONFIGS}),
}
"""Which allowed operations let another pass; nothing is implied by a denial."""

SUPPORTED_OPERATIONS: dict[int, tuple[AclOperation, ...]] = {
    AclResourceType.TOPIC: (
        AclOperation.READ,
        AclOperation.WRITE,
        AclOperation.CREATE,
        AclOperation.DELETE,
        AclOperation.ALTER,
        AclOperation.DESCRIBE,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.ALTER_CONFIGS,
    ),
    AclResourceType.GROUP: (
        AclOperation.READ,
        AclOperation.DELETE,
        AclOperation.DESCRIBE,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.ALTER_CONFIGS,
    ),
    AclResourceType.CLUSTER: (
        AclOperation.CREATE,
        AclOperation.ALTER,
        AclOperation.DESCRIBE,
        AclOperation.CLUSTER_ACTION,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.ALTER_CONFIGS,
        AclOperation.IDEMPOTENT_WRITE,
    ),
}
"""What authorized_operations may name, by type of resource (``org.apache.kafka.security.authorizer.AclEntry``)."""


def bit_field(operations: Iterable[int]) -> int:
    """Operations as Kafka's replies name them: one bit each, a signed number of 32 bits."""
    bits = sum(1 << operation for operation in set(operations))
    return bits - (1 << 32) if bits >= 1 << 31 else bits


class Acls:
    """An immutable set of rules, arranged for looking up; a change makes a new one.

    Looking up costs O(length of the resource's name), plus one step for each rule about the resource.
    """

    def __init__(self, bindings: Iterable[AclBinding] = ()) -> None:
        self.bindings = frozenset(bindings)
        self._literal: dict[tuple[int, str], list[AclBinding]] = {}
        self._prefixed: dict[tuple[int, str], list[AclBinding]] = {}
        self._longest_prefix: dict[int, int] = {}
        for binding in self.bindings:
            key = (binding.resource_type, binding.resource_name)
            if binding.pattern_type == AclPatternType.PREFIXED:
                self._prefixed.setdefault(key, []).append(binding)
                longest = self._longest_prefix.get(binding.resource_type, 0)
                self._longest_prefix[binding.resource_type] = max(longest, len(binding.resource_name))
            else:
                self._literal.setdefault(key, []).append(binding)

    def decide(self, principal: str, host: str, operation: int, resource_type: int, name: str) -> bool | None:
        """Whether the rules allow an operation.

        Args:
            principal: ``User:<name>``.
            host: the caller's address as text.
            operation: what is to be done, never ALL.

        Returns:
            None where there are no rules about the resource.
        """
        answer: bool | None = None
        allowed = False
        for binding in self._about(resource_type, name):
            answer = False
            if not _is_for(binding, principal, host) or not _covers(binding, operation):
                continue
            if binding.permission_type == AclPermissionType.DENY:
                return False
            allowed = True
        return True if allowed else answer

    def allows_some(self, principal: str, host: str, operation: int, resource_type: int) -> bool:
        """Whether there is a resource of a type, existing or not, on which the rules allow an operation.

        As Kafka's ``Authorizer.authorizeByResourceType``, which takes no operation as implied.
        """
        allowing: list[AclBinding] = []
        denied: set[tuple[int, str]] = set()
        for binding in self.bindings:
            if (
                binding.resource_type != resource_type
                or not _is_for(binding, principal, host)
                or binding.operation not in (operation, AclOperation.ALL)
            ):
                continue
            if binding.permission_type == AclPermissionType.DENY:
                denied.add((binding.pattern_type, binding.resource_name))
            else:
                allowing.append(binding)
        if (AclPatternType.LITERAL, WILDCARD) in denied:
            return False
        return any(not _is_dominated(binding, denied) for binding in allowing)

    def matching(self, wanted: AclBindingFilter) -> list[AclBinding]:
        """The rules that a filter lets through, in order."""
        return sorted(binding for binding in self.bindings if matches(wanted, binding))

    def _about(self, resource_type: int, name: str) -> Iterator[AclBinding]:
        yield from self._literal.get((resource_type, name), ())
        if name != WILDCARD:
            yield from self._literal.get((resource_type, WILDCARD), ())
        for length in range(1, min(len(name), self._longest_prefix.get(resource_type, 0)) + 1):
            yield from self._prefixed.get((resource_type, name[:length]), ())


def matches(wanted: AclBindingFilter, binding: AclBinding) -> bool:
    """Whether a filter lets a rule through (``org.apache.kafka.common.acl.AclBindingFilter``)."""
    return (
        wanted.resource_type in (AclResourceType.ANY, binding.resource_type)
        and _names_match(wanted, binding)
        and wanted.principal in (None, binding.principal)
        and wanted.host in (None, binding.host)
        and wanted.operation in (AclOperation.ANY, binding.operation)
        and wanted.permission_type in (AclPermissionType.ANY, binding.permission_type)
    )


def _names_match(wanted: AclBindingFilter, binding: AclBinding) -> bool:
    pattern_type, name = wanted.pattern_type, wanted.resource_name
    if pattern_type not in (AclPatternType.ANY, AclPatternType.MATCH, binding.pattern_type):
        return False
    if name is None or pattern_type != AclPatternType.MATCH:
        return name in (None, binding.resource_name)
    if binding.pattern_type == AclPatternType.PREFIXED:
        return name.startswith(binding.resource_name)
    return binding.resource_name in (name, WILDCARD)


def _is_for(binding: AclBinding, principal: str, host: str) -> bool:
    return binding.principal in (principal, WILDCARD_PRINCIPAL) and binding.host in (host, WILDCARD)


def _covers(binding: AclBinding, operation: int) -> bool:
    if binding.operation in (operation, AclOperation.ALL):
        return True
    if binding.permission_type == AclPermissionType.DENY:
        return False
    return binding.operation in IMPLIED_BY.get(operation, ())


def _is_dominated(binding: AclBinding, denied: set[tuple[int, str]]) -> bool:
    """Whether everything that a rule allows is denied again."""
    name = binding.resource_name
    if binding.pattern_type == AclPatternType.LITERAL:
        if name == WILDCARD:
            return False
        if (AclPatternType.LITERAL, name) in denied:
            return True
    return any((AclPatternType.PREFIXED, name[:length]) in denied for length in range(1, len(name) + 1))
