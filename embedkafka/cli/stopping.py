"""The signals that end a server in order, and when the next one ends it at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

# Ctrl-C reaches everything in a terminal, and many a parent (timeout, npm, uv run, a shell script's trap) hands on what
# it gets itself: one wish, two signals.  Whoever means it a second time is not that fast.
ONE_WISH_S = 1.0


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set.

    Another one, more than ``ONE_WISH_S`` seconds later, ends the process as if nobody caught it.
    """
    stopped = threading.Event()
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
