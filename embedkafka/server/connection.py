"""One peer's connection: frames in, replies out, and when to read, to work (:mod:`calls`) and to write.

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

Everything here runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, cast

from embedkafka.errors import KafkaError
from embedkafka.protocol.schema import Chunk
from embedkafka.server.call import Call
from embedkafka.server.calls import Calls
from embedkafka.server.framing import Framing
from embedkafka.server.limits import CALLS_PER_TURN, CROWDED_READ_BYTES, STALLED_S
from embedkafka.server.outbox import Outbox
from embedkafka.server.peer import Peer
from embedkafka.server.tls import distinguished_name

if TYPE_CHECKING:
    from embedkafka.server.site import Site

_log = logging.getLogger(__name__)


class Connection(asyncio.BufferedProtocol):
    """A peer's connection; made by the loop's server for each that is accepted.

    Attributes:
        last_active: when the peer last sent or took something, in the loop's time.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.peer: Peer
        self.last_active = 0.0
        self._transport: asyncio.Transport
        self._outbox: Outbox
        self._calls: Calls
        self._framing = Framing(site.inbox, site.limits.socket_request_max_bytes)
        self._waiting: deque[memoryview] = deque()  # frames behind the call that is under way
        self._waiting_bytes = 0
        self._held_bytes = 0  # of frames, as the site was told
        self._is_admitted = False
        self._is_closing = False
        self._is_reading = True
        self._is_pumping = False
        self._is_resting = False
        self._is_limited = False  # to small frames
        self._may_fill = False  # there was room for the frame that it has begun: it may end it

    # The transport's side --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        site = self.site
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        self._outbox = Outbox(self._transport)
        name = transport.get_extra_info("peername")
        self.peer = site.new_peer(f"/{name[0]}" if isinstance(name, tuple) else "/unknown")
        self._calls = Calls(self, site, self.peer, tuple(transport.get_extra_info("sockname")[:2]))
        self._is_admitted = site.admit(self, self.peer.client_host)
        if not self._is_admitted:
            self.abort()
            return
        certificate = transport.get_extra_info("peercert")
        if certificate:
            try:
                self.peer.show_certificate(distinguished_name(certificate))
            except KafkaError as error:
                self.refuse(error)
                return
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
        if self._is_closing or self._framing.error is not None:
            return
        for frame in self._framing.received(nbytes):
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
        if self._framing.is_between_frames:
            self._may_fill = False  # what its frame took goes on counting until that is begun
        else:
            self._count_held()  # before there is said to be room, and without the frame that asks for it
            self._fill_if_there_is_room()
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
        self._calls.abandon()
        if self._is_admitted:
            self.site.forget(self, self.peer.client_host)
            self._count_held()

    # Calls -----------------------------------------------------------------------------------------------------------

    def replied(self, call: Call, chunks: list[Chunk]) -> None:
        """A call is over: write its reply, and go on with what waits."""
        self._outbox.add(chunks)
        if call.is_last:
            self.close()
            return
        if self._is_limited and self.peer.frame_limit_bytes is None:
            self._limit_frames()
        if call.throttle_ms > 0:
            self._rest(call.throttle_ms)
        if not self._is_pumping:
            self._pump()

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
            self._calls.begin(frame)
        self._is_pumping = False
        if self._held_bytes or self._waiting or self._calls.current is not None:
            self._count_held()
        if self._framing.error is not None and not self._waiting and self._calls.current is None:
            self.refuse(self._framing.error)
            return
        self._flush()
        self._watch_reading()

    def _may_begin(self) -> bool:
        return (
            bool(self._waiting)
            and self._calls.current is None
            and self._outbox.is_writable
            and not self._is_resting
            and not self._is_closing
        )

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
    def is_in_worker(self) -> bool:
        """Whether a worker runs a call of this peer."""
        return self._calls.in_workers > 0

    @property
    def is_within_frame(self) -> bool:
        """Whether the peer has begun a frame and not ended it."""
        return not self._framing.is_between_frames

    def is_stalled(self, now: float) -> bool:
        """Whether the peer has left a frame without its end for too long, though nothing kept it from sending that."""
        is_its_turn = self._is_reading or not self._outbox.is_writable
        return self.is_within_frame and is_its_turn and now - self.last_active > STALLED_S

    def _count_held(self) -> None:
        """Tell the site how much memory the peer's requests take.

        A frame counts from when it may be filled: one that is held up would otherwise wait for its own room, or several
        for each other's.
        """
        held_bytes = self._waiting_bytes + (self._framing.held_bytes if self._may_fill else 0)
        if self._calls.current is not None:
            held_bytes += len(self._calls.current.header.frame)
        change, self._held_bytes = held_bytes - self._held_bytes, held_bytes
        if change:
            self.site.hold(change)

    def _fill_if_there_is_room(self) -> None:
        """A frame that is begun while there is room is ended whatever comes meanwhile."""
        if self.is_within_frame and not self._may_fill and self.site.has_room:
            self._may_fill = True
            self._count_held()

    def _watch_reading(self) -> None:
        """Read on, or stop."""
        if self._is_closing:
            return
        wanted = not self._waiting and self._outbox.is_writable
        if wanted and not self._framing.is_between_frames:
            self._fill_if_there_is_room()
        if wanted and not self._may_fill and not self.site.has_room:
            wanted = False
            self.site.hold_up(self)
        if wanted != self._is_reading:
            self._is_reading = wanted
            if wanted:
                self.last_active = self.site.loop.time()  # it was not its silence
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

    def refuse(self, error: Exception) -> None:
        """The peer does not speak Kafka, or not this one: Kafka closes the connection, too."""
        _log.info("%s: closed: %s", self.peer.client_host, error)
        self.close()
