"""ListConfigResources (74): the resources that have settings.

0 is ListClientMetricsResources and knows only those (KIP-1000); 1 takes types, an empty list being all (KIP-1142).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ListConfigResourcesRequest:
    resource_types: list[int] = wire(array(INT8), "1+")


@dataclass(slots=True)
class ConfigResource:
    resource_name: str = wire(STRING)
    resource_type: int = wire(INT8, "1+", default=16, ignorable=True)


@dataclass(slots=True)
class ListConfigResourcesResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    config_resources: list[ConfigResource] = wire(array(ConfigResource))


API = Api(
    74,
    request=Schema(ListConfigResourcesRequest, versions="0-1", flexible="0+"),
    response=Schema(ListConfigResourcesResponse, versions="0-1", flexible="0+"),
)
