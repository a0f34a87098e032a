"""Which offsets of what was read from a log may be seen by a share group, and which bytes to hand out for some of them.

Markers are never seen, nor are records of aborted transactions with ``share.isolation.level=read_committed``, nor what
compaction has left out.  Only headers are looked at; a batch is one or the other as a whole.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Sequence

from embedkafka.coordinator.share_partition.decision import Fetched
from embedkafka.errors import CorruptRecordError
from embedkafka.record import decode_batch
from embedkafka.record.control import ABORT, control_type
from embedkafka.record.format import CONTROL_FLAG, HEADER_SIZE_BYTES, LENGTH_END, TRANSACTIONAL_FLAG
from embedkafka.storage.transaction_index import AbortedTransaction

_EXTENT = struct.Struct(">qi9xhi")  # base offset, batch length, attributes, last offset delta
_PRODUCER_ID = struct.Struct(">q")
_PRODUCER_ID_POSITION = 43


class Extents:
    """The batches of some chunks, up to one that holds an offset: their last offsets, and where their bytes are."""

    __slots__ = ("_chunks", "_places", "lasts", "spans")

    def __init__(
        self, chunks: Sequence[memoryview], wanted_offset: int, aborted: Sequence[AbortedTransaction] = ()
    ) -> None:
        """
        Args:
            chunks: whole batches, in order.
            wanted_offset: the batch that reaches it is the last one looked at.
            aborted: transactions whose records are not seen.

        Raises:
            CorruptRecordError: bytes that are not a batch.
        """
        self._chunks = chunks
        self._places: list[tuple[int, int, int]] = []
        self.lasts: list[int] = []
        self.spans: list[tuple[int, int]] = []
        hidden = _Aborted(aborted) if aborted else None
        for number, chunk in enumerate(chunks):
            if self._scan(number, chunk, wanted_offset, hidden):
                return

    def _scan(self, number: int, chunk: memoryview, wanted_offset: int, aborted: _Aborted | None) -> bool:
        lasts, spans, places = self.lasts, self.spans, self._places
        position, end = 0, len(chunk)
        while end - position >= HEADER_SIZE_BYTES:
            first, length, attributes, delta = _EXTENT.unpack_from(chunk, position)
            next_position = position + length + LENGTH_END
            if length < HEADER_SIZE_BYTES - LENGTH_END or delta < 0 or (lasts and first <= lasts[-1]):
                raise CorruptRecordError(f"at position {position}: no batch where one should be")
            if next_position > end:
                return False
            last = first + delta
            lasts.append(last)
            places.append((number, position, next_position))
            is_seen = not attributes & CONTROL_FLAG
            if aborted is not None and attributes & TRANSACTIONAL_FLAG:
                is_seen = not aborted.holds(chunk, position, last) and is_seen
            if is_seen:
                if spans and spans[-1][1] + 1 == first:
                    spans[-1] = (spans[-1][0], last)
                else:
                    spans.append((first, last))
            if last >= wanted_offset:
                return True
            position = next_position
        return False

    @property
    def fetched(self) -> Fetched:
        return Fetched(self.spans, self.lasts)

    def bytes_of(self, first_offset: int, last_offset: int) -> tuple[memoryview, ...]:
        """The batches that hold these offsets, both included, as chunks."""
        low = bisect_left(self.lasts, first_offset)
        high = min(bisect_left(self.lasts, last_offset), len(self.lasts) - 1)
        number, start, _ = self._places[low]
        last_number, _, end = self._places[high]
        if number == last_number:
            return (self._chunks[number][start:end],)
        return (self._chunks[number][start:], *self._chunks[number + 1 : last_number], self._chunks[last_number][:end])


class _Aborted:
    """The aborted transactions that are open at a point of the log, batch by batch."""

    def __init__(self, aborted: Sequence[AbortedTransaction]) -> None:
        self._begins = sorted(((each.first_offset, each.producer_id) for each in aborted), reverse=True)
        self._producers: set[int] = set()

    def holds(self, chunk: memoryview, position: int, last_offset: int) -> bool:
        """Whether the next transactional batch, or marker, belongs to one of them."""
        while self._begins and self._begins[-1][0] <= last_offset:
            self._producers.add(self._begins.pop()[1])
        (producer_id,) = _PRODUCER_ID.unpack_from(chunk, position + _PRODUCER_ID_POSITION)
        if producer_id not in self._producers:
            return False
        (attributes,) = struct.unpack_from(">h", chunk, position + 21)
        if attributes & CONTROL_FLAG and control_type(decode_batch(chunk, position)[0].key) == ABORT:
            self._producers.discard(producer_id)
        return True
