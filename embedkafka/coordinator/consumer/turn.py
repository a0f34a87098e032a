"""What one command does to a consumer group: a copy that its records were applied to, and what shall happen outside."""

from __future__ import annotations

from collections.abc import Sequence

from embedkafka.coordinator.consumer.group import ConsumerGroup, session_timeout_ms
from embedkafka.coordinator.consumer.member import Member
from embedkafka.coordinator.decision import (
    CLASSIC_JOIN,
    CLASSIC_SYNC,
    REVOKE,
    SESSION,
    Decision,
    GroupChanged,
    MemberOverdue,
    ParkKey,
    SessionExpired,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.records import ConsumerRecord, Record

MEMBER_TIMERS = (SESSION, REVOKE, CLASSIC_JOIN, CLASSIC_SYNC)


class Turn:
    """One command's work on one group.

    Args:
        group: the group as the machine holds it, or a new one; left as it is.
    """

    def __init__(self, group: ConsumerGroup, moment: Moment) -> None:
        self.group = group
        self.before = group
        self.moment = moment
        self.records: list[Record] = []
        self.timers: list[Timer] = []
        self.completions: list[tuple[ParkKey, object]] = []
        self._is_copy = False

    def write(self, *records: ConsumerRecord) -> None:
        """Want records written; :attr:`group` shows their effect at once."""
        if not self._is_copy:
            self.group = self.group.copy()
            self._is_copy = True
        for record in records:
            self.group.apply(record)
        self.records += records

    def start_session(self, member: Member) -> None:
        """A member was heard of: its session starts again."""
        group_id = self.group.group_id
        timeout_ms = session_timeout_ms(member, self.moment.config)
        key = TimerKey(SESSION, group_id, member.member_id)
        self.timers.append(Timer(key, timeout_ms, SessionExpired(group_id, member.member_id)))

    def expect(self, kind: str, member: Member, *, epoch: int | None = None, keep: bool = False) -> None:
        """Give a member its rebalance timeout for what others wait for; ``keep`` where it may be waited for already."""
        group_id = self.group.group_id
        command = MemberOverdue(group_id, member.member_id, epoch)
        key = TimerKey(kind, group_id, member.member_id)
        self.timers.append(Timer(key, max(0, member.rebalance_timeout_ms), command, keep))

    def cancel(self, kind: str, member_id: str = "") -> None:
        self.timers.append(Timer(TimerKey(kind, self.group.group_id, member_id)))

    def end_timers(self, member_id: str) -> None:
        for kind in MEMBER_TIMERS:
            self.cancel(kind, member_id)

    def decide(self, reply: object = None) -> Decision:
        """The decision so far."""
        events: Sequence[GroupChanged] = [GroupChanged(self.group.group_id, None)] if self.records else ()
        return Decision(
            reply=reply, completions=self.completions, records=self.records, events=events, timers=self.timers
        )
