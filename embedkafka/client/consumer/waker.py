"""How other threads reach a consumer that waits.

It holds nothing of the consumer, so that what the engine keeps for a wake-up (parked fetches, watches of groups and
metadata) does not keep an abandoned consumer alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedkafka.clock import Clock


class Waker:
    """A condition the consumer's thread waits on, and what happened meanwhile.

    ``notify`` is called with a producer's or coordinator's lock held: it takes its own lock only, and only when
    somebody waits.  What is waited for is stored before ``waiting`` is read here, and ``waiting`` is set before the
    waiter looks for the last time, so nothing is missed.
    """

    __slots__ = ("_clock", "_condition", "_waiting", "group_changed", "metadata_changed", "woken")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition(threading.Lock())
        self._waiting = False
        self.woken = False
        self.group_changed = False
        self.metadata_changed = False

    def notify(self) -> None:
        if self._waiting:
            with self._condition:
                self._condition.notify_all()

    def wake(self) -> None:
        self.woken = True
        self.notify()

    def group_has_changed(self) -> None:
        self.group_changed = True
        self.notify()

    def metadata_has_changed(self) -> None:
        self.metadata_changed = True
        self.notify()

    def wait(self, happened: Callable[[], bool], timeout_ms: float | None) -> None:
        """Wait for ``happened()``, a wake-up, or a change of group or metadata; ``timeout_ms`` None is for ever."""
        self._waiting = True
        try:
            with self._condition:
                self._clock.wait(self._condition, lambda: self._disturbed() or happened(), timeout_ms)
        finally:
            self._waiting = False

    def _disturbed(self) -> bool:
        return self.woken or self.group_changed or self.metadata_changed
