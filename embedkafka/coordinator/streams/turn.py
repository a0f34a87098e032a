"""What one command does to a streams group."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.decision import (
    ASSIGN,
    INITIAL_DELAY,
    REVOKE,
    SESSION,
    Decision,
    MemberOverdue,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.streams.commands import Soft, SoftChanged, StreamsDelayOver
from embedkafka.coordinator.streams.group import StreamsGroup
from embedkafka.coordinator.streams.member import StreamsMember
from embedkafka.coordinator.turn import GroupTurn


class StreamsTurn(GroupTurn[StreamsGroup]):
    """One command's work on one streams group.

    Args:
        soft: what is known of the group that is not in the log.
        is_new: the group comes into being with this command.
    """

    def __init__(self, group: StreamsGroup, soft: Soft, moment: Moment, *, is_new: bool = False) -> None:
        super().__init__(group, moment)
        self.soft = soft
        self.is_new = is_new
        self._soft_before = soft

    @property
    def assignment_configs(self) -> Mapping[str, str]:
        """The settings that an assignment hangs on; a change of one makes a new assignment."""
        return {"num.standby.replicas": str(self.settings.streams_num_standby_replicas)}

    def start_session(self, member_id: str) -> None:
        """A member was heard of: its session starts again."""
        self.start_session_of(member_id, self.settings.streams_session_timeout_ms)

    def expect_revocation(self, member: StreamsMember) -> None:
        """Give a member its rebalance timeout to let tasks go."""
        group_id = self.group.group_id
        command = MemberOverdue(group_id, member.member_id, member.epoch)
        delay_ms = max(0, member.rebalance_timeout_ms)
        self.timers.append(Timer(TimerKey(REVOKE, group_id, member.member_id), delay_ms, command))

    def end_timers(self, member_id: str) -> None:
        self.cancel(SESSION, member_id)
        self.cancel(REVOKE, member_id)

    def delay_assignment(self, delay_ms: int) -> None:
        """Wait for more members of a group that had none."""
        group_id = self.group.group_id
        self.soft = self.soft._replace(is_delayed=True)
        key = TimerKey(INITIAL_DELAY, group_id)
        self.timers.append(Timer(key, delay_ms, StreamsDelayOver(group_id), keep=True))
        self.cancel(ASSIGN)

    def decide(self, reply: object = None) -> Decision:
        """The decision so far."""
        decision = super().decide(reply)
        if not self.group.members:
            self.soft = self.soft._replace(shutdown_by=None)
        if self.soft == self._soft_before:
            return decision
        return decision._replace(events=[*decision.events, SoftChanged(self.group.group_id, self.soft)])
