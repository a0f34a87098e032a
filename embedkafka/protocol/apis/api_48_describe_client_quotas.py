"""DescribeClientQuotas (48): quotas by user, client id and address (KIP-546).

``match_type`` is 0 for exactly this name, 1 for the default entity, 2 for any named one.  ``strict`` leaves out quotas
that have further components.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, FLOAT64, INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ComponentData:
    entity_type: str = wire(STRING)
    match_type: int = wire(INT8)
    match: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class DescribeClientQuotasRequest:
    components: list[ComponentData] = wire(array(ComponentData))
    strict: bool = wire(BOOL)


@dataclass(slots=True)
class EntityData:
    entity_type: str = wire(STRING)
    entity_name: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class ValueData:
    key: str = wire(STRING)
    value: float = wire(FLOAT64)


@dataclass(slots=True)
class EntryData:
    entity: list[EntityData] = wire(array(EntityData))
    values: list[ValueData] = wire(array(ValueData))


@dataclass(slots=True)
class DescribeClientQuotasResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    entries: list[EntryData] | None = wire(array(EntryData), nullable="0+")


API = Api(
    48,
    request=Schema(DescribeClientQuotasRequest, versions="0-1", flexible="1+"),
    response=Schema(DescribeClientQuotasResponse, versions="0-1", flexible="1+"),
)
