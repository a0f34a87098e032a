"""A client of the classic protocol that comes to a share or streams group is turned away, with Kafka's errors."""

from __future__ import annotations

from embedkafka.coordinator.api import (
    HeartbeatRequest,
    JoinGroupReply,
    LeaveGroupReply,
    LeaveGroupRequest,
    LeftMember,
    SyncGroupReply,
    SyncGroupRequest,
)
from embedkafka.coordinator.decision import Decision, JoinGroup
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.errors import InconsistentGroupProtocolError, UnknownMemberIdError


def join_group(command: JoinGroup, group: AnyGroup, moment: Moment) -> Decision:
    reply = JoinGroupReply(InconsistentGroupProtocolError.errno, member_id=command.request.member_id)
    return Decision(reply=reply)


def sync_group(request: SyncGroupRequest, group: AnyGroup, moment: Moment) -> Decision:
    return Decision(reply=SyncGroupReply(UnknownMemberIdError.errno))


def heartbeat(request: HeartbeatRequest, group: AnyGroup, moment: Moment) -> Decision:
    return Decision(reply=UnknownMemberIdError.errno)


def leave_group(request: LeaveGroupRequest, group: AnyGroup, moment: Moment) -> Decision:
    error_code = UnknownMemberIdError.errno
    members = [LeftMember(each.member_id, each.group_instance_id, error_code) for each in request.members]
    return Decision(reply=LeaveGroupReply(0, members))
