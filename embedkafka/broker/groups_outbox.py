"""Calls that a shard owes to others, made after its lock is released: replies to parked clients, watchers'
callbacks."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from embedkafka.clock import Clock

_log = logging.getLogger(__name__)


class Outbox:
    """Calls in order.  One thread at a time makes them; others that come meanwhile leave theirs to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[Callable[[], None]] = deque()
        self._delivering = threading.Lock()  # only ever tried, never waited for

    def add(self, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def deliver(self) -> None:
        """Make every call.  An exception of the thread itself (Ctrl-C) leaves the rest to the engine's next turn.

        A call is taken off after it was made, so an interrupt makes it twice rather than never.
        """
        while self._calls:
            if not self._delivering.acquire(blocking=False):
                return  # who delivers looks again before it stops
            try:
                while self._calls:
                    self._make(self._calls[0])
                    self._calls.popleft()
            except BaseException:
                self._clock.call_soon(self.deliver)
                raise
            finally:
                self._delivering.release()

    @staticmethod
    def _make(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            _log.exception("a group's reply was not taken")
