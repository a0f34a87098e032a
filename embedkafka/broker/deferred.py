"""Users' callbacks, run in the order in which they became due and never under a lock.

A batch is acknowledged wherever it happened to be sealed: on the sender's thread, on a reader's, on the housekeeper's.
The callbacks of its records must not run there: they may call any client.  They queue here and run as one task of the
engine's clock: on its housekeeping thread, or with a ``ManualClock`` when the outermost client call ends.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from embedkafka.clock import Clock

_log = logging.getLogger(__name__)


class _Here(threading.local):
    """Whether this thread runs calls.  A lock that nobody waits for: ``with`` lets go of it whatever interrupts."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class DeferredCalls:
    """A queue of calls and the one task that empties it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[Callable[[], object]] = deque()
        self._is_scheduled = False
        self._is_running = False  # after an interrupt maybe too long, until the next calls have run
        self._here = _Here()

    def add(self, call: Callable[[], object]) -> None:
        """Run ``call`` after those added before it; what it raises is logged."""
        self._calls.append(call)
        self._schedule()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued or running."""
        return not self._calls and not self._is_running

    def is_running_here(self) -> bool:
        """Whether the caller is inside one of the calls: it must not wait for others to run."""
        return self._here.lock.locked()

    def _schedule(self) -> None:
        # Two threads may both schedule; the second run finds nothing.  With a ManualClock tasks run on users' threads,
        # where an interrupt can swallow one, so there every call gets its own.
        if self._is_scheduled:
            return
        try:
            self._is_scheduled = not self._clock.is_manual
            self._clock.call_soon(self._run)
        except BaseException:
            self._is_scheduled = False
            raise

    def _run(self) -> None:
        # The flag falls before the queue is emptied: a call added while it stood is in the queue.
        self._is_scheduled = False
        if self.is_running_here():
            return
        with self._here.lock:
            self._is_running = True
            try:
                while self._calls:
                    call = self._calls.popleft()
                    try:
                        call()
                    except Exception:
                        _log.exception("a callback failed: %r", call)
            finally:
                self._is_running = False
                if self._calls:
                    self._schedule()
