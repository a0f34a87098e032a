"""CreateAcls (30): add access rules; each succeeds or fails for itself (KIP-140, KIP-290)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AclCreation:
    resource_type: int = wire(INT8)
    resource_name: str = wire(STRING)
    resource_pattern_type: int = wire(INT8, default=3)
    principal: str = wire(STRING)
    host: str = wire(STRING)
    operation: int = wire(INT8)
    permission_type: int = wire(INT8)


@dataclass(slots=True)
class CreateAclsRequest:
    creations: list[AclCreation] = wire(array(AclCreation))


@dataclass(slots=True)
class AclCreationResult:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class CreateAclsResponse:
    throttle_time_ms: int = wire(INT32)
    results: list[AclCreationResult] = wire(array(AclCreationResult))


API = Api(
    30,
    request=Schema(CreateAclsRequest, versions="1-3", flexible="2+"),
    response=Schema(CreateAclsResponse, versions="1-3", flexible="2+"),
)
