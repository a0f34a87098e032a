"""A log's producers between memory and files: judging appends, ending transactions, starting again from a snapshot.

What is judged is in :mod:`producer_state`; here it meets the log: offsets that batches get, transaction indexes of
segments, snapshots of the folder.  Everything is called by whoever may change the log, under the partition's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from embedkafka.record import BatchHeader, EndTransactionMarker, decode_batch, decode_marker
from embedkafka.record.control import ABORT, COMMIT, control_type
from embedkafka.storage.producer_snapshots import ProducerSnapshots
from embedkafka.storage.producer_state import (
    CompletedTransaction,
    PlacedHeader,
    ProducerState,
    Update,
    Verification,
    WrittenBatch,
)
from embedkafka.storage.transaction_index import AbortedTransaction

if TYPE_CHECKING:
    from embedkafka.storage.log import Log
    from embedkafka.storage.segment import Segment


class Producers:
    """The producers of one log, with their files.

    Attributes:
        state: what is known of them.
        snapshots: the files that hold it.
    """

    __slots__ = ("_log", "snapshots", "state")

    def __init__(self, log: Log) -> None:
        self._log = log
        self.state = ProducerState()
        self.snapshots = ProducerSnapshots(log.handles.files, log.folder)

    # Appending -------------------------------------------------------------------------------------------------------

    def duplicate_in(self, headers: Iterable[BatchHeader]) -> WrittenBatch | None:
        """What the first of a client's batches that repeats another one repeats."""
        for header in headers:
            if header.producer_id >= 0:
                duplicate = self.state.duplicate_of(header)
                if duplicate is not None:
                    return duplicate
        return None

    def prepare(
        self,
        records: bytearray | memoryview,
        headers: Sequence[BatchHeader],
        base_offset: int,
        *,
        from_client: bool,
        replicated: bool,
        verification: Verification | None,
        transaction_version: int,
    ) -> Update:
        """Judge the batches of an append; see :meth:`ProducerState.prepare`."""
        return self.state.prepare(
            _placed(records, headers, None if replicated else base_offset),
            check_sequences=from_client,
            check_epochs=not replicated,
            verification=verification,
            needs_verification=not replicated,
            transaction_version=transaction_version,
        )

    def complete(self, update: Update, segment: Segment, end_offset: int) -> bool:
        """The batches are published in ``segment``.

        Returns:
            Whether a file was made, whose name is to be made durable.

        Raises:
            OSError: the transaction index could not be written; the state stays in doubt, so this is done again later.
        """
        made_file = False
        for completed in update.completed:
            if completed.is_aborted:
                entry = self._index_entry(completed)
                made_file |= segment.transaction_index.append(entry, in_memory=self._log.read_only)
        self.state.complete(update, end_offset)
        return made_file

    def _index_entry(self, completed: CompletedTransaction) -> AbortedTransaction:
        stable_offset = self.state.stable_offset_after(completed)
        return AbortedTransaction(completed.producer_id, completed.first_offset, completed.last_offset, stable_offset)

    # Replaying -------------------------------------------------------------------------------------------------------

    def settle(self, end_offset: int) -> bool:
        """Record what an interrupted append has published, and forget what it has not; see :meth:`complete`."""
        state = self.state
        state.forget_unpublished(end_offset)
        made_file = False
        for segment, header, batch in self._batches(state.settled_offset, end_offset):
            made_file |= self.replay(header, batch, segment)
        state.end_offset = end_offset
        return made_file

    def replay(self, header: BatchHeader, batch: memoryview, segment: Segment) -> bool:
        """Record a batch that is in the log; see :meth:`complete`."""
        if header.producer_id < 0:
            return False
        update = self.state.replayed(header, marker_of(header, batch))
        if update is None:
            return False
        self.state.begin(update)
        return self.complete(update, segment, header.next_offset)

    def _batches(self, start_offset: int, end_offset: int) -> Iterator[tuple[Segment, BatchHeader, memoryview]]:
        if start_offset >= end_offset:
            return
        for segment in self._log.segments_from(start_offset):
            for _, header, batch in segment.batches(segment.position_at_or_before(start_offset)):
                if header.base_offset >= end_offset:
                    return
                if header.last_offset >= start_offset:
                    yield segment, header, batch

    # Snapshots -------------------------------------------------------------------------------------------------------

    def load(self, start_offset: int, end_offset: int, *, empty_at: int) -> None:
        """Take the newest snapshot from ``start_offset`` to ``end_offset``; the caller replays what is behind it.

        Args:
            empty_at: where there has never been a snapshot, nothing is known, and that is right up to this offset.
        """
        found = self.snapshots.newest(start_offset, end_offset)
        if found is not None:
            self.state.reset(*found)
        else:
            self.state.reset(start_offset if self.snapshots.offsets else empty_at)

    def write_snapshot(self) -> bool:
        """Write the state where it has not been written; True when a file was made."""
        if not self.needs_snapshot:
            return False
        return self.snapshots.write(self.state)

    @property
    def needs_snapshot(self) -> bool:
        """Whether the state is not on file: a log without producers never needs one."""
        state, snapshots = self.state, self.snapshots
        return bool(state.entries or snapshots.offsets) and state.end_offset not in snapshots.offsets

    def remove_strays(self) -> None:
        """Remove snapshots that neither a segment begins with nor the log ends with."""
        wanted = {segment.base_offset for segment in self._log.segments} | {self.state.end_offset}
        self.snapshots.remove(self.snapshots.offsets - wanted)

    def truncate_to(self, end_offset: int) -> None:
        """The log was cut: start from the last snapshot before."""
        self.snapshots.remove_after(end_offset)
        segments = self._log.segments
        start_offset = segments[0].base_offset if segments else end_offset
        self.load(start_offset, end_offset, empty_at=start_offset)
        self.settle(end_offset)


def _placed(
    records: bytearray | memoryview, headers: Sequence[BatchHeader], base_offset: int | None
) -> Iterator[PlacedHeader]:
    """The batches of producers with an id, with the offsets that they get (None: have)."""
    position = 0
    for header in headers:
        if base_offset is not None:
            header = header._replace(base_offset=base_offset)
            base_offset = header.next_offset
        if header.producer_id >= 0:
            batch = memoryview(records)[position : position + header.size_bytes]
            yield PlacedHeader(header, marker_of(header, batch))
        position += header.size_bytes


def marker_of(header: BatchHeader, batch: memoryview) -> EndTransactionMarker | None:
    """What a control batch says; None for data, for what compaction has emptied, and for other control records."""
    if not header.is_control or not header.records_count:
        return None
    record = decode_batch(batch, 0, header)[0]
    return decode_marker(record.key, record.value) if control_type(record.key) in (ABORT, COMMIT) else None
