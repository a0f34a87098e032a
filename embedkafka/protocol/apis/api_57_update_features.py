"""UpdateFeatures (57): raise or lower finalized features (KIP-584, KIP-778).

0 may allow a downgrade, 1 tells a safe from an unsafe one and can only check; 2 answers for all at once (KIP-1022).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class FeatureUpdateKey:
    feature: str = wire(STRING)
    max_version_level: int = wire(INT16)
    allow_downgrade: bool = wire(BOOL, "0")
    upgrade_type: int = wire(INT8, "1+", default=1)


@dataclass(slots=True)
class UpdateFeaturesRequest:
    timeout_ms: int = wire(INT32, default=60000)
    feature_updates: list[FeatureUpdateKey] = wire(array(FeatureUpdateKey))
    validate_only: bool = wire(BOOL, "1+")


@dataclass(slots=True)
class UpdatableFeatureResult:
    feature: str = wire(STRING)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class UpdateFeaturesResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    results: list[UpdatableFeatureResult] = wire(array(UpdatableFeatureResult), "0-1", ignorable=True)


API = Api(
    57,
    request=Schema(UpdateFeaturesRequest, versions="0-2", flexible="0+"),
    response=Schema(UpdateFeaturesResponse, versions="0-2", flexible="0+"),
)
