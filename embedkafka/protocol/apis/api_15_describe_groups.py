"""DescribeGroups (15): state, protocol and members of classic groups.

An unknown group is a Dead one without members; from 6 it is GROUP_ID_NOT_FOUND (KIP-1043).  Subscriptions and
assignments are the members' own bytes.  3 added authorized operations (KIP-430), 4 the static members' instance ids
(KIP-345).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, BYTES, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeGroupsRequest:
    groups: list[str] = wire(array(STRING))
    include_authorized_operations: bool = wire(BOOL, "3+")


@dataclass(slots=True)
class DescribedGroupMember:
    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "4+", default=None, nullable="0+", ignorable=True)
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    member_metadata: bytes = wire(BYTES)
    member_assignment: bytes = wire(BYTES)


@dataclass(slots=True)
class DescribedGroup:
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, "6+", default=None, nullable="0+")
    group_id: str = wire(STRING)
    group_state: str = wire(STRING)
    protocol_type: str = wire(STRING)
    protocol_data: str = wire(STRING)
    members: list[DescribedGroupMember] = wire(array(DescribedGroupMember))
    authorized_operations: int = wire(INT32, "3+", default=-(2**31))


@dataclass(slots=True)
class DescribeGroupsResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    groups: list[DescribedGroup] = wire(array(DescribedGroup))


API = Api(
    15,
    request=Schema(DescribeGroupsRequest, versions="0-6", flexible="5+"),
    response=Schema(DescribeGroupsResponse, versions="0-6", flexible="5+"),
)
