"""UnregisterBroker (64): forget a broker that will not come back (KIP-500)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class UnregisterBrokerRequest:
    broker_id: int = wire(INT32)


@dataclass(slots=True)
class UnregisterBrokerResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


API = Api(
    64,
    request=Schema(UnregisterBrokerRequest, versions="0", flexible="0+"),
    response=Schema(UnregisterBrokerResponse, versions="0", flexible="0+"),
)
