"""The copy of a group that one command works on, and what the command wants done; ends in a Decision."""

from __future__ import annotations

from dataclasses import replace

from embedkafka.coordinator.classic.group import Group, Member
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import (
    JOIN,
    SESSION,
    Command,
    Decision,
    GroupChanged,
    ParkKey,
    SessionExpired,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.records import GroupRecord, Record
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey


class Turn:
    """One command's work on one group.

    Args:
        group: the group as the machine holds it; left as it is.
        now_ms: the wall clock, milliseconds since the epoch.
    """

    def __init__(self, group: Group, config: GroupConfig, now_ms: int) -> None:
        self.group = group.copy()
        self.config = config
        self.now_ms = now_ms
        self.records: list[Record] = []
        self._before = group
        self._completions: list[tuple[ParkKey, object]] = []
        self._timers: list[Timer] = []

    def update(self, member: Member, **changes: object) -> Member:
        """Replace a member by one with these changes."""
        changed: Member = replace(member, **changes)  # type: ignore[arg-type] # fields checked by the callers' tests
        self.group.members[member.member_id] = changed
        return changed

    def complete(self, kind: str, member_id: str, reply: object) -> None:
        """Answer a parked client."""
        self._completions.append((ParkKey(kind, self.group.group_id, member_id), reply))

    def start_timer(self, kind: str, delay_ms: int, command: Command) -> None:
        """Start, or start again, one of the group's own timers."""
        self._timers.append(Timer(TimerKey(kind, self.group.group_id), delay_ms, command))

    def cancel_timer(self, kind: str) -> None:
        self._timers.append(Timer(TimerKey(kind, self.group.group_id)))

    def start_session(self, member_id: str, timeout_ms: int) -> None:
        """A member was heard of: its session starts again."""
        key = TimerKey(SESSION, self.group.group_id, member_id)
        self._timers.append(Timer(key, timeout_ms, SessionExpired(self.group.group_id, member_id)))

    def end_session(self, member_id: str) -> None:
        self._timers.append(Timer(TimerKey(SESSION, self.group.group_id, member_id)))

    def store_group(self) -> None:
        """Write the group as it is now to the log."""
        self.records.append(GroupRecord(GroupMetadataKey(self.group.group_id), self.group.stored()))

    def decide(self, reply: object = None, *, park: tuple[str, str] | None = None) -> Decision:
        """The decision so far.

        Args:
            reply: the answer to the command's sender.
            park: instead, the kind and member id under which the sender waits; answered at once if that reply is there.
        """
        key = None if park is None else ParkKey(park[0], self.group.group_id, park[1])
        others = []
        for waiting, answer in self._completions:
            if waiting == key:
                key, reply = None, answer
                if not self._was_waiting(waiting):
                    continue
            others.append((waiting, answer))
        changed = self.group != self._before
        return Decision(
            reply=reply,
            park=key,
            completions=others,
            records=self.records,
            events=[GroupChanged(self.group.group_id, self.group)] if changed else (),
            timers=self._timers,
        )

    def _was_waiting(self, key: ParkKey) -> bool:
        """Whether the sender has asked before, and its first request waits for the same answer."""
        member = self._before.members.get(key.member_id)
        return member is not None and (member.awaiting_join if key.kind == JOIN else member.awaiting_sync)
