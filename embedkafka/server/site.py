"""What all connections of a listener share, and the limits that hold for all of them together."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from embedkafka.clock import ManualClock
from embedkafka.protocol.api import Api
from embedkafka.server.fetch_sessions import FetchSessions
from embedkafka.server.framing import INBOX_BYTES
from embedkafka.server.handler import Handler
from embedkafka.server.handlers import SERVED
from embedkafka.server.limits import Limits
from embedkafka.server.mailbox import Mailbox
from embedkafka.server.peer import Peer
from embedkafka.server.share_members import ShareMembers
from embedkafka.server.workers import Workers

if TYPE_CHECKING:
    from embedkafka.broker.api import RequestContext
    from embedkafka.broker.engine import Engine
    from embedkafka.broker.port import BrokerPort
    from embedkafka.server.connection import Connection

_log = logging.getLogger(__name__)

Endpoint = tuple[str, int]


class Site:
    """One listener's inside.  ``advertised`` is None where each peer is told the address that it has reached.

    But for what the attributes' own classes allow, for the loop's thread only.
    """

    def __init__(
        self,
        engine: Engine,
        port: BrokerPort,
        loop: asyncio.AbstractEventLoop,
        handlers: Mapping[int, Handler],
        served: Mapping[int, Api],
        limits: Limits,
        *,
        advertised: Endpoint | None,
        new_peer: Callable[[str], Peer],
    ) -> None:
        self.engine = engine
        self.port = port
        self.loop = loop
        self.handlers = handlers
        self.served = served
        self.limits = limits
        self.new_peer = new_peer
        self.advertised = advertised
        self._manual_clock = engine.clock if isinstance(engine.clock, ManualClock) else None
        self.mailbox = Mailbox(loop)
        self.workers = Workers(limits.io_threads)
        self.fetch_sessions = FetchSessions(limits.fetch_session_slots, lambda: loop.time() * 1000, engine.ids.random)
        self.share_members = ShareMembers()
        self.inbox = memoryview(bytearray(INBOX_BYTES))
        self.connections: dict[Connection, None] = {}
        self.is_closing = False
        self._per_host: Counter[str] = Counter()
        self.held_bytes = 0
        self._held_up: dict[Connection, None] = {}  # they read nothing until there is room again

    def warm_up(self) -> None:
        """Let a worker import what requests will need, while the first peers connect."""
        self.workers.submit(self._warm_up)

    def _warm_up(self) -> None:
        try:
            for key in SERVED:
                if self.is_closing:
                    return
                self.served[key]
                self.handlers[key]
        except OSError as error:  # no descriptor is left, say: whoever asks imports it
            _log.info("what requests need is imported when they come: %s", error)
        finally:
            self.mailbox.post(self.worker_finished)

    # Connections -----------------------------------------------------------------------------------------------------

    def admit(self, connection: Connection, host: str) -> bool:
        """Take a connection in, unless there are too many."""
        limits = self.limits
        if self.is_closing:
            return False
        if len(self.connections) >= limits.max_connections:
            _log.warning("%s refused: max.connections is %d", host, limits.max_connections)
            return False
        most = limits.max_connections_of_ip.get(host.removeprefix("/"), limits.max_connections_per_ip)
        if self._per_host[host] >= most:
            _log.warning("%s refused: max.connections.per.ip is %d", host, most)
            return False
        self.connections[connection] = None
        self._per_host[host] += 1
        return True

    def forget(self, connection: Connection, host: str) -> None:
        """A connection that was admitted is gone."""
        del self.connections[connection]
        self._held_up.pop(connection, None)
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]
        for member, context in self.share_members.leave(connection.peer):
            self.workers.submit(partial(self._close_share_session, context, *member))

    def _close_share_session(self, context: RequestContext, group_id: str, member_id: str) -> None:
        try:
            self.port.close_share_session(context, group_id, member_id)
        finally:
            self.mailbox.post(self.worker_finished)

    # Requests in memory ----------------------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether further requests may be read."""
        limits = self.limits
        return (
            limits.queued_max_request_bytes < 0 or self.held_bytes < limits.queued_max_request_bytes
        ) and self.workers.waiting < limits.queued_max_requests

    def hold(self, size_bytes: int) -> None:
        """Requests of so many bytes are in memory (or, negative, no longer)."""
        self.held_bytes += size_bytes
        if size_bytes < 0:
            self._let_in()

    def worker_finished(self) -> None:
        """A worker is free again."""
        self.workers.finished()
        self._let_in()

    def _let_in(self) -> None:
        if self._held_up and self.has_room:
            held_up, self._held_up = self._held_up, {}
            for connection in held_up:
                connection.resume()

    def hold_up(self, connection: Connection) -> None:
        """Call ``connection.resume()`` when there is room."""
        self._held_up[connection] = None

    def later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> None:
        """Run ``callback(*args)`` on the loop after a while; from any thread."""

        def wait() -> None:
            self.loop.call_later(delay_s, callback, *args)

        self.mailbox.post(wait)

    def after_call(self) -> None:
        """A clock without a thread runs what is due at the end of a call."""
        if self._manual_clock is not None:
            self._manual_clock.run_tasks()
