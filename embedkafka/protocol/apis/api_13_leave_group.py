"""LeaveGroup (13): go from a classic group without waiting for the session to time out.

Up to 2 it is the member itself, at the top level; from 3 a list, so that an administrator can remove static members by
their instance id (KIP-345).  5 added a reason for people (KIP-800).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class MemberIdentity:
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, default=None, nullable="0+")
    reason: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)


@dataclass(slots=True)
class LeaveGroupRequest:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING, "0-2")
    members: list[MemberIdentity] = wire(array(MemberIdentity), "3+")


@dataclass(slots=True)
class MemberResponse:
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, nullable="0+")
    error_code: int = wire(INT16)


@dataclass(slots=True)
class LeaveGroupResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    error_code: int = wire(INT16)
    members: list[MemberResponse] = wire(array(MemberResponse), "3+")


API = Api(
    13,
    request=Schema(LeaveGroupRequest, versions="0-5", flexible="4+"),
    response=Schema(LeaveGroupResponse, versions="0-5", flexible="4+"),
)
