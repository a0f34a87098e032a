"""JoinGroup (11): enter a classic group, and wait for the rebalance to gather everyone.

* From 4 a new member gets its id with MEMBER_ID_REQUIRED and joins again with it (KIP-394), so that a client which
  gives up at once leaves no ghost behind. 5 added static members (KIP-345), 8 a reason for people (KIP-800).
* ``rebalance_timeout_ms`` (from 1) is -1 in version 0, where the session timeout stands for it.
* The leader is told all members' subscriptions and assigns; from 9 the broker can tell a returning static leader to
  leave the assignment as it is (KIP-814).
* 7 names the protocol type in the answer and may leave the protocol's name null (KIP-559).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, BYTES, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class JoinGroupRequestProtocol:
    name: str = wire(STRING)
    metadata: bytes = wire(BYTES)


@dataclass(slots=True)
class JoinGroupRequest:
    group_id: str = wire(STRING)
    session_timeout_ms: int = wire(INT32)
    rebalance_timeout_ms: int = wire(INT32, "1+", default=-1, ignorable=True)
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "5+", default=None, nullable="0+")
    protocol_type: str = wire(STRING)
    protocols: list[JoinGroupRequestProtocol] = wire(array(JoinGroupRequestProtocol))
    reason: str | None = wire(STRING, "8+", default=None, nullable="0+", ignorable=True)


@dataclass(slots=True)
class JoinGroupResponseMember:
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "5+", default=None, nullable="0+", ignorable=True)
    metadata: bytes = wire(BYTES)


@dataclass(slots=True)
class JoinGroupResponse:
    throttle_time_ms: int = wire(INT32, "2+", ignorable=True)
    error_code: int = wire(INT16)
    generation_id: int = wire(INT32, default=-1)
    protocol_type: str | None = wire(STRING, "7+", default=None, nullable="0+", ignorable=True)
    protocol_name: str | None = wire(STRING, nullable="7+")
    leader: str = wire(STRING)
    skip_assignment: bool = wire(BOOL, "9+")
    member_id: str = wire(STRING)
    members: list[JoinGroupResponseMember] = wire(array(JoinGroupResponseMember))


API = Api(
    11,
    request=Schema(JoinGroupRequest, versions="0-9", flexible="6+"),
    response=Schema(JoinGroupResponse, versions="0-9", flexible="6+"),
)
