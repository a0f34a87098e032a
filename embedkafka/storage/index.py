"""The two sparse indexes of a segment: arrays of fixed-size entries that grow at the end and are searched by halving.

``<base>.index``, 8 bytes an entry (``org.apache.kafka.storage.internals.log.OffsetIndex``)::

    0  relative offset  int32  last offset of a batch, less the segment's base offset: half the size of an int64
    4  position         int32  where that batch begins in the .log file

``<base>.timeindex``, 12 bytes an entry (``TimeIndex``)::

    0  timestamp        int64  the largest timestamp in the segment up to this point
    8  relative offset  int32  last offset of the batch that has it

Entries are added every ``index.interval.bytes`` of log.  Kafka maps a preallocated file; here new entries wait in
memory and are appended to the file when there are 4 KiB of them, and when the segment is closed.  Nothing is lost by
that: after a crash the indexes from the recovery point on are rebuilt from the log anyway.

How many entries count is not kept here but in the segment's published state, so that an append that was interrupted
half-way leaves entries that nobody sees and the next append overwrites.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod

from embedkafka.files import Handle

OFFSET_ENTRY = struct.Struct(">ii")
TIME_ENTRY = struct.Struct(">qi")

MAX_RELATIVE_OFFSET = (1 << 31) - 1
_FLUSH_BYTES = 4096
_PROBE_BYTES = 4096  # below this, one read of the rest beats more probes


class Index(ABC):
    """Entries on file followed by entries in memory.

    Args:
        handle: the index file.
        stored_count: how many whole entries the file holds.
    """

    __slots__ = ("_parts", "_unsynced", "handle")

    entry: struct.Struct
    suffix: str

    def __init__(self, handle: Handle, stored_count: int = 0) -> None:
        self.handle = handle
        self._parts = (stored_count, bytearray())  # replaced as one: an interrupt finds either the old or the new
        self._unsynced = False

    @property
    def stored_count(self) -> int:
        """Entries that the file holds."""
        return self._parts[0]

    def max_entries(self, max_index_bytes: int) -> int:
        """How many entries fit; Kafka rounds ``segment.index.bytes`` down to whole entries."""
        return max_index_bytes // self.entry.size

    def _put(self, count: int, data: bytes) -> None:
        stored_count, pending = self._parts
        pending[(count - stored_count) * len(data) :] = data

    def pending_bytes(self) -> int:
        """Bytes of entries that wait in memory."""
        return len(self._parts[1])

    def write(self, count: int) -> None:
        """Write what waits in memory of the first ``count`` entries to the file."""
        stored_count, pending = self._parts
        size = self.entry.size
        wanted = (count - stored_count) * size
        if wanted > 0:
            self._unsynced = True
            self.handle.write_all(pending[:wanted], stored_count * size)
            self._parts = (count, pending[wanted:])

    def write_if_long(self, count: int) -> None:
        """Keep what waits in memory short."""
        if len(self._parts[1]) >= _FLUSH_BYTES:
            self.write(count)

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` entries; the file must not be cut under a mapping, and index files have none."""
        stored_count, pending = self._parts
        if count >= stored_count:
            del pending[(count - stored_count) * self.entry.size :]
        else:
            self._parts = (count, bytearray())
            self._unsynced = True
            self.handle.file().truncate(count * self.entry.size)

    def forget(self) -> None:
        """Start anew in memory only: a reader beside a live owner builds its own entries."""
        self._parts = (0, bytearray())

    def sync(self) -> None:
        """Make the file durable where it was changed."""
        if self._unsynced:
            self.handle.file().sync()
            self._unsynced = False

    def fields(self, index: int) -> tuple[int, int]:
        """Both fields of entry ``index`` as they are in the file."""
        stored_count, pending = self._parts
        size = self.entry.size
        if index >= stored_count:
            data: bytearray | memoryview = pending
            position = (index - stored_count) * size
        else:
            data = self.handle.file().read_at(index * size, size)
            position = 0
        first, second = self.entry.unpack_from(data, position)
        return first, second

    def _floor(self, count: int, field: int, value: int) -> int:
        """The last entry whose ``field`` is at most ``value``; -1 when there is none."""
        stored_count, pending = self._parts
        size = self.entry.size
        low, high = 0, count
        if count > stored_count and self.entry.unpack_from(pending, 0)[field] <= value:
            low = stored_count
        else:
            high = min(count, stored_count)
        in_memory = high > stored_count
        file = None if in_memory or low == high else self.handle.file()
        while low < high and (in_memory or (high - low) * size > _PROBE_BYTES):
            middle = (low + high) // 2
            if file is None:
                found = self.entry.unpack_from(pending, (middle - stored_count) * size)[field]
            else:
                found = self.entry.unpack_from(file.read_at(middle * size, size))[field]
            if found <= value:
                low = middle + 1
            else:
                high = middle
        if file is not None:
            block = file.read_at(low * size, (high - low) * size)
            first = low
            while low < high:
                middle = (low + high) // 2
                if self.entry.unpack_from(block, (middle - first) * size)[field] <= value:
                    low = middle + 1
                else:
                    high = middle
        return low - 1

    @abstractmethod
    def check(self, count: int, base_offset: int) -> str | None:
        """What is wrong with the last entry, as Kafka's sanity check; None when nothing is."""


class OffsetIndex(Index):
    """From offset to position in the segment file."""

    __slots__ = ()

    entry = OFFSET_ENTRY
    suffix = ".index"

    def put(self, count: int, relative_offset: int, position: int) -> None:
        """Add an entry after the first ``count``; whatever was behind them is forgotten."""
        self._put(count, OFFSET_ENTRY.pack(relative_offset, position))

    def position_of(self, count: int, relative_offset: int) -> int:
        """Where to start scanning for an offset: the position of the last entry at or below it, or 0."""
        index = self._floor(count, 0, relative_offset)
        return 0 if index < 0 else self.fields(index)[1]

    def position_before(self, count: int, position: int) -> int:
        """The largest indexed batch position at or below ``position``, or 0."""
        index = self._floor(count, 1, position)
        return 0 if index < 0 else self.fields(index)[1]

    def floor_offset(self, count: int, relative_offset: int) -> int:
        """How many entries are at or below an offset."""
        return self._floor(count, 0, relative_offset) + 1

    def position_count(self, count: int, position: int) -> int:
        """How many of the first ``count`` entries lie before a position."""
        return self._floor(count, 1, position - 1) + 1

    def check(self, count: int, base_offset: int) -> str | None:
        if count and self.fields(count - 1)[0] < 0:
            return f"the last entry's offset lies before the base offset {base_offset}"
        return None


class TimeIndex(Index):
    """From timestamp to offset."""

    __slots__ = ()

    entry = TIME_ENTRY
    suffix = ".timeindex"

    def put(self, count: int, timestamp: int, relative_offset: int) -> None:
        """Add an entry after the first ``count``; whatever was behind them is forgotten."""
        self._put(count, TIME_ENTRY.pack(timestamp, relative_offset))

    def last(self, count: int) -> tuple[int, int]:
        """Timestamp and relative offset of entry ``count - 1``; (-1, 0) without entries, as in Kafka."""
        return self.fields(count - 1) if count else (-1, 0)

    def floor(self, count: int, timestamp: int) -> tuple[int, int]:
        """The last entry whose timestamp is at most ``timestamp``; (-1, 0) when there is none."""
        index = self._floor(count, 0, timestamp)
        return (-1, 0) if index < 0 else self.fields(index)

    def floor_offset(self, count: int, relative_offset: int) -> int:
        """How many entries are at or below an offset."""
        return self._floor(count, 1, relative_offset) + 1

    def check(self, count: int, base_offset: int) -> str | None:
        if not count:
            return None
        first, last = self.fields(0), self.fields(count - 1)
        if last[0] < first[0]:
            return f"the last entry's timestamp {last[0]} lies before the first's {first[0]}"
        if last[1] < 0:
            return f"the last entry's offset lies before the base offset {base_offset}"
        return None
