"""What a coordinator does for a consumer group that it found in its log."""

from __future__ import annotations

from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import MemberState
from embedkafka.coordinator.consumer.target import wait_for_assignment
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.decision import REVOKE, Decision
from embedkafka.coordinator.moment import Moment


def start_timers(group: ConsumerGroup, moment: Moment) -> Decision:
    """Sessions of all members start now, and so does the time of those that have to give partitions up."""
    turn = Turn(group, moment)
    for member in group.members.values():
        turn.start_session(member)
        if member.state is MemberState.UNREVOKED_PARTITIONS and member.classic is None:
            turn.expect(REVOKE, member, epoch=member.epoch)
    wait_for_assignment(turn)
    return turn.decide()
