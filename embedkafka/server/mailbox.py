"""How other threads reach the loop: they leave a call, and ring once for as many as the loop finds.

What a call on the loop itself leaves (a produce, the reply to a fetch that it ends) need not be rung for: the loop
delivers it when that call is over (:meth:`Mailbox.hold`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)


class Mailbox:
    """Calls for the loop's thread, run there in the order in which they were posted."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._is_rung = False
        self._is_delivering = False
        self._thread = 0

    def belongs_here(self) -> None:
        """Say that this is the loop's thread."""
        self._thread = threading.get_ident()

    def post(self, callback: Callable[..., None], *args: Any) -> None:
        """Run ``callback(*args)`` on the loop, soon; from any thread.  Does nothing once the loop is closed."""
        self._calls.append((callback, args))
        if self._is_rung:
            return
        self._is_rung = True
        try:
            if threading.get_ident() == self._thread:
                self._loop.call_soon(self.deliver)
            else:
                self._loop.call_soon_threadsafe(self.deliver)
        except RuntimeError:  # closed: nobody waits for an answer any more
            self._calls.clear()
        except BaseException:
            self._is_rung = False  # Ctrl-C on a user's thread: whoever posts next rings again
            raise

    def hold(self) -> None:
        """On the loop: :meth:`deliver` follows soon, so nobody needs to ring."""
        self._is_rung = True

    def deliver(self) -> None:
        """On the loop: run what was posted.  What is posted meanwhile, also by calls within these, follows."""
        if self._is_delivering:
            return
        self._is_delivering = True
        calls = self._calls
        while True:
            self._is_rung = False  # before looking: whoever posts from here on rings again
            if not calls:
                break
            callback, args = calls.popleft()
            try:
                callback(*args)
            except Exception:
                _log.exception("a call on the listener's loop failed: %r", callback)
        self._is_delivering = False
