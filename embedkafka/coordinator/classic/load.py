"""What a coordinator does for a classic group that it found in its log."""

from __future__ import annotations

from embedkafka.coordinator.classic.group import Group
from embedkafka.coordinator.classic.rebalance import prepare
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import Decision, GroupChanged


def start_sessions(group: Group, config: GroupConfig, now_ms: int) -> Decision:
    """Sessions of all members start now; a group with too many members rebalances."""
    turn = Turn(group, config, now_ms)
    for member in group.members.values():
        turn.start_session(member.member_id, member.session_timeout_ms)
    if len(group.members) > config.max_size:
        prepare(turn)
    return turn.decide()._replace(events=[GroupChanged(group.group_id, turn.group)])
