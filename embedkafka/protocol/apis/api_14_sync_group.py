"""SyncGroup (14): the leader hands in everyone's assignment, every member waits for its own.

Assignments are opaque to the broker.  3 added static members (KIP-345); from 5 both sides name protocol type and name,
and what does not match is INCONSISTENT_GROUP_PROTOCOL (KIP-559).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BYTES, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class SyncGroupRequestAssignment:
    member_id: str = wire(STRING)
    assignment: bytes = wire(BYTES)


@dataclass(slots=True)
class SyncGroupRequest:
    group_id: str = wire(STRING)
    generation_id: int = wire(INT32)
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "3+", default=None, nullable="0+")
    protocol_type: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)
    protocol_name: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)
    assignments: list[SyncGroupRequestAssignment] = wire(array(SyncGroupRequestAssignment))


@dataclass(slots=True)
class SyncGroupResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    error_code: int = wire(INT16)
    protocol_type: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)
    protocol_name: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)
    assignment: bytes = wire(BYTES)


API = Api(
    14,
    request=Schema(SyncGroupRequest, versions="0-5", flexible="4+"),
    response=Schema(SyncGroupResponse, versions="0-5", flexible="4+"),
)
