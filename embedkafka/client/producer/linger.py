"""When a batch that is not full is sealed, and a full one sent: at the housekeeper's next turn, or after ``linger_ms``.

One task or timer serves all lanes of a producer.  With ``linger_ms=0`` a batch is due at once, but a lane gets only one
such turn per 5 ms, the interpreter's own switch interval: a busy sender fills its batches instead of waking the
housekeeper for each, and the housekeeper does not seal them half full in its rhythm.

A full batch waits for up to four others of its partition (``Lane.close_full``), but no longer than such a turn takes.

Where a reader is parked, ``send`` seals at once, unless this sender is in a burst: it did nothing else since it woke a
reader the last time, or has just filled a batch.  Then the batch is due in 1 ms.  So a lone record and a conversation
go at once, and a tight loop becomes batches.  In either case a reader that comes by itself finds the records without
waiting, because reading seals.

With a ManualClock everything is a timer, also for 0 ms: it fires at ``advance(0)``, not at the end of the send.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from embedkafka.clock import Clock

if TYPE_CHECKING:
    from embedkafka.client.producer.lane import Lane

_TURN_MS = 5.0
_BURST_MS = 0.02
_BURST_TURN_MS = 1.0


class Linger:
    """Knows the lanes that have an open batch, and when each is due, on the monotonic clock."""

    def __init__(self, clock: Clock, linger_ms: float) -> None:
        self._clock = clock
        self._linger_ms = linger_ms
        self._turn_ms = 0.0 if clock.is_manual else _TURN_MS
        self._woke_ms = -inf
        self._due_ms: dict[Lane, float] = {}
        self._wake_ms = inf  # when the next turn is scheduled for

    def opened(self, lane: Lane, created_ms: float, *, after_full: bool) -> None:
        """A lane has got a batch at ``created_ms``; ``after_full``: because its last one was full just then."""
        if after_full:
            lane.last_turn_ms = created_ms
        due_ms = max(created_ms + self._linger_ms, lane.last_turn_ms + self._turn_ms)
        if lane.sealed:  # the full ones go no later than they would without this one
            due_ms = min(due_ms, self._due_ms.get(lane, inf))
        self._set_due(lane, due_ms, created_ms)

    def waits(self, lane: Lane) -> None:
        """A full batch waits in a lane for others: for a turn, whatever ``linger_ms`` says of the open one."""
        now_ms = self._clock.monotonic_ms()
        due_ms = now_ms + self._turn_ms
        if due_ms < self._due_ms.get(lane, inf):
            self._set_due(lane, due_ms, now_ms)

    def opened_for_reader(self, lane: Lane, created_ms: float, *, after_full: bool) -> bool:
        """A lane has got a batch and a reader is parked; True: seal it now, False: it is due soon."""
        if self._clock.is_manual or not (after_full or created_ms - self._woke_ms < _BURST_MS):
            return True
        self._set_due(lane, created_ms + _BURST_TURN_MS, created_ms)
        return False

    def woke_reader(self) -> None:
        """A batch was sealed for a parked reader just now, and the reader has had its turn."""
        self._woke_ms = self._clock.monotonic_ms()

    def _set_due(self, lane: Lane, due_ms: float, now_ms: float) -> None:
        self._due_ms[lane] = due_ms
        if due_ms < self._wake_ms:
            self._schedule(due_ms, now_ms)

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
                lane.last_turn_ms = now_ms
                lane.seal()
            elif due_ms < next_due_ms:
                next_due_ms = due_ms
        if next_due_ms < self._wake_ms:
            self._schedule(next_due_ms, now_ms)
