"""Cuts what a peer sends into frames: an int32 size, then that many bytes.

An idle connection holds no buffer: all connections of a loop read into one inbox, which is empty again before the next
one reads.  A frame that does not fit or has not come whole gets a buffer of its own, which grows with what has arrived,
never with what was announced; the rest of it is then received without a copy.

Each frame is memory of its own and writable, because a log patches batches in place and keeps them for its readers.
"""

from __future__ import annotations

import struct

from embedkafka.errors import KafkaProtocolError

INBOX_BYTES = 256 * 1024

_SIZE = struct.Struct("!i")
_FIRST_BYTES = 64 * 1024  # what a frame gets before any of it has come
_GROWTH = 4


class Framing:
    """One connection's stream.

    Args:
        inbox: shared by the connections of a loop.
        max_bytes: the largest frame (``socket.request.max.bytes``).

    ``error`` says what is wrong with the stream, once something is: the frames before that are whole, and none follows.
    """

    __slots__ = ("_filled", "_frame", "_head", "_inbox", "_size", "error", "max_bytes")

    def __init__(self, inbox: memoryview, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.error: KafkaProtocolError | None = None  # a size that is negative or too large
        self._inbox = inbox
        self._head = b""  # the beginning of a size
        self._frame: bytearray | None = None  # the beginning of a frame
        self._size = 0
        self._filled = 0

    @property
    def is_between_frames(self) -> bool:
        """Whether nothing of a further frame has come yet."""
        return self._frame is None and not self._head

    @property
    def held_bytes(self) -> int:
        """Memory held for a frame that is not whole yet."""
        return 0 if self._frame is None else len(self._frame)

    def clear(self) -> None:
        """Forget what has come."""
        self._head = b""
        self._frame = None

    def buffer(self) -> memoryview:
        """Where to put what comes next; :meth:`received` follows before any other connection reads."""
        frame = self._frame
        if frame is None:
            return self._inbox
        if self._filled == len(frame):
            grown = bytearray(min(self._size, len(frame) * _GROWTH))
            grown[: len(frame)] = frame
            self._frame = frame = grown
        return memoryview(frame)[self._filled :]

    def received(self, count: int) -> list[memoryview]:
        """The frames that are whole, now that ``count`` bytes have come; see also ``error``."""
        if self._frame is None:
            return self._cut(self._inbox[:count])
        self._filled += count
        if self._filled < self._size:
            return []
        frame, self._frame = self._frame, None
        return [memoryview(frame)]

    def _cut(self, data: memoryview) -> list[memoryview]:
        if self._head:
            data = memoryview(self._head + data)
            self._head = b""
        frames: list[memoryview] = []
        position, end = 0, len(data)
        while end - position >= _SIZE.size:
            (size,) = _SIZE.unpack_from(data, position)
            if not 0 <= size <= self.max_bytes:
                other = _other_protocol(bytes(data[position : position + _SIZE.size]))
                self.error = KafkaProtocolError(f"a frame of {size} bytes, at most {self.max_bytes} are taken{other}")
                return frames
            position += _SIZE.size
            if end - position < size:
                self._begin(size, data[position:])
                return frames
            frames.append(memoryview(bytearray(data[position : position + size])))
            position += size
        self._head = bytes(data[position:])
        return frames

    def _begin(self, size: int, data: memoryview) -> None:
        self._size = size
        self._filled = len(data)
        self._frame = bytearray(min(size, max(_FIRST_BYTES, len(data) * _GROWTH)))
        self._frame[: len(data)] = data


def _other_protocol(beginning: bytes) -> str:
    """What a size that cannot be one looks like, for whoever has to find out why a client is turned away."""
    if beginning[:2] == b"\x16\x03":  # a handshake record of TLS 1.x
        return "; it speaks TLS, and this listener does not encrypt"
    if beginning in (b"GET ", b"HEAD", b"POST", b"PUT "):
        return "; it speaks HTTP"
    return ""
