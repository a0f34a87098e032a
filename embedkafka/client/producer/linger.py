"""Sealing batches that are not full: at the housekeeper's next turn, or after ``linger_ms``.

One task (or timer) serves all lanes of a producer, so that a busy sender wakes the housekeeper once, not once a batch.
With a ManualClock it is a timer even for ``linger_ms=0``: it fires at ``advance(0)``, not at the end of the send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedkafka.clock import Clock

if TYPE_CHECKING:
    from embedkafka.client.producer.lane import Lane


class Linger:
    """Knows the lanes that have an open batch, oldest first, and when the next one is due."""

    def __init__(self, clock: Clock, linger_ms: float) -> None:
        self._clock = clock
        self._linger_ms = linger_ms
        self._as_task = linger_ms == 0 and not clock.is_manual
        self._lanes: dict[Lane, None] = {}
        self._is_scheduled = False

    def opened(self, lane: Lane) -> None:
        """A lane has got a batch."""
        self._lanes[lane] = None
        if not self._is_scheduled:
            self._schedule(self._linger_ms)

    def _schedule(self, delay_ms: float) -> None:
        if self._clock.is_manual:
            # Every batch gets a timer of its own: one that an interrupt swallows then holds up only its own batch.
            self._clock.call_later(delay_ms, self._seal_due)
            return
        try:
            self._is_scheduled = True
            if self._as_task:
                self._clock.call_soon(self._seal_due)
            else:
                self._clock.call_later(delay_ms, self._seal_due)
        except BaseException:
            self._is_scheduled = False
            raise

    def _seal_due(self) -> None:
        # The flag falls first: a lane that comes from now on schedules the next turn itself.
        self._is_scheduled = False
        now_ms = self._clock.monotonic_ms()
        next_due_ms: float | None = None
        for lane in list(self._lanes):
            delivery = lane.open_delivery
            due_ms = now_ms if delivery is None else delivery.created_ms + self._linger_ms
            if due_ms <= now_ms:
                self._lanes.pop(lane, None)
                lane.seal()
            elif next_due_ms is None or due_ms < next_due_ms:
                next_due_ms = due_ms
        if next_due_ms is not None and not self._is_scheduled:
            self._schedule(next_due_ms - now_ms)
