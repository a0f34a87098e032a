"""DeleteGroups (42): remove empty groups with their offsets (KIP-229)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DeleteGroupsRequest:
    groups_names: list[str] = wire(array(STRING))


@dataclass(slots=True)
class DeletableGroupResult:
    group_id: str = wire(STRING)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class DeleteGroupsResponse:
    throttle_time_ms: int = wire(INT32)
    results: list[DeletableGroupResult] = wire(array(DeletableGroupResult))


API = Api(
    42,
    request=Schema(DeleteGroupsRequest, versions="0-2", flexible="2+"),
    response=Schema(DeleteGroupsResponse, versions="0-2", flexible="2+"),
)
