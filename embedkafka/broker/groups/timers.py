"""The timers of one shard, by key: cheap to start again, as every sign of life of every member does.

Starting a timer again only moves its deadline; the clock's timer that is there already fires at the old one and goes
back to sleep for the rest.  A commit per poll thus neither fills the clock with cancelled timers nor touches its
lock.
"""

from __future__ import annotations

from collections.abc import Callable

from embedkafka.clock import Clock, Timer
from embedkafka.coordinator.decision import Command, TimerKey


class _Entry:
    __slots__ = ("background", "clock_timer", "command", "deadline_ms")

    def __init__(self, command: Command, deadline_ms: float, background: bool) -> None:
        self.command = command
        self.deadline_ms = deadline_ms
        self.background = background
        self.clock_timer: Timer | None = None


class ShardTimers:
    """Not thread-safe: the shard's lock guards it.

    Args:
        clock: delays are counted by its monotonic time, so a step of the wall clock does no harm.
        fire: called without the shard's lock when a timer's key is due; it calls :meth:`take_due` under the lock.
    """

    def __init__(self, clock: Clock, fire: Callable[[TimerKey], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._entries: dict[TimerKey, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def start(
        self, key: TimerKey, delay_ms: float, command: Command, *, background: bool = False, keep: bool = False
    ) -> None:
        """Have ``command`` due in ``delay_ms`` milliseconds, in place of what was under the key.

        Args:
            background: a wait without a timeout on a manual clock does not hope for it.
            keep: leave what is under the key as it is.
        """
        if keep and key in self._entries:
            return
        deadline_ms = self._clock.monotonic_ms() + delay_ms
        entry = self._entries.get(key)
        if entry is not None and entry.background == background and _sleeps_no_longer(entry, deadline_ms):
            entry.deadline_ms = deadline_ms
            entry.command = command
            return
        if entry is not None and entry.clock_timer is not None:
            entry.clock_timer.cancel()
        entry = self._entries[key] = _Entry(command, deadline_ms, background)
        self._sleep(key, entry, delay_ms)

    def cancel(self, key: TimerKey) -> None:
        """Take a timer back; one that is not there is ignored."""
        entry = self._entries.pop(key, None)
        if entry is not None and entry.clock_timer is not None:
            entry.clock_timer.cancel()

    def cancel_all(self) -> None:
        for key in list(self._entries):
            self.cancel(key)

    def take_due(self, key: TimerKey) -> Command | None:
        """The command if its deadline has come, which ends the timer; else the timer sleeps on."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        remaining_ms = entry.deadline_ms - self._clock.monotonic_ms()
        if remaining_ms > 0:
            self._sleep(key, entry, remaining_ms)
            return None
        del self._entries[key]
        return entry.command

    def _sleep(self, key: TimerKey, entry: _Entry, delay_ms: float) -> None:
        entry.clock_timer = self._clock.call_later(delay_ms, lambda: self._fire(key), background=entry.background)


def _sleeps_no_longer(entry: _Entry, deadline_ms: float) -> bool:
    timer = entry.clock_timer
    return timer is not None and timer.callback is not None and timer.deadline_ms <= deadline_ms
