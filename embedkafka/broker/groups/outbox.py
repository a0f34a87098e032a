"""Calls that a shard owes to others, made after its lock is released: replies to parked clients, watchers'
callbacks."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from embedkafka.clock import Clock

_log = logging.getLogger(__name__)


class _Call:
    """A call, and in ``claims`` which delivery makes it: ``setdefault`` on a dict is atomic."""

    __slots__ = ("claims", "make")

    def __init__(self, make: Callable[[], None]) -> None:
        self.make = make
        self.claims: dict[str, object] = {}

    def is_claimed_by(self, delivery: object) -> bool:
        return self.claims.setdefault("by", delivery) is delivery


class Outbox:
    """Calls, made once each by whichever thread comes first.

    None is lost: the engine's next turn looks for what the thread that added it was kept from making, and a call is
    taken off only after it was made.  So an interrupt (Ctrl-C) in a call makes it twice rather than never.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[_Call] = deque()

    def add(self, make: Callable[[], None]) -> None:
        self._calls.append(_Call(make))
        self._clock.call_soon(self.deliver)

    def deliver(self) -> None:
        """Make every call that nobody else is making."""
        if not self._calls:
            return
        delivery = object()
        try:
            while True:
                call = next((call for call in tuple(self._calls) if call.is_claimed_by(delivery)), None)
                if call is None:
                    return
                _make(call.make)
                self._calls.remove(call)
        except BaseException:
            for call in tuple(self._calls):
                if call.claims.get("by") is delivery:
                    call.claims.clear()
            self._clock.call_soon(self.deliver)
            raise


def _make(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        _log.exception("a group's reply was not taken")
