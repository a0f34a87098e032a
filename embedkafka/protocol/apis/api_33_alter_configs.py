"""AlterConfigs (33): replace all dynamic settings of a resource (KIP-133).

What is not named falls back to its default, which is why IncrementalAlterConfigs took its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AlterableConfig:
    name: str = wire(STRING)
    value: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class AlterConfigsResource:
    resource_type: int = wire(INT8)
    resource_name: str = wire(STRING)
    configs: list[AlterableConfig] = wire(array(AlterableConfig))


@dataclass(slots=True)
class AlterConfigsRequest:
    resources: list[AlterConfigsResource] = wire(array(AlterConfigsResource))
    validate_only: bool = wire(BOOL)


@dataclass(slots=True)
class AlterConfigsResourceResponse:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    resource_type: int = wire(INT8)
    resource_name: str = wire(STRING)


@dataclass(slots=True)
class AlterConfigsResponse:
    throttle_time_ms: int = wire(INT32)
    responses: list[AlterConfigsResourceResponse] = wire(array(AlterConfigsResourceResponse))


API = Api(
    33,
    request=Schema(AlterConfigsRequest, versions="0-2", flexible="2+"),
    response=Schema(AlterConfigsResponse, versions="0-2", flexible="2+"),
)
