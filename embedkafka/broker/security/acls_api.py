"""What the authorizer is asked and answers: Kafka's APIs 29-31 as plain values, with Kafka's numbers.

They are part of :mod:`embedkafka.broker.api`, which everyone else imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "CLUSTER_NAME",
    "AclBinding",
    "AclBindingFilter",
    "AclCreationResult",
    "AclOperation",
    "AclPatternType",
    "AclPermissionType",
    "AclResourceType",
    "DeletedAcls",
    "DescribeAclsReply",
]

CLUSTER_NAME = "kafka-cluster"  # the only resource of type CLUSTER (org.apache.kafka.common.resource.Resource)


class AclResourceType(IntEnum):
    """org.apache.kafka.common.resource.ResourceType."""

    UNKNOWN = 0
    ANY = 1
    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class AclPatternType(IntEnum):
    """org.apache.kafka.common.resource.PatternType (KIP-290); ANY and MATCH are for filters."""

    UNKNOWN = 0
    ANY = 1
    MATCH = 2
    LITERAL = 3
    PREFIXED = 4


class AclOperation(IntEnum):
    """org.apache.kafka.common.acl.AclOperation."""

    UNKNOWN = 0
    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


class AclPermissionType(IntEnum):
    """org.apache.kafka.common.acl.AclPermissionType."""

    UNKNOWN = 0
    ANY = 1
    DENY = 2
    ALLOW = 3


class AclBinding(NamedTuple):
    """One rule: this principal, from this host, may or may not do this to these resources.

    ``principal`` is ``User:<name>``, or ``User:*`` for everyone; ``host`` an address, or ``*``.
    """

    resource_type: int
    resource_name: str
    pattern_type: int
    principal: str
    host: str
    operation: int
    permission_type: int


class AclBindingFilter(NamedTuple):
    """Rules by their parts; None, ANY and (of pattern types) MATCH let more than one value through."""

    resource_type: int = AclResourceType.ANY
    resource_name: str | None = None
    pattern_type: int = AclPatternType.ANY
    principal: str | None = None
    host: str | None = None
    operation: int = AclOperation.ANY
    permission_type: int = AclPermissionType.ANY


class DescribeAclsReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    acls: Sequence[AclBinding] = ()


class AclCreationResult(NamedTuple):
    error_code: int = 0
    error_message: str | None = None


class DeletedAcls(NamedTuple):
    """What one filter has deleted."""

    error_code: int = 0
    error_message: str | None = None
    acls: Sequence[AclBinding] = ()
