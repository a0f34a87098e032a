"""PushTelemetry (72): a client's metrics in OTLP, compressed as agreed (KIP-714)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, BYTES, INT8, INT16, INT32, UUID, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PushTelemetryRequest:
    client_instance_id: UuidValue = wire(UUID)
    subscription_id: int = wire(INT32)
    terminating: bool = wire(BOOL)
    compression_type: int = wire(INT8)
    metrics: bytes = wire(BYTES)


@dataclass(slots=True)
class PushTelemetryResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)


API = Api(
    72,
    request=Schema(PushTelemetryRequest, versions="0", flexible="0+"),
    response=Schema(PushTelemetryResponse, versions="0", flexible="0+"),
)
