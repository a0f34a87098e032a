"""SyncGroup (14): the leader hands in the assignment, every member fetches its part."""

from __future__ import annotations

from embedkafka.coordinator.api import SyncGroupReply, SyncGroupRequest
from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.classic.rebalance import answer_syncs
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import SYNC, Decision
from embedkafka.errors import (
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


def sync_group(request: SyncGroupRequest, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Decide about a sync: followers wait for the leader's, whose assignment is written before anyone gets it."""
    error_code = _error(request, group)
    if error_code or group is None:
        return Decision(reply=SyncGroupReply(error_code))

    turn = Turn(group, config, now_ms)
    group = turn.group
    group.pending_syncs -= {request.member_id}
    if not group.pending_syncs:
        turn.cancel_timer(SYNC)
    member = group.members[request.member_id]
    if group.state is GroupState.STABLE:
        return turn.decide(SyncGroupReply(0, group.protocol_type, group.protocol_name, member.assignment))

    turn.update(member, awaiting_sync=True)
    if group.leader == request.member_id:
        for each in list(group.members.values()):
            turn.update(each, assignment=bytes(request.assignments.get(each.member_id, b"")))
        group.transition(GroupState.STABLE, now_ms)
        turn.store_group()
        answer_syncs(turn, 0)
    return turn.decide(park=(SYNC, request.member_id))


def _error(request: SyncGroupRequest, group: Group | None) -> int:
    if not request.group_id:
        return InvalidGroupIdError.errno
    if group is None:
        return UnknownMemberIdError.errno
    error_code = group.generation_error(request.member_id, request.group_instance_id, request.generation_id)
    if error_code:
        return error_code
    other_type = request.protocol_type is not None and request.protocol_type != group.protocol_type
    other_name = request.protocol_name is not None and request.protocol_name != group.protocol_name
    if other_type or other_name:
        return InconsistentGroupProtocolError.errno
    if group.state is GroupState.PREPARING_REBALANCE:
        return RebalanceInProgressError.errno
    return 0
