"""DescribeAcls (29): the access rules that match a filter (KIP-140, KIP-290).

In a filter 1 is any; null strings match everything.  Numbers are those of Kafka's ``ResourceType``, ``PatternType``,
``AclOperation`` and ``AclPermissionType``.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeAclsRequest:
    resource_type_filter: int = wire(INT8)
    resource_name_filter: str | None = wire(STRING, nullable="0+")
    pattern_type_filter: int = wire(INT8, default=3)
    principal_filter: str | None = wire(STRING, nullable="0+")
    host_filter: str | None = wire(STRING, nullable="0+")
    operation: int = wire(INT8)
    permission_type: int = wire(INT8)


@dataclass(slots=True)
class AclDescription:
    principal: str = wire(STRING)
    host: str = wire(STRING)
    operation: int = wire(INT8)
    permission_type: int = wire(INT8)


@dataclass(slots=True)
class DescribeAclsResource:
    resource_type: int = wire(INT8)
    resource_name: str = wire(STRING)
    pattern_type: int = wire(INT8, default=3)
    acls: list[AclDescription] = wire(array(AclDescription))


@dataclass(slots=True)
class DescribeAclsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    resources: list[DescribeAclsResource] = wire(array(DescribeAclsResource))


API = Api(
    29,
    request=Schema(DescribeAclsRequest, versions="1-3", flexible="2+"),
    response=Schema(DescribeAclsResponse, versions="1-3", flexible="2+"),
)
