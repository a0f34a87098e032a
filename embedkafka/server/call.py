"""One request on its way to its response."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from embedkafka.broker.api import RequestContext
from embedkafka.server.limits import HEAVY_REQUEST_BYTES

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.server.calls import Calls
    from embedkafka.server.peer import Peer
    from embedkafka.server.requests import Request
    from embedkafka.server.site import Site


R = TypeVar("R")

_NOTHING = object()


class Parked(Protocol):
    """A fetch that waits inside the broker."""

    def cancel(self) -> bool: ...

    def answer_now(self) -> None: ...


class Call:
    """What a handler is given besides the request's message.

    Attributes:
        context: who asks, for the port.
        version: of the API, in which the request came and the response goes.
        port: the broker.
        site: what all connections of the listener share.
        peer: who is at the other end of this connection.
        throttle_ms: after the response, let the connection rest for so long before its next request.
        is_last: after the response, end the connection.
        busy_s: how long a thread was busy with it so far.
        is_heavy: it is too much work for the loop: the handler runs in a worker, and so does what answers later.
    """

    __slots__ = (
        "_calls",
        "_when_abandoned",
        "busy_s",
        "context",
        "header",
        "is_heavy",
        "is_last",
        "port",
        "site",
        "throttle_ms",
        "version",
    )

    def __init__(self, calls: Calls, header: Request, context: RequestContext) -> None:
        self.header = header
        self.context = context
        self.version = header.version
        self.site: Site = calls.site
        self.port: BrokerPort = calls.site.port
        self.throttle_ms = 0
        self.is_last = False
        self.busy_s = 0.0
        self.is_heavy = len(header.frame) > HEAVY_REQUEST_BYTES
        self._calls = calls
        self._when_abandoned: Callable[[], object] | None = None

    @property
    def peer(self) -> Peer:
        return self._calls.peer

    def endpoint(self, broker_id: int) -> tuple[str, int]:
        """Where the peer reaches a broker: there is one, at the advertised address, or where it has reached it."""
        return self.site.advertised or self._calls.reached

    def complete(self, response: Any) -> None:
        """Answer; from any thread.  The first answer counts."""
        self.site.mailbox.post(self._calls.answer, self, response)

    def dismiss(self, response: Any) -> None:
        """Answer who could not authenticate, after a while, and end the connection; the handler returns None then."""
        self.is_last = True
        delay_s = self.peer.failure_delay_ms / 1000
        self.site.later(delay_s, self._calls.answer, self, response)

    def later(self, ask: Callable[[Callable[[R], None]], object], build: Callable[[R], Any]) -> Any:
        """Answer with what the port replies, now or later: what a handler may return.

        Args:
            ask: calls the port with the completion that it is given, which may be called at once and from any thread.
            build: makes the response of the port's reply; where that comes later, on the loop's thread, or a worker's
                where the call is heavy.
        """
        later = _Later(self, build)
        ask(later)
        return later.response()

    def answer(self, build: Callable[[R], Any], reply: R) -> None:
        """The port has replied, on another thread or later."""
        self.site.mailbox.post(self._calls.answer_with, self, build, reply)

    def in_worker(self, function: Callable[..., object], *args: Any) -> object:
        """Go on where waiting is no harm: ``function(*args)`` answers as a handler does.  What a handler may return."""
        if self.is_heavy:
            return function(*args)
        self._calls.work(self, function, *args)
        return None

    def becomes_heavy(self, function: Callable[..., object], *args: Any) -> None:
        """On the loop: from here on this is a worker's, which answers as a handler does by ``function(*args)``."""
        self.is_heavy = True
        self._calls.work(self, function, *args)

    def parked(self, fetch: Parked, max_wait_ms: int) -> None:
        """The port answers later, at the latest when the wait is over.  From the handler, before it returns.

        Where a test holds the engine's clock a peer's goes on, and a client that waits for its fetch hears of nothing
        else, so there the loop ends the wait.
        """
        self.when_abandoned(fetch.cancel)
        if self.site.engine.clock.is_manual:
            self.site.later(max_wait_ms / 1000, fetch.answer_now)

    def when_abandoned(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` when nobody waits for the answer any more.  From the handler, before it returns.

        It runs on the loop's thread and must not block.
        """
        self._calls.site.mailbox.post(self._watch, callback)

    def _watch(self, callback: Callable[[], object]) -> None:
        if self._calls.current is self:
            self._when_abandoned = callback
        else:
            callback()

    def abandoned(self) -> None:
        """The connection is gone."""
        callback, self._when_abandoned = self._when_abandoned, None
        if callback is not None:
            callback()


class _Later(Generic[R]):
    """The completion of a port's call: a reply at once becomes the handler's own answer."""

    __slots__ = ("_build", "_call", "_has_returned", "_reply", "_thread")

    def __init__(self, call: Call, build: Callable[[R], Any]) -> None:
        self._call = call
        self._build = build
        self._thread = threading.get_ident()
        self._reply: Any = _NOTHING
        self._has_returned = False

    def __call__(self, reply: R) -> None:
        if self._has_returned or threading.get_ident() != self._thread:
            self._call.answer(self._build, reply)
        else:
            self._reply = reply

    def response(self) -> Any:
        """The handler's answer: None where it comes later."""
        self._has_returned = True
        return None if self._reply is _NOTHING else self._build(self._reply)
