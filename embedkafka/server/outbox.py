"""What a connection has still to write: chunks in order, handed to its transport in bounded portions.

Record data stay views of the log until their turn comes, so a reader that is slow costs one portion of copies and no
more, however large its reply is.

uvloop's transport takes a list of chunks and writes it without a copy.  The standard library's takes one chunk after
the other: its ``writelines`` joins them before Python 3.12, and in 3.12.0 to 3.12.8 and 3.13.0 to 3.13.1 never says
that the peer is slow (python/cpython#127655).  What cannot be written at once is copied before 3.12, and not since.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from embedkafka.protocol.schema import Chunk
from embedkafka.server.limits import WRITE_BUFFER_BYTES

_JOIN_BYTES = 16 * 1024  # below, one system call is worth more than a copy


class Outbox:
    """One connection's replies on their way out.

    ``is_writable`` is False while the transport holds as much as it should.
    """

    __slots__ = ("_chunks", "_takes_lists", "_transport", "is_writable")

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._chunks: deque[Chunk] = deque()
        self._takes_lists = type(transport).__module__.startswith("uvloop")
        self.is_writable = True
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    @property
    def is_empty(self) -> bool:
        """Whether the transport has been handed everything."""
        return not self._chunks

    def add(self, chunks: Iterable[Chunk]) -> None:
        """Write these after what is there, at the next :meth:`flush`."""
        self._chunks.extend(chunks)

    def flush(self) -> None:
        """Hand the transport as much as it takes."""
        while self._chunks and self.is_writable:
            portion, size_bytes = self._portion()
            if self._takes_lists:
                self._transport.writelines(portion)
            elif size_bytes <= _JOIN_BYTES:
                self._transport.write(b"".join(portion))
            else:
                for chunk in portion:
                    self._transport.write(chunk)

    def clear(self) -> None:
        """Forget what nobody will read."""
        self._chunks.clear()

    def _portion(self) -> tuple[list[Chunk], int]:
        """What goes next, and its size."""
        chunks = self._chunks
        portion: list[Chunk] = []
        room = WRITE_BUFFER_BYTES
        while chunks and room > 0:
            chunk = chunks.popleft()
            if len(chunk) > room:
                view = memoryview(chunk)
                chunks.appendleft(view[room:])
                chunk = view[:room]
            portion.append(chunk)
            room -= len(chunk)
        return portion, WRITE_BUFFER_BYTES - room
