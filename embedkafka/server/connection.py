"""One peer's connection: frames in, calls one at a time, replies out.

==============  ==================================================================================================
state           what happens
==============  ==================================================================================================
reading         nothing to do: frames are taken from the socket
working         a call is under way; frames that came with it wait, and the socket is not read once one does
writing         the peer does not take its replies as fast: neither read nor worked until it has
held up         the listener holds as many requests as it may: no new frame is begun
closing         what was answered is still written, nothing else
==============  ==================================================================================================

Everything here runs on the loop's thread but :meth:`Connection._run_in_worker`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from embedkafka.broker.api import RequestContext
from embedkafka.errors import KafkaError
from embedkafka.protocol.schema import Chunk
from embedkafka.server.call import Call
from embedkafka.server.framing import Framing
from embedkafka.server.handler import NO_RESPONSE
from embedkafka.server.limits import CALLS_PER_TURN, WRITE_BUFFER_BYTES
from embedkafka.server.peer import Peer
from embedkafka.server.replies import encode_reply
from embedkafka.server.requests import Request, read_request
from embedkafka.server.tls import distinguished_name

if TYPE_CHECKING:
    from embedkafka.server.site import Site

_SASL_AUTHENTICATE = 36

_log = logging.getLogger(__name__)


class Connection(asyncio.BufferedProtocol):
    """A peer's connection; made by the loop's server for each that is accepted."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.peer: Peer
        self._transport: asyncio.Transport
        self._framing = Framing(site.inbox, site.limits.socket_request_max_bytes)
        self._waiting: deque[memoryview] = deque()  # frames behind the call that is under way
        self._call: Call | None = None
        self._context = RequestContext(in_process=False)
        self._outbox: deque[Chunk] = deque()
        self._is_admitted = False
        self._is_closing = False
        self._is_reading = True
        self._is_writable = True
        self._is_pumping = False
        self._is_resting = False  # throttled
        self._is_limited = False  # to small frames
        self.is_in_worker = False
        self.last_active = 0.0

    # The transport's side --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        name = transport.get_extra_info("peername")
        self.peer = self.site.new_peer(f"/{name[0]}" if isinstance(name, tuple) else "/unknown")
        self._is_admitted = self.site.admit(self, self.peer.client_host)
        if not self._is_admitted:
            self._is_closing = True
            self._transport.abort()
            return
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.peer.show_certificate(distinguished_name(certificate))
        self._limit_frames()
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self.last_active = self.site.loop.time()

    def _limit_frames(self) -> None:
        """Take small frames only until it is known who the peer is."""
        limit = self.peer.frame_limit_bytes
        self._is_limited = limit is not None
        most = self.site.limits.socket_request_max_bytes
        self._framing.max_bytes = most if limit is None else min(limit, most)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._framing.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        self.last_active = self.site.loop.time()
        if self._is_closing:
            return
        try:
            frames = self._framing.received(nbytes)
        except KafkaError as error:
            self._refuse(error)
            return
        if frames:
            self.site.hold(sum(map(len, frames)))
            self._waiting.extend(frames)
            self._pump()
        elif not self.site.has_room and self._framing.is_between_frames:
            self._watch_reading()

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self.last_active = self.site.loop.time()
        self._is_writable = True
        self._flush()
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._outbox.clear()
        waiting, self._waiting = self._waiting, deque()
        released = sum(map(len, waiting))
        call, self._call = self._call, None
        if call is not None:
            released += len(call.header.frame)
            call.abandoned()
        if self._is_admitted:
            self.site.forget(self, self.peer.client_host)
            self.site.hold(-released)

    # Calls -----------------------------------------------------------------------------------------------------------

    def is_working_on(self, call: Call) -> bool:
        """Whether this call's answer is still wanted."""
        return call is self._call

    def answer(self, call: Call, response: Any) -> None:
        """A call's response is there."""
        if call is not self._call:
            return  # answered before, or its peer is gone
        header = call.header
        try:
            self._answered(call, encode_reply(header.api, call.version, header.correlation_id, response))
        except Exception:
            self._failed(call)

    def answer_with(self, call: Call, build: Callable[[Any], Any], reply: Any) -> None:
        """The port's reply to a call is there."""
        if call is not self._call:
            return
        try:
            response = build(reply)
        except Exception:
            self._failed(call)
            return
        if response is NO_RESPONSE:
            self._answered(call, ())
        else:
            self.answer(call, response)

    def work(self, call: Call, function: Callable[..., Any], *args: Any) -> None:
        """Let a worker answer."""
        self.is_in_worker = True
        self.site.workers.submit(partial(self._run_in_worker, call, function, args))

    def resume(self) -> None:
        """There is room for further requests again."""
        self._watch_reading()

    def _pump(self) -> None:
        """Begin with what waits, until a call has to be waited for."""
        if self._is_pumping:
            return
        self._is_pumping = True
        count = 0
        while self._waiting and self._call is None and self._is_writable and not (self._is_closing or self._is_resting):
            if count == CALLS_PER_TURN:
                self.site.loop.call_soon(self._pump)
                break
            count += 1
            self._begin(self._waiting.popleft())
        self._is_pumping = False
        self._flush()
        self._watch_reading()

    def _begin(self, frame: memoryview) -> None:
        site = self.site
        if self.peer.speaks_raw:
            self._begin_raw(frame)
            return
        try:
            header = read_request(frame, site.served)
            if not self.peer.may_ask(header.api.key):
                raise KafkaError(f"{header.api.name} before authentication")
        except KafkaError as error:
            site.hold(-len(frame))
            self._refuse(error)
            return
        call = self._call = Call(self, header, self._context_of(header))
        handler = site.handlers[header.api.key]
        if not handler.on_loop:
            self.work(call, self._handle, call)
            return
        try:
            response = self._handle(call)
        except Exception:
            self._failed(call)
            return
        site.after_call()
        if response is NO_RESPONSE:
            self._answered(call, ())
        elif response is not None:
            self.answer(call, response)

    def _begin_raw(self, frame: memoryview) -> None:
        """A mechanism's bytes, as they come after SaslHandshake 0."""
        header = Request(self.site.served[_SASL_AUTHENTICATE], 0, 0, "", frame, 0)
        call = self._call = Call(self, header, self._context)
        self.is_in_worker = True
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
        self.site.later(delay_s, self._worked, call, chunks, False)

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

    def _run_in_worker(self, call: Call, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """On a worker's thread: answer, and let the loop know."""
        chunks: list[Chunk] | None = []
        failed = False
        try:
            response = function(*args)
            self.site.after_call()
            if response is None:
                chunks = None
            elif response is not NO_RESPONSE:
                header = call.header
                chunks = encode_reply(header.api, call.version, header.correlation_id, response)
        except Exception:
            failed = True
            self._log_failure(call)
        self.site.mailbox.post(self._worked, call, chunks, failed)

    def _worked(self, call: Call, chunks: list[Chunk] | None, failed: bool) -> None:
        self.is_in_worker = False
        self.site.workers.finished()
        if call is not self._call:
            return
        if failed:
            self._refuse(None)
        elif chunks is not None:
            self._answered(call, chunks)

    def _answered(self, call: Call, chunks: list[Chunk] | tuple[()]) -> None:
        self._call = None
        self._outbox.extend(chunks)
        self.site.hold(-len(call.header.frame))
        if call.is_last:
            self.close()
            return
        if self._is_limited and self.peer.frame_limit_bytes is None:
            self._limit_frames()
        if call.throttle_ms > 0:
            self._is_resting = True
            self.site.loop.call_later(call.throttle_ms / 1000, self._rested)
        if not self._is_pumping:
            self._pump()

    def _rested(self) -> None:
        self._is_resting = False
        self._pump()

    # Reading and writing ---------------------------------------------------------------------------------------------

    def _watch_reading(self) -> None:
        """Read on, or stop."""
        if self._is_closing:
            return
        wanted = not self._waiting and self._is_writable
        if wanted and not self.site.has_room and self._framing.is_between_frames:
            wanted = False
            self.site.hold_up(self)
        if wanted != self._is_reading:
            self._is_reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _flush(self) -> None:
        """Hand the transport as much as it takes."""
        outbox = self._outbox
        while outbox and self._is_writable:
            chunks: list[Chunk] = []
            room = WRITE_BUFFER_BYTES
            while outbox and room > 0:
                chunk = outbox.popleft()
                if len(chunk) > room:
                    view = memoryview(chunk)
                    outbox.appendleft(view[room:])
                    chunk = view[:room]
                chunks.append(chunk)
                room -= len(chunk)
            self._transport.writelines(chunks)
        if self._is_closing and not outbox:
            self._transport.close()

    # Ending ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what was answered and end; a call that is under way is not waited for."""
        self._is_closing = True
        self._flush()

    def abort(self) -> None:
        """End at once."""
        self._is_closing = True
        self._transport.abort()

    def _refuse(self, error: Exception | None) -> None:
        """The peer does not speak Kafka, or not this one: Kafka closes the connection, too."""
        if error is not None:
            _log.info("%s: closed: %s", self.peer.client_host, error)
        self.close()

    def _failed(self, call: Call) -> None:
        self._log_failure(call)
        self._refuse(None)

    def _log_failure(self, call: Call) -> None:
        """Say why a call's connection is closed: inside an ``except``."""
        api = call.header.api
        _log.warning("%s: %s v%d failed", self.peer.client_host, api.name, call.version, exc_info=True)
