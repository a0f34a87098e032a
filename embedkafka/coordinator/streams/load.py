"""What a coordinator does for a streams group that it found in its log."""

from __future__ import annotations

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.streams.member import MemberState
from embedkafka.coordinator.streams.target import wait_for_assignment
from embedkafka.coordinator.streams.turn import StreamsTurn


def start_timers(turn: StreamsTurn) -> Decision:
    """Sessions of all members start now, and so does the time of those that have to let tasks go."""
    group = turn.group
    for member in group.members.values():
        turn.start_session(member.member_id)
        if member.state is MemberState.UNREVOKED_TASKS:
            turn.expect_revocation(member)
    if group.members:
        wait_for_assignment(turn)
    return turn.decide()
