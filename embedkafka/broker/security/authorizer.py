"""The authorizer: rules in the catalog, super users, and the question whether somebody may do something.

It is there where ``authorizer.class.name`` names it; then everything that is not allowed is denied.  Programs in this
process own the engine and are not asked (``RequestContext.in_process``).  Rules stand in the catalog one by one, the
rule itself as the key: ``acl/["TOPIC", "orders", "LITERAL", "User:alice", "*", "READ", "ALLOW"]``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embedkafka.broker.api import RequestContext
from embedkafka.broker.catalog import Catalog
from embedkafka.broker.catalog_view import CatalogView
from embedkafka.broker.security.acls import SUPPORTED_OPERATIONS, Acls
from embedkafka.broker.security.acls_api import (
    CLUSTER_NAME,
    AclBinding,
    AclBindingFilter,
    AclCreationResult,
    AclOperation,
    AclPatternType,
    AclPermissionType,
    AclResourceType,
    DeletedAcls,
    DescribeAclsReply,
)
from embedkafka.config import BrokerConfig
from embedkafka.errors import BrokerResponseError, InvalidRequestError, KafkaConfigurationError

_ANY_NAME = "hardcode"  # the one that Kafka asks about first, for super users and rules about every name

_log = logging.getLogger(__name__)


class Authorizer:
    """Answers from any thread; changes are committed before they count."""

    def __init__(self, catalog: Catalog, config: BrokerConfig) -> None:
        """
        Raises:
            KafkaConfigurationError: ``super.users`` names something that is no principal.
        """
        self._rules = CatalogView(catalog, "acl/", _read)
        self._super_users = super_users(config.text("super.users"))
        self._allows_without_rules = config.boolean("allow.everyone.if.no.acl.found")

    # Deciding --------------------------------------------------------------------------------------------------------

    def allows(self, context: RequestContext, operation: int, resource_type: int, name: str) -> bool:
        """Whether the caller may do something to a resource."""
        if context.in_process or context.principal in self._super_users:
            return True
        decision = self._rules.value.decide(context.principal, _address(context), operation, resource_type, name)
        allowed = self._allows_without_rules if decision is None else decision
        if not allowed and _log.isEnabledFor(logging.DEBUG):
            what, kind = AclOperation(operation).name, AclResourceType(resource_type).name
            _log.debug("%s at %s: no %s of %s %r", context.principal, context.client_host, what, kind, name)
        return allowed

    def allows_some(self, context: RequestContext, operation: int, resource_type: int) -> bool:
        """Whether there is any resource of a type to which the caller may do something."""
        if self.allows(context, operation, resource_type, _ANY_NAME):
            return True
        return self._rules.value.allows_some(context.principal, _address(context), operation, resource_type)

    def allowed_operations(self, context: RequestContext, resource_type: int, name: str) -> list[AclOperation]:
        """What the caller may do to a resource."""
        return [
            operation
            for operation in SUPPORTED_OPERATIONS[resource_type]
            if self.allows(context, operation, resource_type, name)
        ]

    # Rules -----------------------------------------------------------------------------------------------------------

    def describe(self, wanted: AclBindingFilter) -> DescribeAclsReply:
        """The rules that a filter lets through."""
        return DescribeAclsReply(acls=self._rules.value.matching(wanted))

    def create(self, bindings: Sequence[AclBinding]) -> list[AclCreationResult]:
        """Add rules in one commit; one that is there already is no error, one that cannot be keeps nobody else out."""
        refusals = [_refusal(binding) for binding in bindings]
        error = self._change([each for each, refused in zip(bindings, refusals, strict=True) if not refused], True)
        if error is not None:
            return [AclCreationResult(error.errno, str(error))] * len(bindings)
        return [AclCreationResult(InvalidRequestError.errno, why) if why else AclCreationResult() for why in refusals]

    def delete(self, filters: Sequence[AclBindingFilter]) -> list[DeletedAcls]:
        """Delete what the filters let through, in one commit."""
        acls = self._rules.value
        replies = []
        for each in filters:
            unknown = 0 in (each.resource_type, each.pattern_type, each.operation, each.permission_type)
            if unknown:
                replies.append(DeletedAcls(InvalidRequestError.errno, "Unknown filter."))
            else:
                replies.append(DeletedAcls(acls=acls.matching(each)))
        error = self._change({binding for reply in replies for binding in reply.acls}, False)
        if error is not None:
            return [DeletedAcls(error.errno, str(error))] * len(filters)
        return replies

    def _change(self, bindings: Iterable[AclBinding], there: bool) -> BrokerResponseError | None:
        try:
            self._rules.change(lambda _: {_key(each): True if there else None for each in bindings})
        except BrokerResponseError as error:
            return error
        return None


def super_users(text: str) -> frozenset[str]:
    """The principals of ``super.users``, which are separated by semicolons.

    Raises:
        KafkaConfigurationError: one of them is not of the form ``User:<name>``.
    """
    principals = [each.strip() for each in text.split(";") if each.strip()]
    for each in principals:
        kind, colon, name = each.partition(":")
        if not (kind and colon and name):
            raise KafkaConfigurationError(f"super.users: expected a principal like User:alice, not {each!r}")
    return frozenset(principals)


def _address(context: RequestContext) -> str:
    return context.client_host.removeprefix("/")


def _refusal(binding: AclBinding) -> str | None:
    """Why there cannot be such a rule."""
    if not _is_member(AclResourceType, binding.resource_type, AclResourceType.ANY):
        return f"Invalid resourceType {binding.resource_type}"
    if binding.pattern_type not in (AclPatternType.LITERAL, AclPatternType.PREFIXED):
        return f"Invalid patternType {binding.pattern_type}"
    if not _is_member(AclOperation, binding.operation, AclOperation.ANY):
        return f"Invalid operation {binding.operation}"
    if binding.permission_type not in (AclPermissionType.DENY, AclPermissionType.ALLOW):
        return f"Invalid permissionType {binding.permission_type}"
    if not binding.resource_name:
        return "Invalid empty resource name"
    if binding.resource_type == AclResourceType.CLUSTER and binding.resource_name != CLUSTER_NAME:
        return f"The only valid name for the CLUSTER resource is {CLUSTER_NAME}"
    if ":" not in binding.principal:
        return (
            f"Could not parse principal from `{binding.principal}` (no colon is present separating the principal type "
            "from the principal name)"
        )
    return None


def _is_member(kind: type[AclResourceType] | type[AclOperation], number: int, highest_of_filters: int) -> bool:
    return number > highest_of_filters and number in kind.__members__.values()


def _read(section: Mapping[str, Any]) -> Acls:
    return Acls(map(_binding, section))


def _key(binding: AclBinding) -> str:
    return json.dumps(
        [
            AclResourceType(binding.resource_type).name,
            binding.resource_name,
            AclPatternType(binding.pattern_type).name,
            binding.principal,
            binding.host,
            AclOperation(binding.operation).name,
            AclPermissionType(binding.permission_type).name,
        ],
        ensure_ascii=False,
    )


def _binding(key: str) -> AclBinding:
    resource_type, name, pattern_type, principal, host, operation, permission_type = json.loads(key)
    return AclBinding(
        AclResourceType[resource_type],
        name,
        AclPatternType[pattern_type],
        principal,
        host,
        AclOperation[operation],
        AclPermissionType[permission_type],
    )
