"""What one command does to a group that is durable as a whole: a copy that its records were applied to, and timers.

Of the types of groups whose every change is in the log (``consumer/``, ``share/``, ``streams/``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from embedkafka.coordinator.decision import (
    ASSIGN,
    SESSION,
    AssignmentDue,
    Decision,
    GroupChanged,
    SessionExpired,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.records import Record


class LoggedGroup(Protocol):
    """A group that its records make."""

    @property
    def group_id(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def assignment_epoch(self) -> int: ...
    @property
    def assignment_timestamp_ms(self) -> int: ...
    @property
    def targets(self) -> Mapping[str, Any]: ...

    def copy(self) -> Any: ...
    def apply(self, record: Any, /) -> None: ...


GroupT = TypeVar("GroupT", bound=LoggedGroup)
TargetT = TypeVar("TargetT")


class GroupTurn(Generic[GroupT]):
    """One command's work on one group.

    Args:
        group: the group as the machine holds it, or a new one; left as it is.
    """

    def __init__(self, group: GroupT, moment: Moment) -> None:
        self.group = group
        self.before = group
        self.moment = moment
        self.settings = moment.settings_of(group.group_id)
        self.records: list[Record] = []
        self.timers: list[Timer] = []
        self._is_copy = False

    def write(self, *records: Record) -> None:
        """Want records written; :attr:`group` shows their effect at once."""
        if not self._is_copy:
            self.group = self.group.copy()
            self._is_copy = True
        for record in records:
            self.group.apply(record)
        self.records += records

    def start_session_of(self, member_id: str, timeout_ms: int) -> None:
        """A member was heard of: its session starts again."""
        group_id = self.group.group_id
        self.timers.append(
            Timer(TimerKey(SESSION, group_id, member_id), timeout_ms, SessionExpired(group_id, member_id))
        )

    def wait_for_assignment(self, interval_ms: int) -> bool:
        """Whether the next assignment has to wait (KIP-1263); a timer then sees to it that it comes by itself."""
        group, now_ms = self.group, self.moment.now_ms
        passed_ms = now_ms - group.assignment_timestamp_ms
        waits = group.epoch > group.assignment_epoch and 0 <= passed_ms < interval_ms
        if waits:
            key = TimerKey(ASSIGN, group.group_id)
            self.timers.append(Timer(key, interval_ms - passed_ms, AssignmentDue(group.group_id), keep=True))
        return waits

    def write_target(
        self,
        targets: Mapping[str, TargetT],
        target_record: Callable[[str, str, TargetT], Record],
        target_epoch_record: Callable[[str, int, int], Record],
    ) -> None:
        """Want the target assignment of the group's epoch written, as far as it differs; nobody waits for it then."""
        group = self.group
        self.write(
            *(
                target_record(group.group_id, member_id, target)
                for member_id, target in targets.items()
                if group.targets.get(member_id) != target
            ),
            target_epoch_record(group.group_id, group.epoch, self.moment.now_ms),
        )
        self.cancel(ASSIGN)

    def cancel(self, kind: str, member_id: str = "") -> None:
        self.timers.append(Timer(TimerKey(kind, self.group.group_id, member_id)))

    def decide(self, reply: object = None) -> Decision:
        """The decision so far."""
        events = [GroupChanged(self.group.group_id, None)] if self.records else []
        return Decision(reply=reply, records=self.records, events=events, timers=self.timers)
