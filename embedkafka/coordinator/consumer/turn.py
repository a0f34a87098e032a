"""What one command does to a consumer group."""

from __future__ import annotations

from embedkafka.coordinator.consumer.group import ConsumerGroup, session_timeout_ms
from embedkafka.coordinator.consumer.member import Member
from embedkafka.coordinator.decision import (
    CLASSIC_JOIN,
    CLASSIC_SYNC,
    REVOKE,
    SESSION,
    Decision,
    MemberOverdue,
    ParkKey,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.turn import GroupTurn

MEMBER_TIMERS = (SESSION, REVOKE, CLASSIC_JOIN, CLASSIC_SYNC)


class Turn(GroupTurn[ConsumerGroup]):
    """One command's work on one consumer group."""

    def __init__(self, group: ConsumerGroup, moment: Moment) -> None:
        super().__init__(group, moment)
        self.completions: list[tuple[ParkKey, object]] = []
        self.hidden_topics: frozenset[str] | None = None if moment.config.hides_topics else frozenset()

    def start_session(self, member: Member) -> None:
        """A member was heard of: its session starts again."""
        self.start_session_of(member.member_id, session_timeout_ms(member, self.settings))

    def expect(self, kind: str, member: Member, *, epoch: int | None = None, keep: bool = False) -> None:
        """Give a member its rebalance timeout for what others wait for; ``keep`` where it may be waited for already."""
        group_id = self.group.group_id
        command = MemberOverdue(group_id, member.member_id, epoch)
        key = TimerKey(kind, group_id, member.member_id)
        self.timers.append(Timer(key, max(0, member.rebalance_timeout_ms), command, keep))

    def end_timers(self, member_id: str) -> None:
        for kind in MEMBER_TIMERS:
            self.cancel(kind, member_id)

    def decide(self, reply: object = None) -> Decision:
        """The decision so far."""
        return super().decide(reply)._replace(completions=self.completions)
