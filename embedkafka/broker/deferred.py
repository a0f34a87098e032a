"""Users' callbacks, run in the order in which they became due and never under a lock.

A batch is acknowledged wherever it happened to be sealed: on the sender's thread, on a reader's, on the housekeeper's.
The callbacks of its records must not run there: they may call any client.  They queue here and run as one task of the
engine's clock: on its housekeeping thread, or with a ``ManualClock`` when the outermost client call ends.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from embedkafka.clock import Clock

_log = logging.getLogger(__name__)


class DeferredCalls:
    """A queue of calls and the one task that empties it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[Callable[[], object]] = deque()
        self._is_scheduled = False

    def add(self, call: Callable[[], object]) -> None:
        """Run ``call`` after those added before it; what it raises is logged."""
        self._calls.append(call)
        # Two threads may both schedule; the second run finds nothing.  The flag falls before the queue is emptied, so a
        # call that was added while it stood is in the queue that is about to be emptied.
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.call_soon(self._run)

    def _run(self) -> None:
        self._is_scheduled = False
        while True:
            try:
                call = self._calls.popleft()
            except IndexError:
                return
            try:
                call()
            except Exception:
                _log.exception("a callback failed: %r", call)
