"""The signals that end a server in order, and when the next one ends it at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

# Ctrl-C reaches everything in a terminal, and many a parent (timeout, npm, uv run, a shell script's trap) hands on what
# it gets itself: one wish, two signals.  Whoever means it a second time is not that fast.
ONE_WISH_S = 1.0


class Stopped:
    """Whether it is time to stop.

    A ``threading.Event`` has a lock that its ``set`` takes, and a signal that comes in the middle of that, or of
    ``wait``, would wait for it for ever, on the thread that holds it.  A queue's ``put`` may be interrupted by itself.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """It is; from a signal's handler, too."""
        self._asked.put(None)

    def is_set(self) -> bool:
        """Whether it is."""
        return not self._asked.empty()

    def wait(self) -> None:
        """Return when it is."""
        self._asked.get()
        self._asked.put(None)


@contextmanager
def stop_signals() -> Iterator[Stopped]:
    """An event that SIGINT and SIGTERM set.

    Another one, more than ``ONE_WISH_S`` seconds later, ends the process as if nobody caught it.
    """
    stopped = Stopped()
    before: dict[int, Any] = {}
    asked_at_s: float | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked_at_s
        stopped.set()
        if asked_at_s is None:
            asked_at_s = time.monotonic()
        elif time.monotonic() - asked_at_s > ONE_WISH_S:
            _restore(before)
            signal.raise_signal(number)

    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, stop)
    try:
        yield stopped
    finally:
        _restore(before)


def _restore(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
