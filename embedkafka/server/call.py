"""One request on its way to its response."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import RequestContext

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.server.connection import Connection
    from embedkafka.server.peer import Peer
    from embedkafka.server.requests import Request
    from embedkafka.server.site import Site


class Call:
    """What a handler is given besides the request's message.

    Attributes:
        context: who asks, for the port.
        version: of the API, in which the request came and the response goes.
        port: the broker.
        site: what all connections of the listener share.
        peer: who is at the other end of this connection.
        throttle_ms: after the response, let the connection rest for so long before its next request.
    """

    __slots__ = ("_connection", "_when_abandoned", "context", "header", "port", "site", "throttle_ms", "version")

    def __init__(self, connection: Connection, header: Request, context: RequestContext) -> None:
        self.header = header
        self.context = context
        self.version = header.version
        self.site: Site = connection.site
        self.port: BrokerPort = connection.site.port
        self.throttle_ms = 0
        self._connection = connection
        self._when_abandoned: Callable[[], object] | None = None

    @property
    def peer(self) -> Peer:
        return self._connection.peer

    def complete(self, response: Any) -> None:
        """Answer; from any thread.  The first answer counts."""
        self.site.mailbox.post(self._connection.answer, self, response)

    def in_worker(self, function: Callable[..., Any], *args: Any) -> None:
        """Go on where waiting is no harm: ``function(*args)`` answers as a handler does.  On the loop only."""
        self._connection.work(self, function, *args)

    def when_abandoned(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` when nobody waits for the answer any more.  From the handler, before it returns.

        It runs on the loop's thread and must not block.
        """
        self._connection.site.mailbox.post(self._watch, callback)

    def _watch(self, callback: Callable[[], object]) -> None:
        if self._connection.is_working_on(self):
            self._when_abandoned = callback
        else:
            callback()

    def abandoned(self) -> None:
        """The connection is gone."""
        callback, self._when_abandoned = self._when_abandoned, None
        if callback is not None:
            callback()
