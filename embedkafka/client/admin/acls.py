"""Who may do what: rules, filters for them, and the methods that describe, create and delete rules.

There are rules where the engine has an authorizer (``authorizer.class.name``).  They hold for who connects to a
listener; programs in the engine's own process may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from embedkafka.broker import api
from embedkafka.client.admin.base import AdminBase
from embedkafka.errors import IllegalArgumentError, KafkaError, for_code

# kafka-python's names.
ResourceType = api.AclResourceType
ACLOperation = api.AclOperation
ACLPermissionType = api.AclPermissionType


class ACLResourcePatternType(IntEnum):
    """How a rule's name is compared (KIP-290); ANY and MATCH are for filters."""

    UNKNOWN = 0
    ANY = 1
    MATCH = 2
    LITERAL = 3
    PREFIXED = 4


class _Value:
    """Compared, hashed and shown by its attributes."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"


class ResourcePatternFilter(_Value):
    """Resources by type and name; None as a name is any.

    Raises:
        IllegalArgumentError: the type or the pattern type is of another class.
    """

    def __init__(
        self, resource_type: ResourceType, resource_name: str | None, pattern_type: ACLResourcePatternType
    ) -> None:
        self.resource_type = resource_type
        self.resource_name = resource_name
        self.pattern_type = pattern_type
        self.validate()

    def validate(self) -> None:
        if not isinstance(self.resource_type, ResourceType):
            raise IllegalArgumentError(f"resource_type is a ResourceType, not {self.resource_type!r}")
        if not isinstance(self.pattern_type, ACLResourcePatternType):
            raise IllegalArgumentError(f"pattern_type is an ACLResourcePatternType, not {self.pattern_type!r}")


class ResourcePattern(ResourcePatternFilter):
    """The resources one rule is about: a name or a prefix of names."""

    def __init__(
        self,
        resource_type: ResourceType,
        resource_name: str | None,
        pattern_type: ACLResourcePatternType = ACLResourcePatternType.LITERAL,
    ) -> None:
        super().__init__(resource_type, resource_name, pattern_type)

    def validate(self) -> None:
        super().validate()
        if self.resource_type is ResourceType.ANY:
            raise IllegalArgumentError("a rule is about one resource_type, not ANY")
        if self.pattern_type in (ACLResourcePatternType.ANY, ACLResourcePatternType.MATCH):
            raise IllegalArgumentError(f"a rule's pattern_type is LITERAL or PREFIXED, not {self.pattern_type.name}")


class ACLFilter(_Value):
    """Rules by their parts.

    Raises:
        IllegalArgumentError: a part is of another class.
    """

    def __init__(
        self,
        principal: str | None,
        host: str | None,
        operation: ACLOperation,
        permission_type: ACLPermissionType,
        resource_pattern: ResourcePatternFilter,
    ) -> None:
        self.principal = principal
        self.host = host
        self.operation = operation
        self.permission_type = permission_type
        self.resource_pattern = resource_pattern
        self.validate()

    def validate(self) -> None:
        if not isinstance(self.operation, ACLOperation):
            raise IllegalArgumentError(f"operation is an ACLOperation, not {self.operation!r}")
        if not isinstance(self.permission_type, ACLPermissionType):
            raise IllegalArgumentError(f"permission_type is an ACLPermissionType, not {self.permission_type!r}")
        if not isinstance(self.resource_pattern, ResourcePatternFilter):
            raise IllegalArgumentError(f"resource_pattern is a ResourcePatternFilter, not {self.resource_pattern!r}")


class ACL(ACLFilter):
    """One rule: this principal, from this host, may or may not do this to these resources."""

    def validate(self) -> None:
        super().validate()
        if self.operation is ACLOperation.ANY:
            raise IllegalArgumentError("a rule is about an operation, not ANY")
        if self.permission_type is ACLPermissionType.ANY:
            raise IllegalArgumentError("a rule allows or denies, not ANY")
        if not isinstance(self.resource_pattern, ResourcePattern):
            raise IllegalArgumentError(f"a rule's resource_pattern is a ResourcePattern, not {self.resource_pattern!r}")


class AclAdmin(AdminBase):
    def describe_acls(self, acl_filter: ACLFilter) -> tuple[list[ACL], type[KafkaError]]:
        """The rules that a filter lets through, and ``NoError``.

        Raises:
            SecurityDisabledError: the engine has no authorizer.
        """
        reply = self._port().describe_acls(self._link.context, _filter(acl_filter))
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or "")
        return [_rule(binding) for binding in reply.acls], for_code(0)

    def create_acls(self, acls: Iterable[ACL]) -> dict[str, list[Any]]:
        """Create rules; one that is there already counts as created.

        Returns:
            ``{"succeeded": [rules], "failed": [errors' classes]}``.

        Raises:
            IllegalArgumentError: what is given is not all rules.
        """
        given = list(acls)
        if not all(isinstance(each, ACL) for each in given):
            raise IllegalArgumentError("acls must be ACL objects")
        results = self._port().create_acls(self._link.context, [api.AclBinding(*_parts(each)) for each in given])
        return {
            "succeeded": [each for each, result in zip(given, results, strict=True) if not result.error_code],
            "failed": [for_code(result.error_code) for result in results if result.error_code],
        }

    def delete_acls(self, acl_filters: Iterable[ACLFilter]) -> list[tuple[ACLFilter, list[ACL], type[KafkaError]]]:
        """Delete what filters let through; for each the filter, the rules that are gone, and ``NoError`` or an error.

        Raises:
            IllegalArgumentError: what is given is not all filters.
        """
        given = list(acl_filters)
        if not all(isinstance(each, ACLFilter) for each in given):
            raise IllegalArgumentError("acl_filters must be ACLFilter objects")
        results = self._port().delete_acls(self._link.context, [_filter(each) for each in given])
        return [
            (each, [_rule(binding) for binding in result.acls], for_code(result.error_code))
            for each, result in zip(given, results, strict=True)
        ]


def _parts(given: ACLFilter) -> tuple[Any, ...]:
    pattern = given.resource_pattern
    return (
        int(pattern.resource_type),
        pattern.resource_name,
        int(pattern.pattern_type),
        given.principal,
        given.host,
        int(given.operation),
        int(given.permission_type),
    )


def _filter(given: ACLFilter) -> api.AclBindingFilter:
    return api.AclBindingFilter(*_parts(given))


def _rule(binding: api.AclBinding) -> ACL:
    return ACL(
        binding.principal,
        binding.host,
        ACLOperation(binding.operation),
        ACLPermissionType(binding.permission_type),
        ResourcePattern(
            ResourceType(binding.resource_type),
            binding.resource_name,
            ACLResourcePatternType(binding.pattern_type),
        ),
    )
