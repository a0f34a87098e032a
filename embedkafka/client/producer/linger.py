"""Sealing batches that are not full: at the housekeeper's next turn, or after ``linger_ms``.

One task or timer serves all lanes of a producer.  With ``linger_ms=0`` a batch is due at once, except one that was
opened because the one before it was full: its sender is busy and most likely fills it too, so it is due after a
thread's turn (the interpreter's switch interval is 5 ms) instead of waking the housekeeper for every batch.

With a ManualClock everything is a timer, also for 0 ms: it fires at ``advance(0)``, not at the end of the send.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from embedkafka.clock import Clock

if TYPE_CHECKING:
    from embedkafka.client.producer.lane import Lane

_BUSY_LINGER_MS = 5.0


class Linger:
    """Knows the lanes that have an open batch, and when each is due, on the monotonic clock."""

    def __init__(self, clock: Clock, linger_ms: float) -> None:
        self._clock = clock
        self._linger_ms = linger_ms
        self._busy_linger_ms = linger_ms if clock.is_manual else max(linger_ms, _BUSY_LINGER_MS)
        self._due_ms: dict[Lane, float] = {}
        self._wake_ms = inf  # when the next turn is scheduled for

    def opened(self, lane: Lane, created_ms: float, *, after_full: bool) -> None:
        """A lane has got a batch at ``created_ms``."""
        due_ms = created_ms + (self._busy_linger_ms if after_full else self._linger_ms)
        self._due_ms[lane] = due_ms
        if due_ms < self._wake_ms:
            self._schedule(due_ms, created_ms)

    def _schedule(self, due_ms: float, now_ms: float) -> None:
        if self._clock.is_manual:
            # Every batch gets a timer of its own: one that an interrupt swallows then holds up only its own batch.
            self._clock.call_later(due_ms - now_ms, self._seal_due)
            return
        try:
            self._wake_ms = due_ms
            if due_ms <= now_ms:
                self._clock.call_soon(self._seal_due)
            else:
                self._clock.call_later(due_ms - now_ms, self._seal_due)
        except BaseException:
            self._wake_ms = inf
            raise

    def _seal_due(self) -> None:
        # Forgotten first: a lane that comes from now on schedules the next turn itself.
        self._wake_ms = inf
        now_ms = self._clock.monotonic_ms()
        next_due_ms = inf
        for lane, due_ms in list(self._due_ms.items()):
            if due_ms <= now_ms:
                self._due_ms.pop(lane, None)
                lane.seal()
            elif due_ms < next_due_ms:
                next_due_ms = due_ms
        if next_due_ms < self._wake_ms:
            self._schedule(next_due_ms, now_ms)
