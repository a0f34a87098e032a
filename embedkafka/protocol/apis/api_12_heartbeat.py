"""Heartbeat (12): a member of a classic group is alive, and learns of rebalances; 3 added static members (KIP-345)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class HeartbeatRequest:
    group_id: str = wire(STRING)
    generation_id: int = wire(INT32)
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "3+", default=None, nullable="0+")


@dataclass(slots=True)
class HeartbeatResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    error_code: int = wire(INT16)


API = Api(
    12,
    request=Schema(HeartbeatRequest, versions="0-4", flexible="4+"),
    response=Schema(HeartbeatResponse, versions="0-4", flexible="4+"),
)
