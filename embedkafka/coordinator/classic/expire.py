"""What happens when time runs out for a classic group: sessions, and the phases of a rebalance."""

from __future__ import annotations

from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.classic.rebalance import complete_join, prepare, rebalance_or_complete, remove_member
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import (
    JOIN,
    Decision,
    InitialDelayOver,
    JoinDeadline,
    SessionExpired,
    SyncDeadline,
)


def expire_session(command: SessionExpired, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Remove a member that was not heard of; one whose client is parked here lives."""
    if group is None:
        return Decision()
    turn = Turn(group, config, now_ms)
    group = turn.group
    member = group.members.get(command.member_id)
    if member is not None and (member.is_new or not (member.awaiting_join or member.awaiting_sync)):
        remove_member(turn, member)
    elif command.member_id in group.pending_members:
        group.remove(command.member_id)
    else:
        return Decision()
    if group.state is GroupState.PREPARING_REBALANCE:
        if group.has_all_joined():
            complete_join(turn)
    elif member is not None:
        rebalance_or_complete(turn)
    return turn.decide()


def end_initial_delay(command: InitialDelayOver, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Wait once more if somebody joined meanwhile, up to the rebalance timeout; else complete the join."""
    if group is None or group.state is not GroupState.PREPARING_REBALANCE:
        return Decision()
    turn = Turn(group, config, now_ms)
    if not group.new_member_added or command.remaining_ms == 0:
        complete_join(turn)
        return turn.decide()
    turn.group.new_member_added = False
    delay_ms = min(config.initial_rebalance_delay_ms, command.remaining_ms)
    remaining_ms = max(command.remaining_ms - command.delay_ms, 0)
    turn.start_timer(JOIN, delay_ms, InitialDelayOver(command.group_id, delay_ms, remaining_ms))
    return turn.decide()


def end_join_phase(command: JoinDeadline, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Complete the join with who is there."""
    if group is None or group.state is not GroupState.PREPARING_REBALANCE:
        return Decision()
    turn = Turn(group, config, now_ms)
    complete_join(turn)
    return turn.decide()


def end_sync_phase(command: SyncDeadline, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Remove members that joined the generation and never fetched their assignment."""
    if group is None or group.generation_id != command.generation_id or not group.pending_syncs:
        return Decision()
    if group.state not in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE):
        return Decision()
    turn = Turn(group, config, now_ms)
    for member_id in group.pending_syncs:
        turn.group.remove(member_id)
        turn.end_session(member_id)
    prepare(turn)
    return turn.decide()
