"""Being a member: of classic groups (JoinGroup 11, Heartbeat 12, LeaveGroup 13, SyncGroup 14) and of KIP-848's (68)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from embedkafka.broker import api
from embedkafka.errors import InvalidRequestError
from embedkafka.protocol.apis.api_11_join_group import JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember
from embedkafka.protocol.apis.api_12_heartbeat import HeartbeatRequest, HeartbeatResponse
from embedkafka.protocol.apis.api_13_leave_group import LeaveGroupRequest, LeaveGroupResponse, MemberResponse
from embedkafka.protocol.apis.api_14_sync_group import SyncGroupRequest, SyncGroupResponse
from embedkafka.protocol.apis.api_68_consumer_group_heartbeat import (
    Assignment,
    ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse,
    TopicPartitions,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# JoinGroup (11) ------------------------------------------------------------------------------------------------------

_REBALANCE_TIMEOUT = 1  # the first version with a timeout of its own
_MEMBER_ID_REQUIRED = 4  # the first whose clients join again with the id that they are given (KIP-394)
_NULL_PROTOCOL = 7  # the first that may name no protocol (KIP-559)
_SKIP_ASSIGNMENT = 9  # the first that lets a returning leader leave the assignment alone (KIP-814)


def join_group(call: Call, request: JoinGroupRequest) -> object:
    """Enter; answered when the rebalance has all its members."""
    asked = api.JoinGroupRequest(
        request.group_id,
        request.session_timeout_ms,
        request.rebalance_timeout_ms if call.version >= _REBALANCE_TIMEOUT else request.session_timeout_ms,
        request.member_id,
        request.protocol_type,
        [(protocol.name, protocol.metadata) for protocol in request.protocols],
        request.group_instance_id,
        request.reason,
        require_member_id=call.version >= _MEMBER_ID_REQUIRED,
    )
    return call.later(partial(call.port.join_group, call.context, asked), partial(_joined, call.version))


def _joined(version: int, reply: api.JoinGroupReply) -> JoinGroupResponse:
    # A leader that cannot be told to skip the assignment is told of another leader, and so waits for the assignment.
    is_follower = reply.skip_assignment and version < _SKIP_ASSIGNMENT
    return JoinGroupResponse(
        error_code=reply.error_code,
        generation_id=reply.generation_id,
        protocol_type=reply.protocol_type,
        protocol_name=reply.protocol_name if version >= _NULL_PROTOCOL else reply.protocol_name or "",
        leader="" if is_follower else reply.leader,
        skip_assignment=reply.skip_assignment and not is_follower,
        member_id=reply.member_id,
        members=[
            JoinGroupResponseMember(member.member_id, member.group_instance_id, member.metadata)
            for member in (() if is_follower else reply.members)
        ],
    )


# SyncGroup (14), Heartbeat (12), LeaveGroup (13) ---------------------------------------------------------------------


def sync_group(call: Call, request: SyncGroupRequest) -> object:
    """Hand in or wait for the assignment."""
    asked = api.SyncGroupRequest(
        request.group_id,
        request.generation_id,
        request.member_id,
        request.group_instance_id,
        request.protocol_type,
        request.protocol_name,
        {each.member_id: each.assignment for each in request.assignments},
    )
    return call.later(partial(call.port.sync_group, call.context, asked), _synced)


def _synced(reply: api.SyncGroupReply) -> SyncGroupResponse:
    return SyncGroupResponse(
        error_code=reply.error_code,
        protocol_type=reply.protocol_type,
        protocol_name=reply.protocol_name,
        assignment=reply.assignment,
    )


def heartbeat(call: Call, request: HeartbeatRequest) -> HeartbeatResponse:
    """Stay a member."""
    asked = api.HeartbeatRequest(request.group_id, request.generation_id, request.member_id, request.group_instance_id)
    return HeartbeatResponse(error_code=call.port.heartbeat(call.context, asked))


_SEVERAL_MEMBERS = 3  # the first version of LeaveGroup with a list of them (KIP-345)


def leave_group(call: Call, request: LeaveGroupRequest) -> LeaveGroupResponse:
    """Let members go; up to version 2 the one that asks, whose error is the whole answer's."""
    if call.version < _SEVERAL_MEMBERS:
        reply = call.port.leave_group(call.context, request.group_id, [api.LeavingMember(request.member_id)])
        return LeaveGroupResponse(error_code=reply.error_code or next((each.error_code for each in reply.members), 0))
    leaving = [api.LeavingMember(each.member_id, each.group_instance_id, each.reason) for each in request.members]
    reply = call.port.leave_group(call.context, request.group_id, leaving)
    return LeaveGroupResponse(error_code=reply.error_code, members=[MemberResponse(*each) for each in reply.members])


# ConsumerGroupHeartbeat (68) -----------------------------------------------------------------------------------------


_OWN_MEMBER_ID = 1  # the first version whose members choose their own (KIP-1082)


def consumer_group_heartbeat(call: Call, request: ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse:
    """Join, stay, reconcile and leave."""
    if call.version >= _OWN_MEMBER_ID and not request.member_id:
        return ConsumerGroupHeartbeatResponse(
            error_code=InvalidRequestError.errno, error_message="MemberId can't be empty."
        )
    owned = request.topic_partitions
    reply = call.port.consumer_group_heartbeat(
        call.context,
        api.ConsumerGroupHeartbeatRequest(
            request.group_id,
            request.member_id,
            request.member_epoch,
            request.instance_id,
            request.rack_id,
            request.rebalance_timeout_ms,
            request.subscribed_topic_names,
            request.subscribed_topic_regex,
            request.server_assignor,
            None if owned is None else {each.topic_id: each.partitions for each in owned},
        ),
    )
    return ConsumerGroupHeartbeatResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        member_id=reply.member_id,
        member_epoch=reply.member_epoch,
        heartbeat_interval_ms=reply.heartbeat_interval_ms,
        assignment=None if reply.assignment is None else _assignment(reply.assignment),
    )


def _assignment(partitions: Mapping[UUID, Sequence[int]]) -> Assignment:
    return Assignment([TopicPartitions(topic_id, list(numbers)) for topic_id, numbers in partitions.items()])


HANDLERS = (
    Handler(11, join_group),
    Handler(12, heartbeat),
    Handler(13, leave_group),
    Handler(14, sync_group),
    Handler(68, consumer_group_heartbeat),
)
