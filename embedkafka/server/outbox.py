"""What a connection has still to write: chunks in order, handed to its transport in bounded portions.

Record data stay views of the log until their turn comes, so a reader that is slow costs one portion of copies and no
more, however large its reply is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from embedkafka.protocol.schema import Chunk
from embedkafka.server.limits import WRITE_BUFFER_BYTES


class Outbox:
    """One connection's replies on their way out.

    ``is_writable`` is False while the transport holds as much as it should.
    """

    __slots__ = ("_chunks", "_transport", "is_writable")

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._chunks: deque[Chunk] = deque()
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
            self._transport.writelines(self._portion())

    def clear(self) -> None:
        """Forget what nobody will read."""
        self._chunks.clear()

    def _portion(self) -> list[Chunk]:
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
        return portion
