"""Heartbeat (12) and LeaveGroup (13): a member says that it lives, or goes."""

from __future__ import annotations

from embedkafka.coordinator.api import HeartbeatRequest, LeaveGroupReply, LeaveGroupRequest, LeavingMember, LeftMember
from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.classic.rebalance import complete_join_if_all_joined, rebalance_or_complete, remove_member
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import Decision
from embedkafka.errors import InvalidGroupIdError, RebalanceInProgressError, UnknownMemberIdError


def heartbeat(request: HeartbeatRequest, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """The reply is an error code: REBALANCE_IN_PROGRESS tells the member to join again."""
    if not request.group_id:
        return Decision(reply=InvalidGroupIdError.errno)
    if group is None:
        return Decision(reply=UnknownMemberIdError.errno)
    error_code = group.generation_error(request.member_id, request.group_instance_id, request.generation_id)
    if error_code:
        return Decision(reply=error_code)
    preparing = group.state is GroupState.PREPARING_REBALANCE
    return Decision(
        reply=RebalanceInProgressError.errno if preparing else 0, timers=[group.session_timer(request.member_id)]
    )


def leave_group(request: LeaveGroupRequest, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Each leaving member gets its own answer (KIP-345); one that is not there does not hold the others up."""
    if not request.group_id:
        return Decision(reply=LeaveGroupReply(InvalidGroupIdError.errno))
    if group is None:
        error_code = UnknownMemberIdError.errno
        left = [LeftMember(each.member_id, each.group_instance_id, error_code) for each in request.members]
        return Decision(reply=LeaveGroupReply(members=left))
    turn = Turn(group, config, now_ms)
    left = [LeftMember(each.member_id, each.group_instance_id, _remove(turn, each)) for each in request.members]
    if any(each.error_code == 0 for each in left):
        if turn.group.state is GroupState.PREPARING_REBALANCE:
            complete_join_if_all_joined(turn)
        elif turn.group.state is not GroupState.EMPTY:
            rebalance_or_complete(turn)
    return turn.decide(LeaveGroupReply(members=left))


def _remove(turn: Turn, leaving: LeavingMember) -> int:
    """Take one member out; an empty member id stands for whoever holds the instance id."""
    group = turn.group
    member_id = leaving.member_id
    if not member_id and leaving.group_instance_id is not None:
        member_id = group.static_member_id(leaving.group_instance_id) or ""
    if member_id in group.pending_members:
        group.remove(member_id)
        turn.end_session(member_id)
        return 0
    error_code = group.member_error(member_id, leaving.group_instance_id)
    if not error_code:
        turn.end_session(member_id)
        remove_member(turn, group.members[member_id])
    return error_code
