"""One peer's connection: frames in, calls one at a time, replies out.

==============  ==================================================================================================
state           what happens
==============  ==================================================================================================
reading         nothing to do: frames are taken from the socket
working         a call is under way; frames that came with it wait, and the socket is not read once one does
writing         the peer does not take its replies as fast: neither read nor worked until it has
resting         the peer is over its quota: what it sends waits
held up         the listener holds as many requests as it may: no new frame is begun
closing         what was answered is still written, nothing else
==============  ==================================================================================================

Everything here runs on the loop's thread but what says so.
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
from embedkafka.server.limits import CALLS_PER_TURN, CROWDED_READ_BYTES
from embedkafka.server.outbox import Outbox
from embedkafka.server.peer import Peer
from embedkafka.server.replies import encode_reply
from embedkafka.server.requests import Request, read_request
from embedkafka.server.tls import distinguished_name

if TYPE_CHECKING:
    from embedkafka.server.site import Site

_SASL_AUTHENTICATE = 36

_log = logging.getLogger(__name__)


class Connection(asyncio.BufferedProtocol):
    """A peer's connection; made by the loop's server for each that is accepted.

    Attributes:
        last_active: when the peer last sent or took something, in the loop's time.
        calls_in_workers: how many of its calls run on a worker's thread, also ones that nobody waits for any more.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.peer: Peer
        self.last_active = 0.0
        self.calls_in_workers = 0
        self._transport: asyncio.Transport
        self._outbox: Outbox
        self._framing = Framing(site.inbox, site.limits.socket_request_max_bytes)
        self._waiting: deque[memoryview] = deque()  # frames behind the call that is under way
        self._waiting_bytes = 0
        self._held_bytes = 0  # of frames, as the site was told
        self._call: Call | None = None
        self._context = RequestContext(in_process=False)
        self._is_admitted = False
        self._is_closing = False
        self._is_reading = True
        self._is_pumping = False
        self._is_resting = False
        self._is_limited = False  # to small frames
        self._may_fill = False  # it began a frame while there was room, and may end it

    # The transport's side --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        site = self.site
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        self._outbox = Outbox(self._transport)
        name = transport.get_extra_info("peername")
        self.peer = site.new_peer(f"/{name[0]}" if isinstance(name, tuple) else "/unknown")
        self._is_admitted = site.admit(self, self.peer.client_host)
        if not self._is_admitted:
            self.abort()
            return
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.peer.show_certificate(distinguished_name(certificate))
        self._limit_frames()
        self.last_active = site.loop.time()
        self._rest(site.port.connected(self.peer.client_host))

    def _limit_frames(self) -> None:
        """Take small frames only until it is known who the peer is."""
        limit = self.peer.frame_limit_bytes
        self._is_limited = limit is not None
        most = self.site.limits.socket_request_max_bytes
        self._framing.max_bytes = most if limit is None else min(limit, most)

    def get_buffer(self, sizehint: int) -> memoryview:
        buffer = self._framing.buffer()
        return buffer if self._may_fill or self.site.has_room else buffer[:CROWDED_READ_BYTES]

    def buffer_updated(self, nbytes: int) -> None:
        self.last_active = self.site.loop.time()
        if self._is_closing:
            return
        try:
            frames = self._framing.received(nbytes)
        except KafkaError as error:
            self._refuse(error)
            return
        self._waiting.extend(frames)
        self._waiting_bytes += sum(map(len, frames))
        self._count_held()
        self._may_fill = self.is_within_frame and (self._may_fill or self.site.has_room)
        self._pump()

    def pause_writing(self) -> None:
        self._outbox.is_writable = False

    def resume_writing(self) -> None:
        self.last_active = self.site.loop.time()
        self._outbox.is_writable = True
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._outbox.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._framing.clear()
        call, self._call = self._call, None
        if call is not None:
            call.abandoned()
        if self._is_admitted:
            self.site.forget(self, self.peer.client_host)
            self._count_held()

    # Calls -----------------------------------------------------------------------------------------------------------

    def is_working_on(self, call: Call) -> bool:
        """Whether this call's answer is still wanted."""
        return call is self._call

    def answer(self, call: Call, response: Any) -> None:
        """A call's response is there."""
        if call is not self._call:
            return  # answered before, or its peer is gone
        try:
            chunks = self._encode(call, response)
        except Exception as error:
            self._log_failure(call, error)
            self.close()
        else:
            self._answered(call, chunks)

    def answer_with(self, call: Call, build: Callable[[Any], Any], reply: Any) -> None:
        """The port's reply to a call is there."""
        if call is not self._call:
            return
        try:
            response = build(reply)
        except Exception as error:
            self._log_failure(call, error)
            self.close()
        else:
            self.answer(call, response)

    def work(self, call: Call, function: Callable[..., Any], *args: Any) -> None:
        """Let a worker answer."""
        self.calls_in_workers += 1
        self.site.workers.submit(partial(self._run_in_worker, call, function, args))

    def resume(self) -> None:
        """There is room for further requests again."""
        self._watch_reading()

    def _pump(self) -> None:
        """Begin with what waits, until a call has to be waited for; write what was answered; read on or stop."""
        if self._is_pumping:
            return
        self._is_pumping = True
        count = 0
        while self._may_begin():
            if count == CALLS_PER_TURN:
                self.site.loop.call_soon(self._pump)
                break
            count += 1
            frame = self._waiting.popleft()
            self._waiting_bytes -= len(frame)
            self._begin(frame)
        self._is_pumping = False
        self._flush()
        self._watch_reading()

    def _may_begin(self) -> bool:
        return (
            bool(self._waiting)
            and self._call is None
            and self._outbox.is_writable
            and not self._is_resting
            and not self._is_closing
        )

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
            self._refuse(error)
            return
        call = self._call = Call(self, header, self._context_of(header))
        if not site.handlers[header.api.key].on_loop:
            self.work(call, self._handle, call)
            return
        try:
            response = self._handle(call)
            site.after_call()
        except Exception as error:
            self._log_failure(call, error)
            self.close()
            return
        if response is not None:
            self.answer(call, response)

    def _begin_raw(self, frame: memoryview) -> None:
        """A mechanism's bytes, as they come after SaslHandshake 0."""
        header = Request(self.site.served[_SASL_AUTHENTICATE], 0, 0, "", frame, 0)
        call = self._call = Call(self, header, self._context)
        self.calls_in_workers += 1
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
        if throttle_ms > 0:
            call.throttle_ms = max(call.throttle_ms, throttle_ms)
            if is_sent and hasattr(response, "throttle_time_ms"):
                response.throttle_time_ms = call.throttle_ms
                chunks = encode_reply(header.api, call.version, header.correlation_id, response)
        return chunks

    def _run_in_worker(self, call: Call, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """On a worker's thread: answer, and let the loop know."""
        chunks: list[Chunk] | None = None
        failed = False
        began = self.site.loop.time()
        try:
            response = function(*args)
            self.site.after_call()
            call.busy_s += self.site.loop.time() - began
            if response is not None:
                chunks = self._encode(call, response)
        except Exception as error:
            failed = True
            self._log_failure(call, error)
        self.site.mailbox.post(self._worked, call, chunks, failed)

    def _worked(self, call: Call, chunks: list[Chunk] | None, failed: bool) -> None:
        self.calls_in_workers -= 1
        self.site.workers.finished()
        if call is not self._call:
            return
        if failed:
            self.close()
        elif chunks is not None:
            self._answered(call, chunks)

    def _answered(self, call: Call, chunks: list[Chunk]) -> None:
        self._call = None
        self._outbox.add(chunks)
        if call.is_last:
            self.close()
            return
        if self._is_limited and self.peer.frame_limit_bytes is None:
            self._limit_frames()
        self._count_held()
        self._rest(call.throttle_ms)
        self._pump()

    def _rest(self, throttle_ms: int) -> None:
        """Leave what the peer asks next for later."""
        if throttle_ms > 0:
            self._is_resting = True
            self.site.loop.call_later(throttle_ms / 1000, self._rested)

    def _rested(self) -> None:
        self._is_resting = False
        self._pump()

    # Reading and writing ---------------------------------------------------------------------------------------------

    @property
    def is_within_frame(self) -> bool:
        """Whether the peer has begun a frame and not ended it."""
        return not self._framing.is_between_frames

    def _count_held(self) -> None:
        """Tell the site how much memory the peer's requests take."""
        held_bytes = self._framing.held_bytes + self._waiting_bytes
        if self._call is not None:
            held_bytes += len(self._call.header.frame)
        change, self._held_bytes = held_bytes - self._held_bytes, held_bytes
        if change:
            self.site.hold(change)

    def _watch_reading(self) -> None:
        """Read on, or stop."""
        if self._is_closing:
            return
        wanted = not self._waiting and self._outbox.is_writable
        if wanted and not self._may_fill and not self.site.has_room:
            wanted = False
            self.site.hold_up(self)
        if wanted != self._is_reading:
            self._is_reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _flush(self) -> None:
        self._outbox.flush()
        if self._is_closing and self._outbox.is_empty:
            self._transport.close()

    def fileno(self) -> int:
        """The socket's descriptor; -1 once it is closed."""
        sock = self._transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())

    # Ending ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what was answered and end; a call that is under way is not waited for."""
        self._is_closing = True
        self._flush()

    def abort(self) -> None:
        """End at once."""
        self._is_closing = True
        self._transport.abort()

    def _refuse(self, error: Exception) -> None:
        """The peer does not speak Kafka, or not this one: Kafka closes the connection, too."""
        _log.info("%s: closed: %s", self.peer.client_host, error)
        self.close()

    def _log_failure(self, call: Call, error: Exception) -> None:
        """Say why a call's connection is closed: the peer's fault in a sentence, ours with all there is to know."""
        name, host = call.header.api.name, self.peer.client_host
        if isinstance(error, KafkaError) or self.site.is_closing:
            _log.info("%s: closed: %s v%d: %s", host, name, call.version, error)
        else:
            _log.error("%s: closed: %s v%d failed", host, name, call.version, exc_info=error)
