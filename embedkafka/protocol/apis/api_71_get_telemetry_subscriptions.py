"""GetTelemetrySubscriptions (71): which of its metrics a client is asked to push (KIP-714).

A broker that collects none answers with an empty list of metrics.  ``client_instance_id`` zero asks for a new id.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class GetTelemetrySubscriptionsRequest:
    client_instance_id: UuidValue = wire(UUID)


@dataclass(slots=True)
class GetTelemetrySubscriptionsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    client_instance_id: UuidValue = wire(UUID)
    subscription_id: int = wire(INT32)
    accepted_compression_types: list[int] = wire(array(INT8))
    push_interval_ms: int = wire(INT32)
    telemetry_max_bytes: int = wire(INT32)
    delta_temporality: bool = wire(BOOL)
    requested_metrics: list[str] = wire(array(STRING))


API = Api(
    71,
    request=Schema(GetTelemetrySubscriptionsRequest, versions="0", flexible="0+"),
    response=Schema(GetTelemetrySubscriptionsResponse, versions="0", flexible="0+"),
)
