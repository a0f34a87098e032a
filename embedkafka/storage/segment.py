"""A segment: one file of record batches, with an offset index and a time index.

The segment with base offset 42 is ``00000000000000000042.log``, ``.index`` and ``.timeindex``.  Batches lie in the log
file end to end; a batch's position is given by nothing but the lengths of those before it.

Everything that changes with an append is one :class:`SegmentState`, and publishing is one store of a new one.  Bytes in
the file and entries in the indexes beyond what the published state counts are dead: an append that failed or was
interrupted leaves some, and the next one overwrites them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from embedkafka.errors import CorruptRecordError
from embedkafka.files import Bytes, Handle, HandleCache
from embedkafka.record import HEADER_SIZE_BYTES, BatchHeader, decode_batch, read_header, verify_checksum
from embedkafka.storage.index import MAX_RELATIVE_OFFSET, OFFSET_ENTRY, TIME_ENTRY, OffsetIndex, TimeIndex
from embedkafka.storage.names import CLEANED_SUFFIX, LOG_SUFFIX, segment_name
from embedkafka.storage.transaction_index import TransactionIndex

# Base offset, length and last offset delta: all that walking from batch to batch takes (see embedkafka.record.format).
_WALK = struct.Struct(">qi11xi")
_LENGTH_END = 12
_WALK_MARGIN_BYTES = 8192  # an indexed position is at most index.interval.bytes and a batch away from the wanted one

_COPY_BYTES = 1 << 20

_new = tuple.__new__  # what a NamedTuple's own constructor calls, without the detour

UNKNOWN = -2  # a closed segment that was opened without a scan: looked up when it is asked for


class SegmentState(NamedTuple):
    """What is published of a segment.

    ``next_offset`` and ``max_timestamp`` are :data:`UNKNOWN` for a closed segment until somebody asks.
    """

    size_bytes: int
    next_offset: int
    max_timestamp: int
    max_timestamp_offset: int
    unindexed_bytes: int
    index_count: int
    time_count: int


class PlacedBatch(NamedTuple):
    """What an append needs to know of one batch."""

    size_bytes: int
    last_offset: int
    max_timestamp: int


class Segment:
    """One segment's three files, and a fourth once a transaction was aborted in it.

    Args:
        handles: the engine's cache of open files.
        folder: the partition's folder.
        base_offset: no record in here has a smaller offset.
        created_ms: when it was created or opened; rolling by time counts from here while it has no timestamps.
        state: what the files hold; None for a new, empty segment.
        aborted_count: entries of the transaction index.
        suffix: ``.cleaned`` or ``.swap`` while it is being made by compaction.
    """

    __slots__ = (
        "base_offset",
        "created_ms",
        "first_timestamp",
        "is_cut",
        "log",
        "offset_index",
        "state",
        "time_index",
        "transaction_index",
    )

    def __init__(
        self,
        handles: HandleCache,
        folder: str,
        base_offset: int,
        *,
        created_ms: int,
        state: SegmentState | None = None,
        aborted_count: int = 0,
        suffix: str = "",
        read_only: bool = False,
    ) -> None:
        state = state or SegmentState(0, base_offset, -1, -1, 0, 0, 0)
        self.base_offset = base_offset
        self.created_ms = created_ms
        self.first_timestamp = UNKNOWN  # of the first batch; rolling by time counts from it
        self.is_cut = False  # the file was shortened, and that is not durable yet
        path = handles.files.join(folder, segment_name(base_offset))
        self.log: Handle = handles.handle(path + LOG_SUFFIX + suffix, read_only=read_only)
        self.offset_index = OffsetIndex(
            handles.handle(path + OffsetIndex.suffix + suffix, read_only=read_only), state.index_count
        )
        self.time_index = TimeIndex(
            handles.handle(path + TimeIndex.suffix + suffix, read_only=read_only), state.time_count
        )
        self.transaction_index = TransactionIndex(
            handles.handle(path + TransactionIndex.suffix + suffix, read_only=read_only), aborted_count
        )
        self.state = state

    def __repr__(self) -> str:
        return f"<Segment {self.base_offset}..{self.state.next_offset} {self.state.size_bytes} bytes>"

    @property
    def size_bytes(self) -> int:
        return self.state.size_bytes

    @property
    def index_bytes(self) -> int:
        """Size of the larger of the two indexes."""
        return max(self.state.index_count * OFFSET_ENTRY.size, self.state.time_count * TIME_ENTRY.size)

    @property
    def paths(self) -> tuple[str, str, str]:
        """The log file, the offset index, the time index."""
        first, second, third = (handle.path for handle in self.handles)
        return first, second, third

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Of every file there may be."""
        return (*self.paths, self.transaction_index.handle.path)

    # Appending ---------------------------------------------------------------------------------------------------

    def append(self, data: Bytes, batches: Sequence[PlacedBatch], index_interval_bytes: int) -> None:
        """Write whole batches at the end and publish them; the offsets in ``data`` are final.

        Raises:
            OSError: nothing is published; bytes past the end are dead.
        """
        size_bytes = self.state.size_bytes
        self.log.write_all(data, size_bytes)
        if not size_bytes:
            self.first_timestamp = batches[0].max_timestamp
        self.publish(batches, index_interval_bytes)

    def publish(self, batches: Sequence[tuple[int, int, int]], index_interval_bytes: int) -> None:
        """Count batches whose bytes are in the file; indexes get an entry every ``index_interval_bytes``."""
        size_bytes, next_offset, max_timestamp, max_timestamp_offset, unindexed, index_count, time_count = self.state
        base_offset = self.base_offset
        for batch_bytes, last_offset, timestamp in batches:
            if timestamp > max_timestamp:
                max_timestamp, max_timestamp_offset = timestamp, last_offset
            if unindexed > index_interval_bytes:
                self.offset_index.put(index_count, last_offset - base_offset, size_bytes)
                index_count += 1
                if self._is_newer(time_count, max_timestamp):
                    self.time_index.put(time_count, max_timestamp, max_timestamp_offset - base_offset)
                    time_count += 1
                unindexed = 0
            size_bytes += batch_bytes
            unindexed += batch_bytes
            next_offset = last_offset + 1
        has_entries = index_count != self.state.index_count
        numbers = (size_bytes, next_offset, max_timestamp, max_timestamp_offset, unindexed, index_count, time_count)
        self.state = _new(SegmentState, numbers)
        if has_entries:
            with suppress(OSError):  # the batches are published; whoever completes the indexes meets the error
                self.offset_index.write_if_long(index_count)
                self.time_index.write_if_long(time_count)

    def _is_newer(self, time_count: int, timestamp: int) -> bool:
        return timestamp > self.time_index.last(time_count)[0]

    def fits_offset(self, offset: int) -> bool:
        """Whether the indexes can express this offset relative to the base offset."""
        return 0 <= offset - self.base_offset <= MAX_RELATIVE_OFFSET

    def finish(self) -> None:
        """Complete the indexes, as on roll and close: the largest timestamp gets its entry, everything its file."""
        state = self.state
        if state.max_timestamp >= 0 and self._is_newer(state.time_count, state.max_timestamp):
            self.time_index.put(state.time_count, state.max_timestamp, state.max_timestamp_offset - self.base_offset)
            state = self.state = state._replace(time_count=state.time_count + 1)
        self.offset_index.write(state.index_count)
        self.time_index.write(state.time_count)

    def create_files(self) -> None:
        """Make the three files; the folder is synced by whoever promises that they stay."""
        for path in self.paths:
            self.log.cache.files.open(path, create=True)

    def truncate_to(self, offset: int) -> None:
        """Cut before the batch that holds ``offset`` or, where none does, before the first one behind it."""
        position = self.position_at_or_before(offset)
        index_count, time_count = self._count_before(offset)
        size_bytes = position
        for at, header in self.headers(position):
            if header.last_offset >= offset:
                break
            size_bytes = at + header.size_bytes
        index_count = self.offset_index.position_count(index_count, size_bytes)
        timestamp, relative_offset = self.time_index.last(time_count if size_bytes else 0)
        found = (timestamp, self.base_offset + relative_offset)
        next_offset = self.base_offset
        indexed = self.offset_index.fields(index_count - 1)[1] if index_count else 0
        for _, header, _ in self.batches(indexed, size_bytes=size_bytes):
            next_offset = header.next_offset
            if header.max_timestamp > found[0]:
                found = (header.max_timestamp, header.last_offset)
        self.state = SegmentState(size_bytes, next_offset, *found, 0, index_count, time_count if size_bytes else 0)
        self.first_timestamp = UNKNOWN
        self.offset_index.truncate(self.state.index_count)
        self.time_index.truncate(self.state.time_count)
        self.transaction_index.truncate_to(offset)
        self.shorten_file(size_bytes)

    def shorten_file(self, size_bytes: int) -> None:
        """Cut the file; a mapped one is replaced by a copy, because readers may still look at its end."""
        self.is_cut = True
        self.log.release()
        if not self.log.is_mapped:
            self.log.file().truncate(size_bytes)
            return
        files = self.log.cache.files
        source = self.log.file()
        path = self.log.path
        copy = files.open(path + CLEANED_SUFFIX, create=True)  # a suffix that the next opening removes
        copy.truncate(0)
        for position in range(0, size_bytes, _COPY_BYTES):
            copy.write_all(source.read_at(position, min(_COPY_BYTES, size_bytes - position)), position)
        copy.sync()
        del copy, source
        self.log.release()
        files.rename(path + CLEANED_SUFFIX, path)

    def cut_dead_bytes(self) -> None:
        """Give back the space of bytes past the published end."""
        file = self.log.file()
        if file.size() > self.state.size_bytes:
            file.truncate(self.state.size_bytes)
            self.is_cut = True

    # Reading -----------------------------------------------------------------------------------------------------

    def read(self, offset: int, *, max_bytes: int, max_offset: int, min_one_batch: bool = True) -> list[memoryview]:
        """Whole batches from the one that holds ``offset`` or the next one, as one chunk; empty at the end.

        Needs no lock.  ``max_offset`` is exclusive: batches that reach beyond it are left out.
        """
        state = self.state
        size_bytes = state.size_bytes
        position = self.position_at_or_before(offset)
        wanted = start = 0
        window = memoryview(b"")
        while not wanted:
            position += start  # the batch lies behind the last window
            if position >= size_bytes:
                return []
            window_end = min(size_bytes, position + max_bytes + _WALK_MARGIN_BYTES)
            window = self.log.view(position, window_end, file_bytes=size_bytes)
            start, wanted = self._find(window, position, offset)
            if not wanted and not start:
                raise CorruptRecordError(
                    f"{self.log.path} at position {position}: expected a whole batch, found {len(window)} bytes"
                )
        end = start + wanted
        first_last_offset = _last_offset(window, start)
        if wanted > max_bytes and not min_one_batch:
            return []
        if first_last_offset >= max_offset:
            # Not to be seen yet, or a damaged header that only says so: going on behind it would lose it in silence.
            self._verify(position + start, position + end, size_bytes)
            return []
        if end > len(window):
            window = self.log.view(position, position + end, file_bytes=size_bytes)
        elif wanted <= max_bytes:
            end = self._walk_to_end(
                window, position, start, end, min(len(window), start + max_bytes), max_offset, state
            )
        return [window[start:end]]

    def _verify(self, position: int, end: int, size_bytes: int) -> None:
        """Raise CorruptRecordError, naming the file, unless the batch at ``position`` is what was written."""
        try:
            verify_checksum(self.log.view(position, min(end, size_bytes), file_bytes=size_bytes))
        except CorruptRecordError as error:
            raise CorruptRecordError(f"{self.log.path} at position {position}: {error.args[0]}") from None

    def position_at_or_before(self, offset: int) -> int:
        """Where to start looking for the batch that holds ``offset``: a batch that begins at it or before."""
        state = self.state
        if offset <= self.base_offset or not state.index_count:
            return 0
        relative_offset = min(offset - self.base_offset, MAX_RELATIVE_OFFSET)
        position = self.offset_index.position_of(state.index_count, relative_offset)
        if not 0 <= position < state.size_bytes:
            raise CorruptRecordError(
                f"{self.offset_index.handle.path} leads to position {position} of {state.size_bytes} bytes; "
                "remove the index file while the directory is closed to have it rebuilt"
            )
        return position

    def _find(self, window: memoryview, position: int, offset: int) -> tuple[int, int]:
        """Where in the window the first batch with a last offset of at least ``offset`` begins, and its size."""
        at = 0
        limit = len(window) - HEADER_SIZE_BYTES
        while at <= limit:
            base_offset, length, last_offset_delta = _WALK.unpack_from(window, at)
            size = length + _LENGTH_END
            if size < HEADER_SIZE_BYTES:
                raise CorruptRecordError(
                    f"{self.log.path} at position {position + at}: expected a batch, found a length of {length}"
                )
            if base_offset + last_offset_delta >= offset:
                return at, size
            at += size
        return at, 0

    def _walk_to_end(
        self, window: memoryview, position: int, start: int, end: int, limit: int, max_offset: int, state: SegmentState
    ) -> int:
        """The end of the last whole batch within ``limit`` and below ``max_offset``; ``end`` is that of the first."""
        if limit - end > _WALK_MARGIN_BYTES and state.index_count:
            # Jump over the batches in between by the index: their pages are not touched here.
            jump = self.offset_index.position_before(state.index_count, position + limit) - position
            if max_offset < state.next_offset or state.next_offset == UNKNOWN:
                relative_offset = min(max(max_offset - 1 - self.base_offset, 0), MAX_RELATIVE_OFFSET)
                jump = min(jump, self.offset_index.position_of(state.index_count, relative_offset) - position)
            end = max(end, jump)
        while end + HEADER_SIZE_BYTES <= limit:
            base_offset, length, last_offset_delta = _WALK.unpack_from(window, end)
            size = length + _LENGTH_END
            if size < HEADER_SIZE_BYTES:
                break  # damaged: the read that begins here says so
            if end + size > limit or base_offset + last_offset_delta >= max_offset:
                break
            end += size
        return end

    def headers(self, position: int = 0, *, chunk_bytes: int = 1 << 20) -> Iterator[tuple[int, BatchHeader]]:
        """Position and header of each batch from the one at ``position`` on; reads in chunks.

        Raises:
            CorruptRecordError: bytes that are not a batch; names file and position.
        """
        for at, header, _ in self.batches(position, chunk_bytes=chunk_bytes):
            yield at, header

    def batches(
        self, position: int = 0, *, chunk_bytes: int = 1 << 20, size_bytes: int | None = None
    ) -> Iterator[tuple[int, BatchHeader, memoryview]]:
        """Position, header and bytes of each batch from the one at ``position`` on.

        Args:
            chunk_bytes: how much to read at a time.
            size_bytes: where to end; None is the published end.

        Raises:
            CorruptRecordError: bytes that are not a whole batch; names file and position.
        """
        if size_bytes is None:
            size_bytes = self.state.size_bytes
        window = memoryview(b"")
        window_start = position
        while position < size_bytes:
            at = position - window_start
            left = len(window) - at
            if left < HEADER_SIZE_BYTES or left < _WALK.unpack_from(window, at)[1] + _LENGTH_END:
                wanted = chunk_bytes
                if left >= HEADER_SIZE_BYTES:
                    wanted = max(wanted, _WALK.unpack_from(window, at)[1] + _LENGTH_END)
                fresh = self.log.view(position, min(size_bytes, position + wanted), file_bytes=size_bytes)
                if len(fresh) <= left:
                    raise CorruptRecordError(
                        f"{self.log.path} at position {position}: expected a whole batch, found {left} bytes"
                    )
                window, window_start = fresh, position
                continue
            try:
                header = read_header(window, at)
            except CorruptRecordError as error:
                raise CorruptRecordError(f"{self.log.path} at position {position}: {error.args[0]}") from None
            yield position, header, window[at : at + header.batch_length + _LENGTH_END]
            position += header.batch_length + _LENGTH_END

    # Looking things up -------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Count nothing of what the files hold, for :meth:`publish` to start anew."""
        self.state = SegmentState(0, self.base_offset, -1, -1, 0, 0, 0)

    def next_offset(self) -> int:
        """One past the last offset in here; reads from the last index entry on where it is not known."""
        state = self.state
        if state.next_offset != UNKNOWN:
            return state.next_offset
        next_offset = self.base_offset
        position = self.offset_index.fields(state.index_count - 1)[1] if state.index_count else 0
        for _, header in self.headers(position):
            next_offset = header.next_offset
        self.state = state._replace(next_offset=next_offset)
        return next_offset

    def max_timestamp(self) -> int:
        """The largest timestamp in here, -1 without records."""
        state = self.state
        if state.max_timestamp == UNKNOWN:
            timestamp, relative_offset = self.time_index.last(state.time_count)
            state = self.state = state._replace(
                max_timestamp=timestamp, max_timestamp_offset=relative_offset + self.base_offset
            )
        return state.max_timestamp

    def max_timestamp_offset(self) -> int:
        """Last offset of the batch that has the largest timestamp."""
        self.max_timestamp()
        return self.state.max_timestamp_offset

    def first_batch_timestamp(self) -> int:
        """The first batch's largest timestamp, -1 without records: what rolling by time counts from."""
        if self.first_timestamp == UNKNOWN or self.first_timestamp == -1:
            self.first_timestamp = next((header.max_timestamp for _, header in self.headers(chunk_bytes=4096)), -1)
        return self.first_timestamp

    def offset_for_timestamp(self, timestamp: int, start_offset: int) -> tuple[int, int, int] | None:
        """Offset, timestamp and leader epoch of the first record at or after both; None where there is none."""
        state = self.state
        _, relative_offset = self.time_index.floor(state.time_count, timestamp)
        offset = max(start_offset, self.base_offset + relative_offset)
        # The record may lie in any batch before the one that has the indexed timestamp as its largest so far, but not
        # before the indexed offset's own batch: all timestamps up to there are smaller, or it would not be indexed.
        position = self.position_at_or_before(offset)
        for _, header, batch in self.batches(position):
            if header.max_timestamp >= timestamp and header.last_offset >= start_offset:
                for record in decode_batch(batch, 0, header):
                    if record.timestamp >= timestamp and record.offset >= start_offset:
                        return record.offset, record.timestamp, header.partition_leader_epoch
        return None

    def _count_before(self, offset: int) -> tuple[int, int]:
        """How many entries of the offset and of the time index lie before ``offset``."""
        state = self.state
        relative_offset = min(offset - self.base_offset - 1, MAX_RELATIVE_OFFSET)
        return (
            self.offset_index.floor_offset(state.index_count, relative_offset),
            self.time_index.floor_offset(state.time_count, relative_offset),
        )

    # Ending ------------------------------------------------------------------------------------------------------

    @property
    def handles(self) -> tuple[Handle, Handle, Handle]:
        """The log file, the offset index, the time index."""
        return self.log, self.offset_index.handle, self.time_index.handle

    def release(self) -> None:
        """Let go of open files and mappings; readers keep the views they have."""
        for handle in self.handles:
            handle.release()
        self.transaction_index.handle.release()

    def remove(self) -> None:
        """Remove the files; readers keep the views they have, and who comes later finds them missing."""
        for handle in self.handles:
            handle.retire()
        self.transaction_index.handle.retire()
        self.log.cache.files.unlink_all(self.all_paths)

    def rename_files(self, old_suffix: str, new_suffix: str) -> None:
        """Change the suffix of all files, the log file last: with it the change has happened."""
        index = self.transaction_index
        index.rename(index.handle.path[: len(index.handle.path) - len(old_suffix)] + new_suffix)
        for handle in reversed(self.handles):
            handle.rename(handle.path[: len(handle.path) - len(old_suffix)] + new_suffix)

    def sync(self) -> None:
        """Make everything in here durable."""
        self.sync_log()
        self.sync_indexes()

    def sync_log(self) -> None:
        """Make the batches durable; the indexes of the active segment are rebuilt after a crash."""
        self.log.file().sync()
        self.is_cut = False

    def sync_indexes(self) -> None:
        """Make the indexes durable, as from a clean close or the next recovery point on they are trusted."""
        self.offset_index.sync()
        self.time_index.sync()
        self.transaction_index.sync()


def _last_offset(window: memoryview, at: int) -> int:
    base_offset, _, last_offset_delta = _WALK.unpack_from(window, at)
    last_offset: int = base_offset + last_offset_delta
    return last_offset
