"""What a coordinator does for a share group that it found in its log."""

from __future__ import annotations

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.target import wait_for_assignment
from embedkafka.coordinator.share.turn import ShareTurn


def start_timers(group: ShareGroup, moment: Moment) -> Decision:
    """Sessions of all members start now."""
    turn = ShareTurn(group, moment)
    for member_id in group.members:
        turn.start_session(member_id)
    if group.members:
        wait_for_assignment(turn)
    return turn.decide()
