"""AlterClientQuotas (49): set or remove quotas; a null name is the default entity (KIP-546)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, FLOAT64, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class EntityData:
    entity_type: str = wire(STRING)
    entity_name: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class OpData:
    key: str = wire(STRING)
    value: float = wire(FLOAT64)
    remove: bool = wire(BOOL)


@dataclass(slots=True)
class EntryData:
    entity: list[EntityData] = wire(array(EntityData))
    ops: list[OpData] = wire(array(OpData))


@dataclass(slots=True)
class AlterClientQuotasRequest:
    entries: list[EntryData] = wire(array(EntryData))
    validate_only: bool = wire(BOOL)


@dataclass(slots=True)
class EntryResult:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    entity: list[EntityData] = wire(array(EntityData))


@dataclass(slots=True)
class AlterClientQuotasResponse:
    throttle_time_ms: int = wire(INT32)
    entries: list[EntryResult] = wire(array(EntryResult))


API = Api(
    49,
    request=Schema(AlterClientQuotasRequest, versions="0-1", flexible="1+"),
    response=Schema(AlterClientQuotasResponse, versions="0-1", flexible="1+"),
)
