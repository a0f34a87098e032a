"""ApiVersions (18): which APIs and versions this broker serves, and its features (KIP-35, KIP-511, KIP-584).

* The response header is always version 0, because the client cannot know yet what the broker understands.
* A request version that is too high is answered in version 0 with UNSUPPORTED_VERSION and the range of this API, so
  that the client can ask again (KIP-511).
* 4 exists because clients of version 3 refuse features whose lowest level is 0; those must be left out of a response to
  them.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ApiVersionsRequest:
    client_software_name: str = wire(STRING, "3+", ignorable=True)
    client_software_version: str = wire(STRING, "3+", ignorable=True)


@dataclass(slots=True)
class ApiVersion:
    api_key: int = wire(INT16)
    min_version: int = wire(INT16)
    max_version: int = wire(INT16)


@dataclass(slots=True)
class SupportedFeatureKey:
    name: str = wire(STRING)
    min_version: int = wire(INT16)
    max_version: int = wire(INT16)


@dataclass(slots=True)
class FinalizedFeatureKey:
    name: str = wire(STRING)
    max_version_level: int = wire(INT16)
    min_version_level: int = wire(INT16)


@dataclass(slots=True)
class ApiVersionsResponse:
    error_code: int = wire(INT16)
    api_keys: list[ApiVersion] = wire(array(ApiVersion))
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    supported_features: list[SupportedFeatureKey] = wire(
        array(SupportedFeatureKey), "3+", ignorable=True, tag=0, tagged="3+"
    )
    finalized_features_epoch: int = wire(INT64, "3+", default=-1, ignorable=True, tag=1, tagged="3+")
    finalized_features: list[FinalizedFeatureKey] = wire(
        array(FinalizedFeatureKey), "3+", ignorable=True, tag=2, tagged="3+"
    )
    zk_migration_ready: bool = wire(BOOL, "3+", ignorable=True, tag=3, tagged="3+")


API = Api(
    18,
    request=Schema(ApiVersionsRequest, versions="0-4", flexible="3+"),
    response=Schema(ApiVersionsResponse, versions="0-4", flexible="3+"),
)
