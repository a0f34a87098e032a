"""A partition's log: segments in a row, records in the order of their offsets.

What changes is published by single stores: the active segment's state by an append, the map of segments by a roll or a
deletion (copied, changed, stored).  So reading takes no lock, and an exception between any two bytecodes leaves either
the old log or the new one.  Whatever changes the log (append, roll, truncate, advance_log_start, close) must be called
by one thread at a time, which the partition's lock sees to; :meth:`Log.flush` is called without it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from embedkafka.errors import KafkaStorageError, OffsetOutOfRangeError
from embedkafka.files import HandleCache
from embedkafka.model import TopicPartition
from embedkafka.record import BatchHeader, patch_offsets
from embedkafka.record.format import MAX_SEQUENCE
from embedkafka.storage import cleaner, metadata, retention, validation
from embedkafka.storage.config import LONG_MAX, LogConfig
from embedkafka.storage.epochs import LeaderEpochs
from embedkafka.storage.health import NO_SPACE_ERRNOS, DirectoryHealth, DirectoryUsage
from embedkafka.storage.loader import load_segments
from embedkafka.storage.names import partition_folder
from embedkafka.storage.parent import ParentFolder
from embedkafka.storage.plain import PlainLimits, SealedRecords
from embedkafka.storage.producer_state import ProducerState, Verification, WrittenBatch
from embedkafka.storage.producers import Producers
from embedkafka.storage.retention import SegmentFacts
from embedkafka.storage.segment import PlacedBatch, Segment
from embedkafka.storage.segments import SegmentMap
from embedkafka.storage.tail import Tail
from embedkafka.storage.transaction_index import AbortedTransaction

_log = logging.getLogger(__name__)

_NO_LOCK: AbstractContextManager[object] = nullcontext()


class AppendOrigin(Enum):
    """Where batches come from (``org.apache.kafka.storage.internals.log.AppendOrigin``)."""

    CLIENT = "client"
    COORDINATOR = "coordinator"
    REPLICATION = "replication"


class AppendInfo(NamedTuple):
    """Where an append went.

    ``log_append_time_ms`` is -1 with CreateTime.  ``rolled`` tells that a segment was closed, so that
    :meth:`Log.flush_closed` has something to do; ``flush_due`` that ``flush.messages`` unflushed records are there.
    ``is_duplicate``: nothing was appended, the offsets are those of the append that this one repeats.
    """

    base_offset: int
    last_offset: int
    log_append_time_ms: int
    max_timestamp: int
    size_bytes: int
    rolled: bool
    flush_due: bool
    is_duplicate: bool = False


class FoundRecord(NamedTuple):
    """The answer to a search by timestamp."""

    offset: int
    timestamp: int
    leader_epoch: int


def _info_of(duplicate: WrittenBatch, log_append_time_ms: int) -> AppendInfo:
    """What the first append of a batch has answered."""
    append_time_ms = duplicate.timestamp if log_append_time_ms >= 0 else -1
    return AppendInfo(
        duplicate.base_offset, duplicate.last_offset, append_time_ms, duplicate.timestamp, 0, False, False, True
    )


class Log:
    """One partition's log on one broker.  Made by :meth:`open`; nothing is on disk before the first append."""

    def __init__(
        self,
        handles: HandleCache,
        folder: str,
        topic_partition: TopicPartition,
        config: LogConfig,
        *,
        topic_id: UUID | None,
        health: DirectoryHealth,
        usage: DirectoryUsage,
        parent: ParentFolder,
        checkpoint: Callable[[], None],
        log_start_offset: int,
        recovery_point: int,
        now_ms: int,
        read_only: bool = False,
    ) -> None:
        self.handles = handles
        self.folder = folder
        self.topic_partition = topic_partition
        self.config = config
        self.topic_id = topic_id
        self.health = health
        self.usage = usage
        self._parent = parent
        self.checkpoint = checkpoint
        self._number_in_parent = 0  # of the folder, once it was made here
        self.read_only = read_only
        self.log_start_offset = log_start_offset
        self.recovery_point = recovery_point
        self._durable_segments_end = 0  # before it indexes are durable, too
        self.last_flush_ms = now_ms
        self.leader_epochs = LeaderEpochs(handles.files, folder)
        self.producers = Producers(self)
        self._producer_state = self.producers.state
        self._tail = Tail(config.tail_bytes)
        self._segments = SegmentMap()
        self._active: Segment | None = None
        self._plain: PlainLimits | None = None
        self._unpublished: Segment | None = None  # being made by a roll
        self._closed = False
        self._names_to_sync = False  # files were made whose names are not durable yet
        self._metadata_to_sync = False
        self._flush_lock = threading.Lock()

    @classmethod
    def open(
        cls,
        handles: HandleCache,
        parent: ParentFolder | str,
        topic_partition: TopicPartition,
        config: LogConfig,
        *,
        now_ms: int,
        topic_id: UUID | None = None,
        clean: bool = False,
        recovery_point: int = 0,
        log_start_offset: int = 0,
        health: DirectoryHealth | None = None,
        usage: DirectoryUsage | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        read_only: bool = False,
    ) -> Log:
        """Open a partition's log, recovering it where the last close was not clean.

        Args:
            parent: the broker's folder; the log's own is ``<parent>/<topic>-<partition>``.
            now_ms: wall clock, milliseconds since the epoch.
            clean: the directory was closed cleanly: nothing is scanned, whatever its size.
            recovery_point: offset up to which the log is known to be whole; what is behind is scanned.
            log_start_offset: the first offset that may be read, from the checkpoint.
            health: shared by the logs of a data directory.
            checkpoint: makes the recovery point durable; called before a compaction makes gaps below it.
            read_only: change nothing, for a tool beside a live owner; what is behind the last whole batch is ignored.

        Raises:
            KafkaStorageError: the files cannot be read.
        """
        if isinstance(parent, str):
            parent = ParentFolder(handles.files, parent)
        log = cls(
            handles,
            handles.files.join(parent.path, partition_folder(topic_partition)),
            topic_partition,
            config,
            topic_id=topic_id,
            health=health or DirectoryHealth(parent.path),
            usage=usage or DirectoryUsage(),
            parent=parent,
            checkpoint=checkpoint,
            log_start_offset=log_start_offset,
            recovery_point=recovery_point,
            now_ms=now_ms,
            read_only=read_only,
        )
        loaded = load_segments(log, clean=clean, now_ms=now_ms)
        log._segments = SegmentMap(loaded.segments)
        if loaded.segments:
            log._active = loaded.segments[-1]
            log.producer_state()  # replays batches where a snapshot was damaged
            log.usage.add(log.size_bytes)
            log.log_start_offset = max(log_start_offset, loaded.segments[0].base_offset)
            if not clean and not read_only:
                log._repair_metadata()
            if log.end_offset < log_start_offset and not read_only:
                log._start_over()
        if log._active is None:
            log._producer_state.end_offset = log.log_start_offset
        is_whole = clean or log._active is None
        log.recovery_point = log.end_offset if is_whole else min(recovery_point, log.end_offset)
        log._durable_segments_end = log.recovery_point
        log._names_to_sync |= loaded.names_changed
        return log

    # State -------------------------------------------------------------------------------------------------------

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""
        active = self._active
        return self.log_start_offset if active is None else active.state.next_offset

    @property
    def last_stable_offset(self) -> int:
        """Every transaction that has records before this offset is decided; the end without open transactions."""
        # In this order: a transaction is noted before its first batch is published.
        end_offset = self.end_offset
        first_unstable = self._producer_state.first_unstable_offset
        return end_offset if first_unstable >= end_offset else max(first_unstable, self.log_start_offset)

    @property
    def recovery_checkpoint(self) -> int:
        """What to write to the recovery point's checkpoint: recovery scans from the segment that holds it.

        A flush leaves the indexes of the active segment to recovery, so until that segment is closed and flushed the
        last flushed offset is named instead of the one behind it, which may be the next segment's.
        """
        recovery_point = self.recovery_point
        return recovery_point if recovery_point <= self._durable_segments_end else recovery_point - 1

    @property
    def size_bytes(self) -> int:
        """Bytes of record batches in all segments."""
        return sum(segment.state.size_bytes for segment in self._segments)

    @property
    def segments(self) -> Sequence[Segment]:
        """The segments in order, the active one last; a snapshot."""
        return self._segments.values

    def segments_from(self, offset: int) -> Iterator[Segment]:
        """The segment that would hold ``offset`` and all behind it."""
        return self._segments.from_offset(offset)

    @property
    def active_segment(self) -> Segment | None:
        """The segment that is appended to; None before the first append."""
        return self._active

    # Appending ---------------------------------------------------------------------------------------------------

    def append(
        self,
        records: bytearray | memoryview | bytes,
        *,
        leader_epoch: int,
        now_ms: int,
        trusted: bool = False,
        origin: AppendOrigin = AppendOrigin.CLIENT,
        verification: Verification | None = None,
        transaction_version: int = 2,
    ) -> AppendInfo:
        """Append whole batches: give them their offsets, write them at the published end, publish them.

        ``records`` belongs to the log from here on; it is patched in place where it is writable and may be kept.

        Args:
            records: one or more whole batches; base offsets are ignored unless ``origin`` is REPLICATION.
            leader_epoch: written into each batch.
            now_ms: wall clock, milliseconds since the epoch.
            trusted: built by this process's own codec: checksums and records need no second look.
            origin: coordinators may write control batches; replicas keep the leader's offsets and timestamps.
            verification: for the first batch of a transaction, see :meth:`ProducerState.start_verification`.
            transaction_version: which rule a marker's epoch has to follow, see :meth:`ProducerState.prepare`.

        Raises:
            CorruptRecordError: not whole batches, or a checksum that does not hold.
            InvalidRecordError: a record breaks a rule, for one a null key in a compacted topic.
            InvalidTimestampError: a timestamp beyond ``message.timestamp.before.max.ms`` or ``.after.max.ms``.
            MessageSizeTooLargeError: a batch is larger than ``max.message.bytes``.
            OutOfOrderSequenceNumberError, InvalidProducerEpochError, InvalidTxnStateError,
            TransactionCoordinatorFencedError: see :mod:`embedkafka.storage.producer_state`.
            KafkaStorageError: no space, a write error, or the directory is offline.

            Nothing is appended then.
        """
        if self.health.reason is not None:
            self.health.check()
        base_offset = self.end_offset
        state = self.producer_state()
        records, headers, log_append_time_ms = validation.prepare(
            records,
            self.config,
            now_ms=now_ms,
            trusted=trusted,
            from_client=origin is AppendOrigin.CLIENT,
            replicated=origin is AppendOrigin.REPLICATION,
            topic_partition=self.topic_partition,
        )
        has_producers = any(header.producer_id >= 0 for header in headers)
        update = None
        if has_producers:
            if origin is AppendOrigin.CLIENT and (duplicate := self.producers.duplicate_in(headers)) is not None:
                return _info_of(duplicate, log_append_time_ms)
            update = self.producers.prepare(
                records,
                headers,
                base_offset,
                from_client=origin is AppendOrigin.CLIENT,
                replicated=origin is AppendOrigin.REPLICATION,
                verification=verification,
                transaction_version=transaction_version,
            )
        next_offset = base_offset
        batches: list[PlacedBatch] = []
        position = 0
        max_timestamp = -1
        for header in headers:
            if origin is AppendOrigin.REPLICATION:
                next_offset = header.base_offset
            else:
                patch_offsets(records, position, base_offset=next_offset, leader_epoch=leader_epoch)
            size_bytes = header.batch_length + 12
            next_offset += header.last_offset_delta + 1
            if header.max_timestamp > max_timestamp:
                max_timestamp = header.max_timestamp
            batches.append(PlacedBatch(size_bytes, next_offset - 1, header.max_timestamp))
            position += size_bytes
        if origin is AppendOrigin.REPLICATION:
            base_offset = headers[0].base_offset
            leader_epoch = headers[-1].partition_leader_epoch
        self.usage.check_room(position)
        active = self._active
        rolled = False
        if active is None or self._should_roll(active, position, next_offset - 1, max_timestamp, now_ms):
            rolled = active is not None
            active = self._roll(base_offset, now_ms)
        if self.leader_epochs.latest != leader_epoch and leader_epoch >= 0:
            self.leader_epochs.assign(leader_epoch, base_offset)
        if update is not None:
            state.begin(update)
        try:
            active.append(records, batches, self.config.index_interval_bytes)
        except OSError as error:
            if update is not None:
                state.undo(update)
            raise self._write_failed(active, error) from error
        self._remember(records, base_offset, batches)
        self.usage.add(position)
        if update is None:
            state.end_offset = next_offset
        else:
            try:
                self._names_to_sync |= self.producers.complete(update, active, next_offset)
            except OSError as error:
                raise self.health.storage_error(f"writing to {self.folder}", error) from error
        return AppendInfo(
            base_offset,
            next_offset - 1,
            log_append_time_ms,
            max_timestamp,
            position,
            rolled,
            next_offset - self.recovery_point >= self.config.flush_messages,
        )

    def append_plain(self, batches: Sequence[SealedRecords], *, leader_epoch: int, now_ms: int) -> int | None:
        """Append batches of one producer, or of none, the straight way (see :mod:`embedkafka.storage.plain`).

        Args:
            batches: trusted, each of consecutive records, all of one producer's epoch and one transaction or none;
                each follows the one before it, or they are not plain.  Their bytes belong to the log from here on.
            leader_epoch: written into each batch.
            now_ms: wall clock, milliseconds since the epoch.

        Returns:
            The first one's base offset; None where :meth:`append` has to be asked, and nothing was appended.

        Raises:
            KafkaStorageError: no space, or a write error; nothing is appended then.
        """
        active = self._active
        if active is None or not active.state.size_bytes:
            return None
        limits = self._plain_limits(active)
        base_offset = active.state.next_offset
        producers = self._producer_state
        if (
            self.leader_epochs.latest != leader_epoch
            or self.usage.limit_bytes >= 0
            or self.health.reason is not None
            or producers.end_offset != base_offset
        ):
            return None
        first = batches[0]
        producer_id, sequence = first.producer_id, first.base_sequence
        entry = None
        if producer_id >= 0:
            entry = producers.entries.get(producer_id)
            if entry is None or not entry.is_followed_by(first.producer_epoch, sequence, first.is_transactional):
                return None
        parts: list[memoryview] = []
        placed: list[tuple[int, int, int]] = []  # as Segment.publish takes them
        kept: list[tuple[int, int, memoryview]] = []  # as Tail.add takes them
        written: list[WrittenBatch] = []
        end, next_offset = active.state.size_bytes, base_offset
        latest = now_ms + limits.ahead_ms
        for batch in batches:
            records, records_count, max_timestamp = batch.records, batch.records_count, batch.max_timestamp
            size_bytes = len(records)
            offset = next_offset
            next_offset += records_count
            end += size_bytes
            if (
                size_bytes > limits.batch_bytes
                or max_timestamp > limits.timestamp
                or max_timestamp > latest
                or batch.producer_id != producer_id
                or batch.base_sequence != sequence
            ):
                return None
            part = memoryview(records).toreadonly()
            parts.append(part)
            placed.append((size_bytes, next_offset - 1, max_timestamp))
            kept.append((offset, next_offset, part))
            if entry is not None:
                last_sequence = (sequence + records_count - 1) & MAX_SEQUENCE
                written.append(WrittenBatch(last_sequence, next_offset - 1, records_count - 1, max_timestamp))
                sequence = (last_sequence + 1) & MAX_SEQUENCE
        if (
            end > limits.segment_bytes
            or next_offset > limits.next_offset
            or next_offset - self.recovery_point >= limits.unflushed
        ):
            return None
        for batch, (offset, _, _) in zip(batches, kept, strict=True):  # whoever is asked now takes them as they came
            patch_offsets(batch.records, 0, base_offset=offset, leader_epoch=leader_epoch)
        try:
            active.log.write_together(parts, active.state.size_bytes)
        except OSError as error:
            if len(parts) > 1 and error.errno in NO_SPACE_ERRNOS:
                return None  # there may be room for some of them
            raise self._write_failed(active, error) from error
        active.publish(placed, self.config.index_interval_bytes)
        if entry is not None:
            entry.batches.extend(written)
            entry.timestamp = written[-1].timestamp
        producers.end_offset = next_offset  # an interrupt before this is noticed by it, see _settle_producers
        tail = self._tail
        for place in kept:
            tail.add(*place)
        return base_offset

    def takes_promptly(self, size_bytes: int) -> bool:
        """Whether :meth:`append_plain` might take a batch of this size, and nobody syncs that file meanwhile."""
        active = self._active
        return (
            active is not None
            and size_bytes <= self._plain_limits(active).batch_bytes
            and not self._flush_lock.locked()
        )

    def _plain_limits(self, active: Segment) -> PlainLimits:
        limits = self._plain
        if limits is None or limits.segment is not active or limits.config is not self.config:
            limits = self._plain = PlainLimits(active, self.config, self._jitter_ms(active))
        return limits

    def producer_state(self) -> ProducerState:
        """What is known of the log's producers; for whoever may change the log."""
        if self._producer_state.end_offset != self.end_offset:
            self._settle_producers()
        return self._producer_state

    def _settle_producers(self) -> None:
        """Record of producers what an interrupted append has published."""
        try:
            self._names_to_sync |= self.producers.settle(self.end_offset)
        except OSError as error:
            raise self.health.storage_error(f"reading {self.folder}", error) from error

    def _remember(self, records: bytearray | memoryview, base_offset: int, batches: list[PlacedBatch]) -> None:
        view = memoryview(records).toreadonly()
        if len(batches) == 1:
            self._tail.add(base_offset, batches[0].last_offset + 1, view)
            return
        position = 0
        for size_bytes, last_offset, _ in batches:
            self._tail.add(base_offset, last_offset + 1, view[position : position + size_bytes])
            base_offset = last_offset + 1
            position += size_bytes

    def _should_roll(self, active: Segment, size_bytes: int, last_offset: int, max_timestamp: int, now_ms: int) -> bool:
        """Kafka's rule (``LogSegment.shouldRoll``): full, old, an index full, or an offset it cannot express."""
        state = active.state
        config = self.config
        if not active.fits_offset(last_offset):
            return True
        if not state.size_bytes:
            return False
        return (
            state.size_bytes > config.segment_bytes - size_bytes
            or state.index_count >= active.offset_index.max_entries(config.segment_index_bytes)
            or state.time_count >= active.time_index.max_entries(config.segment_index_bytes) - 1
            or self._age_ms(active, max_timestamp, now_ms) > config.segment_ms - self._jitter_ms(active)
        )

    def _age_ms(self, active: Segment, max_timestamp: int, now_ms: int) -> int:
        """How long the segment has taken records: by their own time where they have one, else by the clock."""
        first_timestamp = active.first_timestamp
        if first_timestamp < 0:
            first_timestamp = active.first_batch_timestamp()
        if first_timestamp >= 0:
            return max_timestamp - first_timestamp
        return now_ms - active.created_ms

    def _jitter_ms(self, active: Segment) -> int:
        """Spread over the partitions, so that they do not all roll at once; derived, so that a rerun does the same."""
        limit_ms = min(self.config.segment_jitter_ms, self.config.segment_ms)
        if not limit_ms:
            return 0
        return hash((self.topic_partition.partition, active.base_offset)) % limit_ms

    def roll(self, now_ms: int) -> bool:
        """Close the active segment and start a new one; False when there is nothing in it."""
        self.health.check()
        active = self._active
        if active is None or not active.state.size_bytes:
            return False
        self.producer_state()
        self._roll(active.state.next_offset, now_ms)
        return True

    def _roll(self, base_offset: int, now_ms: int) -> Segment:
        """Start a segment; the old one's bytes are synced by the next flush, before the recovery point moves past."""
        active = self._active
        last = self._segments.values[-1] if self._segments else None
        if last is not None and last is not active:  # a roll that was interrupted had published it
            self._unpublished, self._active = None, last
            return last
        try:
            if active is None:
                self._make_folder()
            else:
                active.finish()
            self._remove_unpublished()
            self.producers.write_snapshot()
            segment = self._unpublished = Segment(self.handles, self.folder, base_offset, created_ms=now_ms)
            self._names_to_sync = True
            segment.create_files()
        except OSError as error:
            raise self.health.storage_error(f"starting a segment in {self.folder}", error) from error
        replaced = [active] if active is not None and not active.state.size_bytes else []
        segments = self._segments
        self._segments = (segments.without(replaced) if replaced else segments).appended(segment)
        self._unpublished = None
        self._active = segment
        for empty in replaced:
            empty.remove()
        return segment

    def _remove_unpublished(self) -> None:
        """Remove the files of a roll that failed or was interrupted before its segment was published."""
        segment, self._unpublished = self._unpublished, None
        if segment is not None and segment not in self._segments:
            segment.remove()

    def _make_folder(self) -> None:
        files = self.handles.files
        if not files.exists(self.folder):
            files.make_dir(self.folder)
            self._number_in_parent = self._parent.made()
        if self.topic_id is not None:
            metadata.write_partition_metadata(files, self.folder, self.topic_id)
            self._metadata_to_sync = True

    def _repair_metadata(self) -> None:
        """Write the topic's id again where a power cut took it."""
        files = self.handles.files
        if self.topic_id is not None and metadata.read_partition_metadata(files, self.folder) is None:
            try:
                metadata.write_partition_metadata(files, self.folder, self.topic_id)
            except OSError as error:
                raise self.health.storage_error(f"opening {self.folder}", error) from error
            self._metadata_to_sync = self._names_to_sync = True

    def _write_failed(self, active: Segment, error: OSError) -> KafkaStorageError:
        if error.errno in NO_SPACE_ERRNOS:
            try:
                active.cut_dead_bytes()  # gives the other partitions what little space there is
            except OSError as second:
                return self.health.fail(f"cutting {active.log.path} back", second)
        return self.health.storage_error(
            f"appending to {active.log.path} at position {active.state.size_bytes}, nothing was appended", error
        )

    # Reading -----------------------------------------------------------------------------------------------------

    def read(
        self, offset: int, *, max_bytes: int, max_offset: int = LONG_MAX, min_one_batch: bool = True
    ) -> list[memoryview]:
        """Whole batches from the one that holds ``offset`` on; the first may begin before it.

        Needs no lock.  At the head of the log these are the batches as they were appended; further back slices of a
        mapped segment, valid as long as they are held.  At most one segment is read at a time.

        Args:
            offset: the first offset wanted, from the log start to the end offset.
            max_bytes: return no more, except for a single larger batch when ``min_one_batch``.
            max_offset: exclusive; batches that reach beyond it are left out.

        Raises:
            OffsetOutOfRangeError: before the log start or behind the end.
            CorruptRecordError: the file does not hold a batch where one should be.
        """
        chunks = self._tail.read(offset, max_bytes, max_offset, min_one_batch)
        if chunks is not None and offset >= self.log_start_offset and self.health.reason is None:
            return chunks
        self.health.check()
        end_offset = self.end_offset
        if not self.log_start_offset <= offset <= end_offset:
            raise OffsetOutOfRangeError(
                f"{self.topic_partition.topic}-{self.topic_partition.partition}: offset {offset} is not within "
                f"{self.log_start_offset} and {end_offset}"
            )
        if offset == end_offset or offset >= max_offset:
            return []
        segments = self._segments
        max_offset = min(max_offset, end_offset)
        for segment in segments.from_offset(offset):
            try:
                found = segment.read(offset, max_bytes=max_bytes, max_offset=max_offset, min_one_batch=min_one_batch)
            except FileNotFoundError:
                if segments is self._segments:
                    raise
                # Retention or compaction has removed it since: look again at what is there now.
                return self.read(offset, max_bytes=max_bytes, max_offset=max_offset, min_one_batch=min_one_batch)
            if found:
                return found
            # Compaction may have emptied the rest of the segment.
        return []

    def has_in_memory(self, offset: int) -> bool:
        """Whether :meth:`read` from this offset needs no file."""
        return offset >= self.end_offset or self._tail.holds(offset)

    def batches(
        self, start_offset: int | None = None, end_offset: int = LONG_MAX
    ) -> Iterator[tuple[BatchHeader, memoryview]]:
        """Header and bytes of every batch from the one that holds ``start_offset`` on.

        Args:
            start_offset: None is the log start.
            end_offset: exclusive; ends before the batch that begins there or later.

        Raises:
            CorruptRecordError: bytes that are not a batch.
            FileNotFoundError: retention or compaction has removed what was to be read next.
        """
        offset = self.log_start_offset if start_offset is None else start_offset
        for segment in self._segments.from_offset(offset):
            for _, header, batch in segment.batches(segment.position_at_or_before(offset)):
                if header.base_offset >= end_offset:
                    return
                if header.last_offset >= offset:
                    yield header, batch

    def aborted_transactions(self, start_offset: int, end_offset: int) -> list[AbortedTransaction]:
        """Transactions that were aborted and overlap a range of offsets (its end exclusive), in order of their ends.

        Needs no lock.  Complete for ranges that end at or before the last stable offset.

        Raises:
            KafkaStorageError: a transaction index cannot be read.
        """
        found: list[AbortedTransaction] = []
        segments = self._segments
        for segment in segments.from_offset(start_offset):
            try:
                some, is_complete = segment.transaction_index.between(start_offset, end_offset)
            except FileNotFoundError:
                if segments is self._segments:
                    raise
                return self.aborted_transactions(start_offset, end_offset)  # removed or compacted since
            found += some
            if is_complete:
                break
        return found

    def offset_for_timestamp(self, timestamp: int) -> FoundRecord | None:
        """The first record at or after a time; None when all are older.

        Cost: one search in a segment's time index, then the batches of about ``index.interval.bytes``.
        """
        self.health.check()
        start_offset = self.log_start_offset
        segments = self._segments
        try:
            for segment in segments:
                if segment.max_timestamp() >= timestamp:
                    found = segment.offset_for_timestamp(timestamp, start_offset)
                    if found is not None:
                        return FoundRecord(*found)
        except FileNotFoundError:
            if segments is self._segments:
                raise
            return self.offset_for_timestamp(timestamp)  # a segment was removed or replaced meanwhile
        return None

    def offset_of_max_timestamp(self) -> FoundRecord | None:
        """The first record that has the largest timestamp of all (KIP-734); None in an empty log."""
        self.health.check()
        largest_timestamp = max((segment.max_timestamp() for segment in self._segments), default=-1)
        return None if largest_timestamp < 0 else self.offset_for_timestamp(largest_timestamp)

    # Durability --------------------------------------------------------------------------------------------------

    def flush(self) -> int:
        """Make everything that is published now durable and return the recovery point.

        Called without the partition's lock.  One sync is shared by everyone who waits for it: whoever comes while one
        runs waits for its end, and finds most often that the next one has covered him.

        Raises:
            KafkaStorageError: the sync failed; the directory is offline.
        """
        return self._flush(self.end_offset)

    def flush_closed(self) -> int:
        """Make the segments before the active one durable, as is due after a roll; see :meth:`flush`."""
        active = self._active
        return self.recovery_point if active is None else self._flush(active.base_offset)

    def _flush(self, wanted: int, *, close: bool = False) -> int:
        if wanted <= self.recovery_point and not close:
            return self.recovery_point
        with self._flush_lock:
            if wanted <= self.recovery_point and not close:
                return self.recovery_point
            self.health.check()
            active = self._active
            if active is None:
                return self.recovery_point  # deleted meanwhile
            # Whoever waits behind this one is covered, if what he waits for is in the same segment.
            offset = self.end_offset if wanted > active.base_offset else active.base_offset
            try:
                self._sync_segments(active, offset)
                if close:
                    active.sync_indexes()
                self._sync_names()
            except OSError as error:
                raise self.health.fail(f"syncing {self.folder}", error) from error
            self._durable_segments_end = offset if close else active.base_offset
            self.recovery_point = max(offset, self.recovery_point)
            return self.recovery_point

    def _sync_segments(self, active: Segment, offset: int) -> None:
        for segment in self._segments.from_offset(self.recovery_checkpoint):
            if segment is active:
                if active.is_cut or offset > max(self.recovery_point, active.base_offset):
                    segment.sync_log()  # its indexes are rebuilt after a crash
                return
            try:
                segment.sync()
            except FileNotFoundError:
                if segment in self._segments:
                    raise

    def _sync_names(self) -> None:
        names_to_sync, self._names_to_sync = self._names_to_sync, False  # a roll may raise it again from now on
        try:
            if not self.leader_epochs.write() and not names_to_sync:
                return
            self.producers.snapshots.sync()
            if self._metadata_to_sync:
                metadata.sync_partition_metadata(self.handles.files, self.folder)
                self._metadata_to_sync = False
            self.handles.files.sync_dir(self.folder)
            if self._number_in_parent:
                self._parent.sync(self._number_in_parent)
                self._number_in_parent = 0
        except BaseException:
            self._names_to_sync = True
            raise

    @property
    def is_durable(self) -> bool:
        """Whether closing has nothing to sync."""
        return self._active is None or (
            self.recovery_point == self.end_offset and not self._names_to_sync and not self.producers.needs_snapshot
        )

    # Shortening --------------------------------------------------------------------------------------------------

    def advance_log_start(self, offset: int) -> None:
        """Let records before ``offset`` be gone (DeleteRecords); their segments go with the next retention.

        Raises:
            OffsetOutOfRangeError: behind the end of the log.
        """
        self.health.check()
        if offset > self.end_offset:
            raise OffsetOutOfRangeError(f"log start {offset} lies behind the end {self.end_offset}")
        if offset > self.log_start_offset:
            self.log_start_offset = offset
            self.leader_epochs.truncate_from_start(offset)

    def segment_facts(self, *, timestamps_from: int = LONG_MAX) -> list[SegmentFacts]:
        """What the planners ask for; ``first_timestamp`` only of segments that end behind ``timestamps_from``."""
        segments = self._segments
        facts = []
        for index, segment in enumerate(segments):
            end_offset = segments.end_offset_of(index)
            largest_timestamp = segment.max_timestamp()
            facts.append(
                SegmentFacts(
                    segment.base_offset,
                    end_offset,
                    segment.state.size_bytes,
                    largest_timestamp if largest_timestamp >= 0 else segment.created_ms,
                    segment.index_bytes,
                    segment.first_batch_timestamp() if end_offset > timestamps_from else -1,
                )
            )
        return facts

    def plan_retention(self, now_ms: int) -> retention.RetentionPlan | None:
        """What retention would do now; None when nothing."""
        return retention.plan(
            self.segment_facts(),
            self.config,
            log_start_offset=self.log_start_offset,
            high_watermark=self.end_offset,
            now_ms=now_ms,
        )

    def delete_old_segments(self, now_ms: int, *, lock: AbstractContextManager[object] = _NO_LOCK) -> int:
        """Plan and apply retention; returns how many bytes were removed.

        Args:
            now_ms: wall clock, milliseconds since the epoch.
            lock: the partition's lock, taken for what happens in memory and not while files are removed.

        Raises:
            KafkaStorageError: an error of the device; the directory is offline.
        """
        with lock:
            plan = self.plan_retention(now_ms)
            removed = [] if plan is None else self.retire_segments(plan, now_ms)
        if removed:
            try:
                for segment in removed:
                    segment.remove()
                self.producers.snapshots.remove(segment.base_offset for segment in removed)
                self.handles.files.sync_dir(self.folder)
            except OSError as error:
                raise self.health.fail(f"removing segments of {self.folder}", error) from error
        return sum(segment.state.size_bytes for segment in removed)

    def retire_segments(self, plan: retention.RetentionPlan, now_ms: int) -> list[Segment]:
        """Do what retention has planned in memory; returns the segments whose files are to be removed."""
        self.health.check()
        if plan.roll:
            self.roll(now_ms)
        self.advance_log_start(plan.log_start_offset)
        removed = [segment for segment in self._segments if segment.base_offset in plan.remove]
        self._segments = self._segments.without(removed)
        self._tail.clear()
        for segment, reason in zip(removed, plan.reasons, strict=True):
            _log.info("%s: removing %r: %s", self.folder, segment, reason)
        self.usage.add(-sum(segment.state.size_bytes for segment in removed))
        return removed

    def plan_cleaning(self, cleaned_offset: int | None, now_ms: int) -> cleaner.CleaningPlan | None:
        """What compaction would do now (see :func:`embedkafka.storage.compaction.clean`); None when nothing.

        Args:
            cleaned_offset: where the last cleaning ended, None before the first.
        """
        overdue_matters = self.config.max_compaction_lag_ms < LONG_MAX
        first_dirty = self.log_start_offset if cleaned_offset is None else cleaned_offset
        return cleaner.plan(
            self.segment_facts(timestamps_from=first_dirty if overdue_matters else LONG_MAX),
            self.config,
            cleaned_offset=cleaned_offset,
            log_start_offset=self.log_start_offset,
            last_stable_offset=self.last_stable_offset,
            now_ms=now_ms,
        )

    def publish_cleaned(self, group: Sequence[Segment], cleaned: Segment) -> None:
        """Let a compacted segment take the place of those it was made from; their files are the caller's to remove."""
        self._segments = self._segments.replaced(group, cleaned)
        self._tail.clear()  # it may still hold what was compacted away
        self.usage.add(cleaned.size_bytes - sum(segment.size_bytes for segment in group))

    def truncate_to(self, offset: int) -> None:
        """Cut the log so that ``offset`` is its end, or the batch that holds it begins there.

        Files are not shortened under a mapping: a mapped one is copied, and readers keep the old one.  Must not be
        interrupted by an exception half-way, so it is for the engine's own threads; write the checkpoints after it.

        Raises:
            KafkaStorageError: an error of the device; the directory is offline.
        """
        self.health.check()
        active = self._active
        if active is None or offset >= self.end_offset:
            return
        try:
            self._truncate_to(max(offset, self.log_start_offset))
        except OSError as error:
            raise self.health.fail(f"truncating {self.folder}", error) from error

    def _truncate_to(self, offset: int) -> None:
        size_before = self.size_bytes
        removed = [segment for segment in self._segments.values[1:] if segment.base_offset >= offset]
        segments = self._segments.without(removed)
        active = segments.values[-1]
        active.truncate_to(offset)
        self._tail.clear()
        self._segments = segments
        self._active = active
        self.log_start_offset = min(self.log_start_offset, active.state.next_offset)
        self.recovery_point = min(self.recovery_point, active.state.next_offset)
        self._durable_segments_end = min(self._durable_segments_end, active.base_offset)
        self.leader_epochs.truncate_from_end(active.state.next_offset)
        for segment in reversed(removed):  # from the end, so that a crash leaves no gap
            segment.remove()
        self.producers.truncate_to(self.end_offset)
        self.handles.files.sync_dir(self.folder)
        self.usage.add(self.size_bytes - size_before)

    def _start_over(self) -> None:
        """Remove what lies before the log start when that is everything, as when a crash has cut the log that far."""
        segments, self._segments, self._active = self._segments, SegmentMap(), None
        _log.warning("%s: removing all %d bytes, which lie before the log start", self.folder, self.size_bytes)
        try:
            for segment in segments:
                segment.remove()
            self.producers.snapshots.remove_after(-1)
        except OSError as error:
            raise self.health.fail(f"removing segments of {self.folder}", error) from error
        self._producer_state.reset(self.log_start_offset)
        self._names_to_sync = True

    # Ending ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Complete the indexes, make everything durable, let go of all files.

        Raises:
            KafkaStorageError: a sync failed; this was not a clean close.
        """
        if self._closed:
            return
        try:
            if self._active is not None and self.health.reason is None and not self.read_only:
                self._finish_cleanly(self._active)
            self._closed = True
        finally:
            for segment in self._segments:
                segment.release()
            self._tail.clear()

    def discard(self) -> None:
        """Let go of all files without making anything durable: the log is about to be deleted."""
        with self._flush_lock:  # a sync that is running ends first; one that comes later finds nothing to do
            segments, self._segments, self._active = self._segments, SegmentMap(), None
        for segment in segments:
            segment.release()
            self.usage.add(-segment.state.size_bytes)
        self._tail.clear()

    def _finish_cleanly(self, active: Segment) -> None:
        try:
            self._remove_unpublished()
            active.finish()
            active.cut_dead_bytes()
            self._settle_producers()
            if self.producers.write_snapshot():
                self.producers.remove_strays()
                self._names_to_sync = True
        except OSError as error:
            raise self.health.storage_error(f"closing {self.folder}", error) from error
        self._flush(self.end_offset, close=True)
