"""Opening a partition's folder (``org.apache.kafka.storage.internals.log.LogLoader``).

1. What an interrupted deletion, compaction or swap has left is finished or undone (:mod:`leftovers`).
2. The segments are listed; sizes come from the folder, so closed ones are not opened.
3. After a clean close that is all, but for the end of the last segment: nothing is scanned, whatever its size.
4. After a crash every segment from the one that holds the recovery point on is scanned: checksums are checked, the log
   is cut behind the last whole batch, indexes are rebuilt and later segments removed.  What is cut is logged in bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedkafka.errors import CorruptRecordError
from embedkafka.record import verify_checksum
from embedkafka.storage import leftovers
from embedkafka.storage.index import OFFSET_ENTRY, TIME_ENTRY
from embedkafka.storage.names import (
    CLEANED_SUFFIX,
    LOG_SUFFIX,
    OFFSET_INDEX_SUFFIX,
    TIME_INDEX_SUFFIX,
    TXN_INDEX_SUFFIX,
    parse_segment_file,
    segment_name,
)
from embedkafka.storage.segment import UNKNOWN, PlacedBatch, Segment, SegmentState
from embedkafka.storage.transaction_index import ENTRY as TXN_ENTRY

if TYPE_CHECKING:
    from embedkafka.storage.log import Log

_log = logging.getLogger(__name__)

_PUBLISHED_TOGETHER = 4096  # batches; bounds the memory of a scan


@dataclass
class Loaded:
    """The segments found, and whether names in the folder were changed and are not yet durable."""

    segments: list[Segment]
    names_changed: bool


def load_segments(log: Log, *, clean: bool, now_ms: int) -> Loaded:
    """Open and where necessary recover the segments of a log.

    Raises:
        KafkaStorageError: the folder cannot be read or repaired.
    """
    try:
        loader = _Loader(log, now_ms)
        return loader.look() if log.read_only else loader.load(clean)
    except OSError as error:
        raise log.health.fail(f"opening {log.folder}", error) from error


class _Loader:
    def __init__(self, log: Log, now_ms: int) -> None:
        self._log = log
        self._files = log.handles.files
        self._now_ms = now_ms
        self._names_changed = False

    def load(self, clean: bool) -> Loaded:
        log = self._log
        self._names_changed = leftovers.clean_up(log.handles, log.folder)
        sizes = self._files.list_sizes(log.folder)
        segments = self._list_segments(sizes)
        log.producers.snapshots.note(sizes)
        log.leader_epochs.load()
        if not segments:
            return Loaded([], self._names_changed)
        if clean:
            self._repair_indexes(segments, sizes)
        else:
            segments = self._recover(segments, sizes)
        self._activate(segments[-1])
        end_offset = segments[-1].state.next_offset
        if clean:
            log.producers.load(segments[0].base_offset, end_offset, empty_at=end_offset)
        else:
            log.leader_epochs.truncate_from_end(end_offset)
        return Loaded(segments, self._names_changed)

    def look(self) -> Loaded:
        """Open without changing anything: the last segment is scanned for its last whole batch, indexes unused."""
        sizes = self._files.list_sizes(self._log.folder)
        segments = self._list_segments(sizes)
        for segment in segments:
            if segment is segments[-1] or not segment.state.index_count:
                self._scan(segment)
        if segments:
            producers, last = self._log.producers, segments[-1]
            producers.snapshots.note(sizes)
            producers.load(segments[0].base_offset, last.state.next_offset, empty_at=last.base_offset)
        return Loaded(segments, False)

    def _list_segments(self, sizes: dict[str, int]) -> list[Segment]:
        log = self._log
        segments = []
        for name in sorted(sizes):
            parsed = parse_segment_file(name)
            if parsed is None or parsed[2]:
                continue
            base_offset, kind, _ = parsed
            stem = segment_name(base_offset)
            if kind != LOG_SUFFIX:
                if stem + LOG_SUFFIX not in sizes and not log.read_only:
                    _log.warning("%s: removing %s, whose segment is gone", log.folder, name)
                    self._files.unlink(self._files.join(log.folder, name))
                    self._names_changed = True
                continue
            index_bytes = sizes.get(stem + OFFSET_INDEX_SUFFIX, 0)
            time_bytes = sizes.get(stem + TIME_INDEX_SUFFIX, 0)
            state = SegmentState(
                sizes[name],
                UNKNOWN,
                UNKNOWN,
                UNKNOWN,
                0,
                index_bytes // OFFSET_ENTRY.size,
                time_bytes // TIME_ENTRY.size,
            )
            segments.append(
                Segment(
                    log.handles,
                    log.folder,
                    base_offset,
                    created_ms=self._now_ms,
                    state=state,
                    aborted_count=sizes.get(stem + TXN_INDEX_SUFFIX, 0) // TXN_ENTRY.size,
                    read_only=log.read_only,
                )
            )
        return segments

    # Clean -------------------------------------------------------------------------------------------------------

    def _repair_indexes(self, segments: list[Segment], sizes: dict[str, int]) -> None:
        """Rebuild what somebody removed or damaged while the directory was closed, as Kafka's sanity checks do."""
        for segment in segments:
            stem = segment_name(segment.base_offset)
            problem = None
            if stem + OFFSET_INDEX_SUFFIX not in sizes or stem + TIME_INDEX_SUFFIX not in sizes:
                problem = "an index file is missing"
            elif (
                sizes[stem + OFFSET_INDEX_SUFFIX] % OFFSET_ENTRY.size
                or sizes[stem + TIME_INDEX_SUFFIX] % TIME_ENTRY.size
            ):
                problem = "an index file does not consist of whole entries"
            elif segment is segments[-1]:
                problem = segment.offset_index.check(
                    segment.state.index_count, segment.base_offset
                ) or segment.time_index.check(segment.state.time_count, segment.base_offset)
            if problem is not None:
                _log.warning("%s: %s; rebuilding", segment.log.path, problem)
                self._rebuild_indexes(segment)

    def _rebuild_indexes(self, segment: Segment) -> None:
        """Write new indexes beside the old ones and replace those when the new are durable.

        A crash in between leaves the old ones, which are still found to be damaged.  The log file is not touched:
        bytes in it that are not a batch are an error for those who come to read them.
        """
        scratch = Segment(
            self._log.handles,
            self._log.folder,
            segment.base_offset,
            created_ms=segment.created_ms,
            suffix=CLEANED_SUFFIX,
        )
        indexes = (scratch.time_index, scratch.offset_index)
        for index in indexes:
            self._files.open(index.handle.path, create=True)
        batches: list[PlacedBatch] = []
        try:
            for _, header in segment.headers():
                batches.append(PlacedBatch(header.size_bytes, header.last_offset, header.max_timestamp))
        except CorruptRecordError as error:
            _log.warning("%s", error)
        scratch.publish(batches, self._log.config.index_interval_bytes)
        scratch.finish()
        scratch.sync_indexes()
        segment.release()
        for index in indexes:
            index.handle.rename(index.handle.path.removesuffix(CLEANED_SUFFIX))
        segment.offset_index, segment.time_index = scratch.offset_index, scratch.time_index
        is_whole = scratch.size_bytes == segment.size_bytes
        segment.state = scratch.state._replace(
            size_bytes=segment.size_bytes, next_offset=scratch.state.next_offset if is_whole else UNKNOWN
        )
        self._names_changed = True

    def _activate(self, segment: Segment) -> None:
        """Find out where the last segment ends and what its largest timestamp is; reads the last few kilobytes."""
        try:
            segment.next_offset()
        except CorruptRecordError as error:
            _log.warning("%s: %s; scanning", segment.log.path, error)
            self._scan(segment)
        segment.max_timestamp()

    # After a crash -------------------------------------------------------------------------------------------------

    def _recover(self, segments: list[Segment], sizes: dict[str, int]) -> list[Segment]:
        first = 0
        for index, segment in enumerate(segments):
            if segment.base_offset <= self._log.recovery_point:
                first = index
        # What lies before is whole, but a crash between two renames of a compaction can have cost it an index.
        self._repair_indexes(segments[:first], sizes)
        self._recover_producers(segments[:first], segments[first].base_offset)
        recovered = segments[:first]
        for index in range(first, len(segments)):
            segment = segments[index]
            if index > first and not self._follows(segment, recovered[-1].state.next_offset):
                if not segment.size_bytes:
                    self._remove([segment], "it was never used")
                    continue
                self._remove(segments[index:], f"the segment before ends at {recovered[-1].state.next_offset}")
                break
            recovered.append(segment)
            self._log.producers.state.end_offset = segment.base_offset
            self._names_changed |= index > first and self._log.producers.write_snapshot()
            if self._scan(segment, replays=True):
                self._remove(segments[index + 1 :], "they lie behind the cut")
                break
        self._log.producers.state.end_offset = recovered[-1].state.next_offset
        return recovered

    def _recover_producers(self, segments: Sequence[Segment], end_offset: int) -> None:
        """What is known of producers before the first segment that is scanned.

        A flush makes the snapshot at the start of that segment durable before the recovery point moves there, so where
        there is none, no producer had written until then.
        """
        producers = self._log.producers
        self._names_changed |= producers.snapshots.remove_after(end_offset)
        start_offset = segments[0].base_offset if segments else end_offset
        producers.load(start_offset, end_offset, empty_at=end_offset)
        known_to = producers.state.end_offset
        ends = [*(segment.base_offset for segment in segments[1:]), end_offset]
        for segment, segment_end in zip(segments, ends, strict=False):
            if known_to < segment_end:
                for _, header, batch in segment.batches():
                    if header.base_offset >= known_to:
                        self._names_changed |= producers.replay(header, batch, segment)

    def _follows(self, segment: Segment, end_offset: int) -> bool:
        """Whether a segment may come after one that ends at ``end_offset``.

        An overlap is left by an interrupted roll.  A gap means that a power cut took what was between, except in a
        compacted log: a replica of one gets its leader's gaps.
        """
        if segment.base_offset > end_offset:
            return self._log.config.is_compacted
        return segment.base_offset == end_offset

    def _remove(self, segments: list[Segment], reason: str) -> None:
        for segment in segments:
            _log.warning("%s: removing %d bytes: %s", segment.log.path, segment.size_bytes, reason)
            segment.remove()
            self._names_changed = True

    def _scan(self, segment: Segment, *, replays: bool = False) -> int:
        """Read every batch, rebuild the indexes, cut behind the last whole one; returns how many bytes were cut.

        Args:
            replays: record what the batches tell of their producers, and rebuild the transaction index, too.
        """
        log = self._log
        if replays:
            segment.transaction_index.clear()
        found_bytes = segment.state.size_bytes
        self._reset(segment)
        batches: list[PlacedBatch] = []
        expected_offset = segment.base_offset
        reason = "cut off"
        try:
            for _, header, batch in segment.batches(size_bytes=found_bytes):
                verify_checksum(batch, 0, header)
                if header.base_offset < expected_offset or not segment.fits_offset(header.last_offset):
                    reason = f"found offset {header.base_offset}, expected {expected_offset} or a little more"
                    break
                batches.append(PlacedBatch(header.size_bytes, header.last_offset, header.max_timestamp))
                if header.partition_leader_epoch > log.leader_epochs.latest:
                    log.leader_epochs.assign(header.partition_leader_epoch, header.base_offset)
                expected_offset = header.next_offset
                if replays and header.producer_id >= 0:
                    self._names_changed |= log.producers.replay(header, batch, segment)
                if len(batches) == _PUBLISHED_TOGETHER:
                    segment.publish(batches, log.config.index_interval_bytes)
                    batches.clear()
        except CorruptRecordError as error:
            reason = str(error.args[0])
        segment.publish(batches, log.config.index_interval_bytes)
        size_bytes = segment.state.size_bytes
        cut_bytes = found_bytes - size_bytes
        if not log.read_only:
            if cut_bytes:
                _log.warning("%s: cut %d bytes at position %d: %s", segment.log.path, cut_bytes, size_bytes, reason)
                segment.shorten_file(size_bytes)
            segment.finish()
        return cut_bytes

    def _reset(self, segment: Segment) -> None:
        segment.reset()
        if self._log.read_only:
            segment.offset_index.forget()
            segment.time_index.forget()
        else:
            if not all(self._files.exists(path) for path in segment.paths):
                segment.create_files()
                self._names_changed = True
            segment.offset_index.truncate(0)
            segment.time_index.truncate(0)
