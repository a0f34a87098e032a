"""Compaction of a log: for every key only the last record stays (``org.apache.kafka.storage.internals.log.Cleaner``).

One pass collects the last offset of every key in the dirty part.  Then each group of segments is copied into a new one,
leaving out what has a later record with the same key, and the new segment takes the place of the group:

1. ``<base>.log.cleaned`` and its indexes are written and synced.            a crash: removed, nothing has happened
2. They are renamed to ``.swap``, which is synced.                           a crash: the replacement is completed
3. The log publishes the new segment instead of the group; the old files are removed, which is synced.
4. ``.swap`` is renamed away.

Offsets never change.  A tombstone (null value) stays for ``delete.retention.ms`` after the first cleaning that has met
it, so that a reader who started before learns of the deletion: that moment is written into the batch as its delete
horizon (KIP-534).  The last batch of the cleaned range stays even when it is empty, so that the range does not shrink,
and so does one that holds a producer's last sequence number, or its last marker where it has none.  What remains of
transactions is up to :mod:`cleaned_transactions`.

Everything that is cleaned lies below the durable recovery point, which is moved first.  The work is a generator that
stops after every step and every so many bytes: the housekeeper does other work in between, a test stops for good.
Closing it early leaves the log as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from embedkafka.record import BatchHeader, Record, decode_batch, encode_batch, read_header
from embedkafka.storage import cleaner
from embedkafka.storage.cleaned_transactions import CleanedTransactions
from embedkafka.storage.names import CLEANED_SUFFIX, SWAP_SUFFIX
from embedkafka.storage.producers import marker_of
from embedkafka.storage.segment import PlacedBatch, Segment

if TYPE_CHECKING:
    from embedkafka.storage.log import Log

_log = logging.getLogger(__name__)

DEFAULT_MAX_KEYS = 1_000_000  # about 150 MB; Kafka's default buffer of 128 MiB takes 4.8 million hashes
_TURN_BYTES = 1 << 20
_LONG_KEY_BYTES = 32


@dataclass
class CleaningStats:
    """What a cleaning has done so far; ``end_offset`` is what to write to the cleaner's checkpoint at its end."""

    end_offset: int = -1
    bytes_before: int = 0
    bytes_after: int = 0
    records_before: int = 0
    records_after: int = 0


class OffsetMap:
    """The last offset of every key; long keys are kept as a hash of 128 bits, as Kafka does with all."""

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._offsets: dict[bytes, int] = {}
        self.latest_offset = -1

    @property
    def is_full(self) -> bool:
        return len(self._offsets) >= self._max_keys

    def put(self, key: bytes, offset: int) -> None:
        """Note that ``key`` occurs at ``offset``, which is behind all noted before."""
        self._offsets[_shortened(key)] = offset

    def get(self, key: bytes) -> int:
        """The last offset of ``key``, -1 when it does not occur."""
        return self._offsets.get(_shortened(key), -1)


def _shortened(key: bytes) -> bytes:
    return key if len(key) <= _LONG_KEY_BYTES else b"#" + blake2b(key, digest_size=16).digest()


def clean(
    log: Log,
    plan: cleaner.CleaningPlan,
    *,
    now_ms: int,
    lock: AbstractContextManager[object],
    stats: CleaningStats | None = None,
    max_keys: int = DEFAULT_MAX_KEYS,
) -> Iterator[str]:
    """Clean a log step by step; each step's name is yielded after it is done.

    Args:
        plan: from :meth:`Log.plan_cleaning`.
        now_ms: wall clock, milliseconds since the epoch; sets and tests delete horizons.
        lock: the partition's lock; taken for the moment in which segments are replaced.
        stats: filled in; after the last step ``stats.end_offset`` is where the next cleaning begins.
        max_keys: keys held in memory; when there are more, the rest is left to the next cleaning.

    Raises:
        KafkaStorageError: no space (the log is as it was), or the directory goes offline.
    """
    stats = stats if stats is not None else CleaningStats()
    return _Cleaning(log, plan, now_ms, lock, stats, max_keys).steps()


class _Cleaning:
    def __init__(
        self,
        log: Log,
        plan: cleaner.CleaningPlan,
        now_ms: int,
        lock: AbstractContextManager[object],
        stats: CleaningStats,
        max_keys: int,
    ) -> None:
        self._log = log
        self._plan = plan
        self._now_ms = now_ms
        self._lock = lock
        self._stats = stats
        self._map = OffsetMap(max_keys)
        self._transactions = CleanedTransactions()
        self._last_of_producers: dict[int, tuple[int, int]] = {}
        self._cleaned: Segment | None = None

    def steps(self) -> Iterator[str]:
        log, plan = self._log, self._plan
        try:
            yield from self._make_durable()
            yield from self._collect_keys()
            end_offset = self._map.latest_offset + 1
            by_offset = {segment.base_offset: segment for segment in log.segments}
            facts = [fact for fact in log.segment_facts() if fact.base_offset < end_offset]
            facts = [fact for fact in facts if fact.end_offset <= plan.first_uncleanable_offset]
            groups = cleaner.group(facts, log.config, first_uncleanable_offset=plan.first_uncleanable_offset)
            for base_offsets in groups:
                group = [by_offset[base_offset] for base_offset in base_offsets]
                yield from self._copy(group)
                yield from self._replace(group)
            self._stats.end_offset = end_offset
        except FileNotFoundError as error:
            _log.info("%s: a segment was removed while it was compacted: %s", log.folder, error)
        except OSError as error:
            raise log.health.storage_error(f"compacting {log.folder}", error) from error
        finally:
            self._drop_cleaned()

    def _make_durable(self) -> Iterator[str]:
        """Move the recovery point, durably, behind what will be cleaned.

        Recovery takes a gap between two segments behind it for lost ones, and compaction makes such gaps.
        """
        self._log.flush_closed()
        self._log.checkpoint()
        yield "flushed"

    def _collect_keys(self) -> Iterator[str]:
        plan, offsets = self._plan, self._map
        read_bytes = 0
        offsets.latest_offset = plan.first_dirty_offset - 1
        transactions = CleanedTransactions()
        transactions.add(self._log.aborted_transactions(plan.first_dirty_offset, plan.first_uncleanable_offset))
        for header, batch in self._log.batches(plan.first_dirty_offset, plan.first_uncleanable_offset):
            if header.is_control:
                transactions.end(header, marker_of(header, batch))
            elif not transactions.may_discard(header):  # what was aborted replaces nothing
                for record in decode_batch(batch, 0, header):
                    if record.key is not None and record.offset >= plan.first_dirty_offset:
                        if offsets.is_full:
                            return
                        offsets.put(record.key, record.offset)
            offsets.latest_offset = header.last_offset
            read_bytes += len(batch)
            if read_bytes >= _TURN_BYTES:
                read_bytes = 0
                yield "keys"
        offsets.latest_offset = plan.first_uncleanable_offset - 1

    def _copy(self, group: Sequence[Segment]) -> Iterator[str]:
        log = self._log
        cleaned = Segment(
            log.handles,
            log.folder,
            group[0].base_offset,
            created_ms=group[-1].created_ms,
            suffix=CLEANED_SUFFIX,
        )
        self._cleaned = cleaned
        log.handles.files.unlink_all(cleaned.all_paths)
        cleaned.create_files()
        with self._lock:
            entries = log.producer_state().entries.values()
            self._last_of_producers = {entry.producer_id: (entry.last_offset, entry.epoch) for entry in entries}
        turn_bytes = 0
        for segment in group:
            self._transactions.add(log.aborted_transactions(segment.base_offset, segment.next_offset()))
            for _, header, batch in segment.batches():
                kept = self._filter(header, batch)
                self._stats.bytes_before += len(batch)
                turn_bytes += len(batch)
                if kept is not None:
                    kept_header = read_header(kept)
                    placed = PlacedBatch(len(kept), kept_header.last_offset, kept_header.max_timestamp)
                    cleaned.append(kept, [placed], log.config.index_interval_bytes)
                    self._stats.bytes_after += len(kept)
                if turn_bytes >= _TURN_BYTES:
                    turn_bytes = 0
                    yield "copied"
        cleaned.finish()
        cleaned.sync()
        yield "cleaned"

    def _filter(self, header: BatchHeader, batch: memoryview) -> bytearray | memoryview | None:
        """What remains of a batch; None when nothing does."""
        stats = self._stats
        horizon = header.delete_horizon_ms
        if header.is_control:
            may_go, aborted = self._transactions.end(header, marker_of(header, batch))
            if aborted is not None:
                assert self._cleaned is not None
                self._cleaned.transaction_index.append(aborted)
            discards = may_go and horizon is not None and horizon <= self._now_ms
        else:
            may_go = discards = self._transactions.may_discard(header)
        records: list[Record] = decode_batch(batch, 0, header) if header.records_count else []
        if discards:
            kept = []
        elif header.is_control:
            kept = records
        else:
            kept = [record for record in records if self._keeps(header, record)]
        if not header.is_control:
            stats.records_before += len(records)
            stats.records_after += len(kept)
        if not kept:
            return _emptied(header) if self._stays_empty(header) else None
        if horizon is None and (may_go or any(record.value is None for record in kept)):
            horizon = self._now_ms + self._log.config.delete_retention_ms
        elif len(kept) == len(records):
            return batch
        return _rebuilt(header, kept, horizon)

    def _stays_empty(self, header: BatchHeader) -> bool:
        if header.next_offset == self._plan.first_uncleanable_offset:
            return True
        last_offset, epoch = self._last_of_producers.get(header.producer_id, (-1, -1))
        if last_offset >= 0:
            return header.last_offset == last_offset
        return header.is_control and header.producer_epoch == epoch

    def _keeps(self, header: BatchHeader, record: Record) -> bool:
        if record.offset > self._map.latest_offset:
            return True
        if record.key is None or record.offset < self._map.get(record.key):
            return False
        horizon = header.delete_horizon_ms
        return record.value is not None or horizon is None or self._now_ms < horizon

    def _replace(self, group: Sequence[Segment]) -> Iterator[str]:
        log, cleaned = self._log, self._cleaned
        assert cleaned is not None
        files = log.handles.files
        if not self._is_untouched(group):
            _log.info("%s: not replacing segments that were removed while they were compacted", log.folder)
            self._drop_cleaned()
            return
        cleaned.rename_files(CLEANED_SUFFIX, SWAP_SUFFIX)
        self._cleaned = None  # from here on a crash completes the replacement, and so must this process
        files.sync_dir(log.folder)
        with self._lock:
            untouched = self._is_untouched(group)
            if untouched:
                log.publish_cleaned(group, cleaned)
        if not untouched:
            cleaned.remove()
            return
        try:
            yield "published"
        finally:  # also when nobody wants the next step
            for segment in group:
                segment.remove()
            log.producers.snapshots.remove(segment.base_offset for segment in group[1:])
            files.sync_dir(log.folder)
            cleaned.rename_files(SWAP_SUFFIX, "")  # not synced: who finds the suffix completes this again
        yield "replaced"

    def _is_untouched(self, group: Sequence[Segment]) -> bool:
        current = {id(segment) for segment in self._log.segments}
        return all(id(segment) in current for segment in group)

    def _drop_cleaned(self) -> None:
        cleaned, self._cleaned = self._cleaned, None
        if cleaned is not None:
            cleaned.release()
            self._log.handles.files.unlink_all(cleaned.all_paths)


def _rebuilt(header: BatchHeader, kept: Sequence[Record], delete_horizon_ms: int | None) -> bytearray:
    is_log_append_time = header.timestamp_type == 1
    return encode_batch(
        ((record.timestamp, record.key, record.value, record.headers) for record in kept),
        offsets=[record.offset for record in kept],
        base_offset=header.base_offset,
        last_offset=header.last_offset,
        compression_type=header.compression_type,
        timestamp_type=header.timestamp_type,
        max_timestamp=header.max_timestamp if is_log_append_time else None,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        leader_epoch=header.partition_leader_epoch,
        is_transactional=header.is_transactional,
        is_control=header.is_control,
        delete_horizon_ms=delete_horizon_ms,
    )


def _emptied(header: BatchHeader) -> bytearray:
    return encode_batch(
        (),
        base_offset=header.base_offset,
        last_offset=header.last_offset,
        timestamp_type=header.timestamp_type,
        max_timestamp=header.max_timestamp,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        leader_epoch=header.partition_leader_epoch,
        is_transactional=header.is_transactional,
        is_control=header.is_control,
    )
