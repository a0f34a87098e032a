"""A connection's calls: one at a time, each on the loop's thread or on a worker's, each answered once.

Everything here runs on the loop's thread but what says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import RequestContext
from embedkafka.errors import KafkaError
from embedkafka.protocol.schema import Chunk
from embedkafka.server.call import Call
from embedkafka.server.handler import NO_RESPONSE
from embedkafka.server.peer import Peer
from embedkafka.server.replies import encode_reply
from embedkafka.server.requests import Request, read_request

if TYPE_CHECKING:
    from embedkafka.server.connection import Connection
    from embedkafka.server.site import Site

_SASL_AUTHENTICATE = 36

_log = logging.getLogger(__name__)


class Calls:
    """What one peer asks.  The connection is told of a reply by ``replied`` and of a failure by ``close``.

    Attributes:
        current: the call that is under way.
        reached: the address at which the peer has reached the listener.
        in_workers: how many run on a worker's thread, also ones that nobody waits for any more.
    """

    def __init__(self, connection: Connection, site: Site, peer: Peer, reached: tuple[str, int]) -> None:
        self.site = site
        self.peer = peer
        self.reached = reached
        self.current: Call | None = None
        self.in_workers = 0
        self._connection = connection
        self._context = RequestContext(in_process=False)

    def begin(self, frame: memoryview) -> None:
        """Answer a request; nothing is under way."""
        if self.peer.speaks_raw:
            self._begin_raw(frame)
            return
        try:
            header = read_request(frame, self.site.served)
            if not self.peer.may_ask(header.api.key):
                raise KafkaError(f"{header.api.name} before authentication")
        except KafkaError as error:
            self._connection.refuse(error)
            return
        call = self.current = Call(self, header, self._context_of(header))
        if call.is_heavy or not self.site.handlers[header.api.key].on_loop:
            self.work(call, self._handle, call)
            return
        site = self.site
        began = site.loop.time()
        site.mailbox.hold()
        try:
            response = self._handle(call)
            site.after_call()
            call.busy_s = site.loop.time() - began
        except Exception as error:
            self._fail(call, error)
            return
        finally:
            site.mailbox.deliver()  # first who has waited longer: a reader of what was produced
        if response is not None:
            self.answer(call, response)

    def answer(self, call: Call, response: Any) -> None:
        """A call's response is there."""
        if call is not self.current:
            return  # answered before, or its peer is gone
        try:
            chunks = self._encode(call, response)
        except Exception as error:
            self._fail(call, error)
        else:
            self._answered(call, chunks)

    def answer_with(self, call: Call, build: Callable[[Any], Any], reply: Any) -> None:
        """The port's reply to a call is there."""
        if call is not self.current:
            return
        if call.is_heavy:
            self.work(call, build, reply)
            return
        try:
            response = build(reply)
        except Exception as error:
            self._fail(call, error)
        else:
            self.answer(call, response)

    def work(self, call: Call, function: Callable[..., Any], *args: Any) -> None:
        """Let a worker answer."""
        self.in_workers += 1
        self.site.workers.submit(partial(self._run_in_worker, call, function, args))

    def abandon(self) -> None:
        """The peer is gone."""
        call, self.current = self.current, None
        if call is not None:
            call.abandoned()

    def _context_of(self, header: Request) -> RequestContext:
        context = self._context
        peer = self.peer
        if context.client_id != header.client_id or context.principal != peer.principal:
            context = self._context = RequestContext(
                header.client_id, peer.principal, peer.client_host, in_process=False
            )
        return context

    def _handle(self, call: Call) -> Any:
        """Decode, and let the handler answer; on whichever thread."""
        header = call.header
        request = (
            header.api.request.decode(header.frame, header.version, header.body)[0] if header.is_readable else None
        )
        return self.site.handlers[header.api.key].function(call, request)

    def _encode(self, call: Call, response: Any) -> list[Chunk]:
        """The reply's frame, its cost charged to whoever asked; on whichever thread."""
        header = call.header
        is_sent = response is not NO_RESPONSE
        chunks = encode_reply(header.api, call.version, header.correlation_id, response) if is_sent else []
        throttle_ms = self.site.port.charge(
            call.context,
            header.api.key,
            request_bytes=len(header.frame),
            response_bytes=sum(map(len, chunks)),
            busy_ms=call.busy_s * 1000,
        )
        call.throttle_ms = max(call.throttle_ms, throttle_ms)
        if call.throttle_ms > 0 and is_sent and hasattr(response, "throttle_time_ms"):
            response.throttle_time_ms = call.throttle_ms
            chunks = encode_reply(header.api, call.version, header.correlation_id, response)
        return chunks

    def _run_in_worker(self, call: Call, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """On a worker's thread: answer, and let the loop know."""
        chunks: list[Chunk] | None = None
        failure: Exception | None = None
        began = self.site.loop.time()
        try:
            response = function(*args)
            self.site.after_call()
            call.busy_s += self.site.loop.time() - began
            if response is not None:
                chunks = self._encode(call, response)
        except Exception as error:
            failure = error
        self.site.mailbox.post(self._worked, call, chunks, failure)

    def _worked(self, call: Call, chunks: list[Chunk] | None, failure: Exception | None) -> None:
        self.in_workers -= 1
        self.site.worker_finished()
        if failure is not None:
            self._fail(call, failure)
        elif chunks is not None and call is self.current:
            self._answered(call, chunks)

    def _answered(self, call: Call, chunks: list[Chunk]) -> None:
        self.current = None
        self._connection.replied(call, chunks)

    def _fail(self, call: Call, error: Exception) -> None:
        """End the connection, and say why: the peer's fault in a sentence, ours with all there is to know."""
        name, host = call.header.api.name, self.peer.client_host
        if isinstance(error, KafkaError) or self.site.is_closing:
            _log.info("%s: closed: %s v%d: %s", host, name, call.version, error)
        else:
            _log.error("%s: closed: %s v%d failed", host, name, call.version, exc_info=error)
        if call is self.current:
            self._connection.close()

    # Authentication without headers ----------------------------------------------------------------------------------

    def _begin_raw(self, frame: memoryview) -> None:
        """A mechanism's bytes, as they come after SaslHandshake 0."""
        header = Request(self.site.served[_SASL_AUTHENTICATE], 0, 0, "", frame, 0, False)
        call = self.current = Call(self, header, self._context)
        self.in_workers += 1
        self.site.workers.submit(partial(self._authenticate_raw, call))

    def _authenticate_raw(self, call: Call) -> None:
        """On a worker's thread: answer with bytes as bare as the question; a failure has no answer."""
        chunks: list[Chunk] = []
        delay_s = 0.0
        try:
            answer, _ = self.peer.authenticate(bytes(call.header.frame))
            chunks = [len(answer).to_bytes(4, "big"), answer]
        except Exception as error:
            _log.info("%s: closed: %s", self.peer.client_host, error)
            call.is_last = True
            delay_s = self.peer.failure_delay_ms / 1000
        self.site.later(delay_s, self._worked, call, chunks, None)
