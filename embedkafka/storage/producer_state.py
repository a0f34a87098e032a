"""Who has written to a log: what makes retried batches harmless and transactions visible as a whole.

For every producer id the log remembers its epoch, its last five batches, the coordinator that ended its last
transaction, and where its current transaction began (``org.apache.kafka.storage.internals.log.ProducerStateManager``).
From that an append is judged before a byte of it is written:

* the same sequence numbers as one of the last five batches: a retry, answered with the first append's offsets;
* an older epoch: a producer that was replaced (INVALID_PRODUCER_EPOCH);
* sequence numbers that do not follow the last ones: a batch is missing (OUT_OF_ORDER_SEQUENCE_NUMBER).  A producer of
  whom nothing is known may start anywhere: what it wrote before may have expired;
* a transactional batch without a transaction that was verified (INVALID_TXN_STATE).

Nothing here reads a file or a clock.  What is recorded always follows from the log: :attr:`ProducerState.end_offset`
says up to where, and whoever finds it behind the log's end, after an interrupt, replays the batches in between.  A
transaction's start is the exception, it is recorded before its first batch is published: a reader must never take the
batch for stable.

The state is kept in ``<offset>.snapshot`` files, all numbers big-endian::

    0   version                int16   1
    2   checksum               uint32  CRC-32C of everything behind it
    6   count                  int32   of entries, each:
        producer id            int64
        producer epoch         int16
        last sequence          int32   -1 without a batch of this epoch
        last offset            int64   -1 without a batch
        offset delta           int32   last offset less first offset of the last batch
        timestamp              int64   of the last batch or marker
        coordinator epoch      int32   -1 before the first marker
        transaction start      int64   first offset of the open transaction, -1 without one
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from embedkafka.errors import (
    InvalidProducerEpochError,
    InvalidTxnStateError,
    OutOfOrderSequenceNumberError,
    TransactionCoordinatorFencedError,
)
from embedkafka.record import BatchHeader, EndTransactionMarker
from embedkafka.record.format import MAX_SEQUENCE, crc32c
from embedkafka.storage.config import LONG_MAX

BATCHES_KEPT = 5  # as many as a client may have in flight (ProducerStateEntry.NUM_BATCHES_TO_RETAIN)

_SNAPSHOT_VERSION = 1
_SNAPSHOT_HEAD = struct.Struct(">hIi")
_SNAPSHOT_ENTRY = struct.Struct(">qhiqiqiq")
_CHECKSUMMED_FROM = 6


class WrittenBatch(NamedTuple):
    """One of a producer's last batches.  ``last_sequence`` is -1 for what coordinators write."""

    last_sequence: int
    last_offset: int
    offset_delta: int
    timestamp: int

    @property
    def base_offset(self) -> int:
        return self.last_offset - self.offset_delta

    @property
    def base_sequence(self) -> int:
        """The first record's sequence number: counting back wraps from 0 to 2**31 - 1."""
        return -1 if self.last_sequence < 0 else (self.last_sequence - self.offset_delta) & MAX_SEQUENCE


class ProducerEntry:
    """What is known of one producer.

    Attributes:
        epoch: -1 before the first batch or marker.
        coordinator_epoch: of the coordinator that wrote the last marker, -1 before the first.
        timestamp: of the last batch or marker, -1 before the first.
        transaction_start: the open transaction's first offset, -1 without one.
        batches: the last five of this epoch, oldest first.
    """

    __slots__ = ("batches", "coordinator_epoch", "epoch", "producer_id", "timestamp", "transaction_start")

    def __init__(
        self,
        producer_id: int,
        epoch: int = -1,
        coordinator_epoch: int = -1,
        timestamp: int = -1,
        transaction_start: int = -1,
        batches: Iterable[WrittenBatch] = (),
    ) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self.coordinator_epoch = coordinator_epoch
        self.timestamp = timestamp
        self.transaction_start = transaction_start
        self.batches = deque(batches, BATCHES_KEPT)

    def __repr__(self) -> str:
        return (
            f"<ProducerEntry {self.producer_id} epoch={self.epoch} last_sequence={self.last_sequence} "
            f"transaction_start={self.transaction_start}>"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProducerEntry) and self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _fields(self) -> tuple[object, ...]:
        last = self.batches[-1] if self.batches else None
        return self.producer_id, self.epoch, self.coordinator_epoch, self.timestamp, self.transaction_start, last

    def copy(self) -> ProducerEntry:
        """An entry to change without this one changing."""
        return ProducerEntry(
            self.producer_id,
            self.epoch,
            self.coordinator_epoch,
            self.timestamp,
            self.transaction_start,
            self.batches,
        )

    @property
    def last_sequence(self) -> int:
        """Of the last batch of this epoch, -1 without one."""
        return self.batches[-1].last_sequence if self.batches else -1

    @property
    def last_offset(self) -> int:
        """Of the last batch of this epoch, -1 without one."""
        return self.batches[-1].last_offset if self.batches else -1

    def is_followed_by(self, producer_epoch: int, base_sequence: int, is_transactional: bool) -> bool:
        """Whether such a batch goes on where the last one of this epoch has ended, in the same transaction or none."""
        return (
            self.epoch == producer_epoch
            and bool(self.batches)
            and (self.batches[-1].last_sequence + 1) & MAX_SEQUENCE == base_sequence
            and (self.transaction_start >= 0) == is_transactional
        )

    def duplicate_of(self, header: BatchHeader) -> WrittenBatch | None:
        """The batch that ``header`` repeats, if it is one of the last five."""
        if header.producer_epoch != self.epoch:
            return None
        base_sequence, last_sequence = header.base_sequence, header.last_sequence
        for batch in self.batches:
            if batch.last_sequence == last_sequence and batch.base_sequence == base_sequence:
                return batch
        return None

    def _enter_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.batches.clear()
            self.epoch = epoch

    def _add(self, header: BatchHeader) -> None:
        self._enter_epoch(header.producer_epoch)
        self.batches.append(
            WrittenBatch(header.last_sequence, header.last_offset, header.last_offset_delta, header.max_timestamp)
        )
        self.timestamp = header.max_timestamp

    def _end_transaction(self, header: BatchHeader, coordinator_epoch: int) -> None:
        self._enter_epoch(header.producer_epoch)
        self.coordinator_epoch = coordinator_epoch
        self.timestamp = header.max_timestamp
        self.transaction_start = -1


class Verification:
    """The permission to begin a transaction in a log, once the coordinator has agreed (KIP-890).

    It is good for one transaction: a marker that comes first takes it away, so that an answer which the coordinator
    gave before it ended that transaction cannot leave a batch that no marker will ever end.
    """

    __slots__ = ("epoch", "lowest_sequence", "producer_id", "supports_epoch_bump", "timestamp")

    def __init__(
        self, producer_id: int, epoch: int, lowest_sequence: int, *, supports_epoch_bump: bool, timestamp: int
    ) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self.lowest_sequence = lowest_sequence
        self.supports_epoch_bump = supports_epoch_bump
        self.timestamp = timestamp

    def _note(self, epoch: int, sequence: int) -> None:
        if epoch > self.epoch:
            self.epoch, self.lowest_sequence = epoch, sequence
        elif epoch == self.epoch:
            self.lowest_sequence = min(self.lowest_sequence, sequence)


class CompletedTransaction(NamedTuple):
    """A transaction and the offset of the marker that ended it."""

    producer_id: int
    first_offset: int
    last_offset: int
    is_aborted: bool


class Update(NamedTuple):
    """What an append changes once it is published."""

    entries: dict[int, ProducerEntry]
    started: list[tuple[int, int]]  # first offset, producer id
    completed: list[CompletedTransaction]
    verified: list[int]  # producer ids whose verification is used up


class PlacedHeader(NamedTuple):
    """A batch with the offset it gets, and its marker where it is a control batch that has one."""

    header: BatchHeader
    marker: EndTransactionMarker | None


class ProducerState:
    """The producers of one log.  Changed under the partition's lock; ``first_unstable_offset`` is read without.

    Attributes:
        entries: by producer id.
        end_offset: what is recorded comes from batches before this offset; -1 while an append is under way.
        first_unstable_offset: where the oldest open transaction begins; ``LONG_MAX`` without one.
    """

    __slots__ = ("_ongoing", "_settled_offset", "_verifications", "end_offset", "entries", "first_unstable_offset")

    def __init__(self, end_offset: int = 0) -> None:
        self.entries: dict[int, ProducerEntry] = {}
        self.end_offset = self._settled_offset = end_offset
        self._ongoing: dict[int, int] = {}  # first offset -> producer id, in order of offsets
        self._verifications: dict[int, Verification] = {}
        self.first_unstable_offset = LONG_MAX

    def reset(self, end_offset: int, entries: Iterable[ProducerEntry] = ()) -> None:
        """Start from a snapshot, or anew."""
        self._settled_offset, self.end_offset = end_offset, -1
        self.entries = {entry.producer_id: entry for entry in entries}
        started = sorted(
            (e.transaction_start, e.producer_id) for e in self.entries.values() if e.transaction_start >= 0
        )
        self._ongoing = dict(started)
        self._verifications = {}
        self._note_first_unstable()
        self.end_offset = end_offset

    def _note_first_unstable(self) -> None:
        self.first_unstable_offset = min(self._ongoing, default=LONG_MAX)

    # Before an append ------------------------------------------------------------------------------------------------

    @property
    def settled_offset(self) -> int:
        """Up to where the log is recorded, also while :attr:`end_offset` is in doubt."""
        return self.end_offset if self.end_offset >= 0 else self._settled_offset

    def duplicate_of(self, header: BatchHeader) -> WrittenBatch | None:
        """The batch that a client's batch repeats, if it is one of its producer's last five."""
        entry = self.entries.get(header.producer_id)
        return None if entry is None else entry.duplicate_of(header)

    def prepare(
        self,
        batches: Iterable[PlacedHeader],
        *,
        check_sequences: bool,
        check_epochs: bool = True,
        verification: Verification | None = None,
        needs_verification: bool = True,
        transaction_version: int = 2,
    ) -> Update:
        """Judge the batches of one append and work out what they change; nothing changes yet.

        Args:
            batches: those with a producer id, with the offsets that they will get.
            check_sequences: False for coordinators, whose batches carry none.
            check_epochs: False for a replica, whose leader has looked.
            verification: what :meth:`start_verification` gave, for a transaction's first batch.
            needs_verification: whether a transaction's first batch must have one.
            transaction_version: 2 requires of a marker that its epoch is new (KIP-890).

        Raises:
            InvalidProducerEpochError: an epoch before the last one seen.
            OutOfOrderSequenceNumberError: sequence numbers that do not follow the last ones.
            InvalidTxnStateError: outside of a transaction that was verified, or not transactional inside of one.
            TransactionCoordinatorFencedError: a marker of a coordinator that was replaced.
        """
        update = Update({}, [], [], [])
        for header, marker in batches:
            entry = self._changing(update.entries, header.producer_id)
            if header.is_control:
                if marker is not None:  # else compaction has emptied it
                    if check_epochs:
                        self._check_epoch(entry, header, transaction_version)
                        self._check_coordinator(entry, header, marker)
                    self._end(update, entry, header, marker)
                continue
            if check_epochs:
                self._check_epoch(entry, header, 0)
            found = self._verifications.get(header.producer_id)
            if header.is_transactional and needs_verification:
                is_ongoing = entry.transaction_start >= 0 and entry.epoch == header.producer_epoch
                if not is_ongoing and (verification is None or found is not verification):
                    raise InvalidTxnStateError(
                        f"record at offset {header.base_offset} of producer {header.producer_id} was not part of an "
                        "ongoing transaction"
                    )
            if check_sequences:
                self._check_sequence(entry, header, found)
            if entry.transaction_start >= 0 and not header.is_transactional:
                raise InvalidTxnStateError(
                    f"expected a transactional write from producer {header.producer_id} at offset {header.base_offset}"
                )
            self._add(update, entry, header)
        return update

    def _changing(self, changed: dict[int, ProducerEntry], producer_id: int) -> ProducerEntry:
        entry = changed.get(producer_id)
        if entry is None:
            known = self.entries.get(producer_id)
            entry = changed[producer_id] = ProducerEntry(producer_id) if known is None else known.copy()
        return entry

    def _check_epoch(self, entry: ProducerEntry, header: BatchHeader, transaction_version: int) -> None:
        epoch = header.producer_epoch
        if epoch > entry.epoch or (epoch == entry.epoch and transaction_version < 2):
            return
        if epoch == entry.epoch and entry.transaction_start < 0:
            return  # the marker was written already, and its answer was lost (KAFKA-19999)
        raise InvalidProducerEpochError(
            f"epoch {epoch} of producer {entry.producer_id} at offset {header.base_offset} is "
            f"{'not newer' if transaction_version >= 2 else 'older'} than the last seen epoch {entry.epoch}"
        )

    def _check_coordinator(self, entry: ProducerEntry, header: BatchHeader, marker: EndTransactionMarker) -> None:
        if marker.coordinator_epoch < entry.coordinator_epoch:
            raise TransactionCoordinatorFencedError(
                f"coordinator epoch {marker.coordinator_epoch} for producer {entry.producer_id} at offset "
                f"{header.base_offset} is older than the current {entry.coordinator_epoch}"
            )

    def _check_sequence(self, entry: ProducerEntry, header: BatchHeader, found: Verification | None) -> None:
        sequence = header.base_sequence
        expected: str | None = None
        if found is not None and found.supports_epoch_bump and sequence and not entry.batches:
            expected = "0, as nothing of this transaction is known"
        elif found is not None and sequence > found.lowest_sequence:
            expected = f"{found.lowest_sequence}, the earliest seen"
        elif entry.epoch == -1:
            return  # what it wrote before is gone, or this is its first batch
        elif header.producer_epoch != entry.epoch:
            if sequence:
                expected = f"0 for the new epoch {header.producer_epoch} after {entry.epoch}"
        elif sequence != (entry.last_sequence + 1) & MAX_SEQUENCE:
            expected = f"{(entry.last_sequence + 1) & MAX_SEQUENCE} after the last, {entry.last_sequence}"
        if expected is not None:
            raise OutOfOrderSequenceNumberError(
                f"sequence number {sequence} of producer {entry.producer_id} at offset {header.base_offset}: "
                f"expected {expected}"
            )

    def _add(self, update: Update, entry: ProducerEntry, header: BatchHeader) -> None:
        entry._add(header)
        if header.is_transactional and entry.transaction_start < 0:
            entry.transaction_start = header.base_offset
            update.started.append((header.base_offset, header.producer_id))
        update.verified.append(header.producer_id)

    def _end(self, update: Update, entry: ProducerEntry, header: BatchHeader, marker: EndTransactionMarker) -> None:
        if entry.transaction_start >= 0:
            update.completed.append(
                CompletedTransaction(
                    header.producer_id, entry.transaction_start, header.last_offset, is_aborted=not marker.commit
                )
            )
        entry._end_transaction(header, marker.coordinator_epoch)
        update.verified.append(header.producer_id)

    # Around publishing -----------------------------------------------------------------------------------------------

    def begin(self, update: Update) -> None:
        """Just before the batches are published: their transactions are open from now on, and the state in doubt."""
        self._settled_offset = self.settled_offset
        self.end_offset = -1
        for first_offset, producer_id in update.started:
            self._ongoing[first_offset] = producer_id
        if update.started:
            self._note_first_unstable()

    def undo(self, update: Update) -> None:
        """They could not be written."""
        for first_offset, _ in update.started:
            self._ongoing.pop(first_offset, None)
        self._note_first_unstable()
        self.end_offset = self._settled_offset

    def stable_offset_after(self, completed: CompletedTransaction) -> int:
        """The last stable offset once a transaction is complete: what its entry in the transaction index holds."""
        others = (offset for offset, producer_id in self._ongoing.items() if producer_id != completed.producer_id)
        return min(others, default=completed.last_offset + 1)

    def complete(self, update: Update, end_offset: int) -> None:
        """After they are published and the transaction index has what was aborted."""
        for producer_id in update.verified:
            self._verifications.pop(producer_id, None)
        for completed in update.completed:
            self._ongoing.pop(completed.first_offset, None)
        if update.completed:
            self._note_first_unstable()
        # Last, so that a replay after an interrupt finds the transaction open and completes it.
        self.entries.update(update.entries)
        self._settled_offset = self.end_offset = end_offset

    # After an interrupt or a restart ---------------------------------------------------------------------------------

    def forget_unpublished(self, end_offset: int) -> None:
        """Drop transactions that an append began which was then interrupted before it was published."""
        for first_offset in [offset for offset in self._ongoing if offset >= end_offset]:
            del self._ongoing[first_offset]
        self._note_first_unstable()

    def replayed(self, header: BatchHeader, marker: EndTransactionMarker | None) -> Update | None:
        """What a batch that is in the log changes; None where it is recorded already.  Checks nothing."""
        known = self.entries.get(header.producer_id)
        if known is not None and not header.is_control and known.last_offset >= header.last_offset:
            return None
        update = Update({}, [], [], [])
        entry = self._changing(update.entries, header.producer_id)
        if not header.is_control:
            self._add(update, entry, header)
        elif marker is not None:
            self._end(update, entry, header, marker)
        return update

    # Verification ----------------------------------------------------------------------------------------------------

    def has_ongoing_transaction(self, producer_id: int, epoch: int) -> bool:
        """Whether the producer has a transaction of this epoch open in the log."""
        entry = self.entries.get(producer_id)
        return entry is not None and entry.transaction_start >= 0 and entry.epoch == epoch

    def start_verification(
        self, producer_id: int, epoch: int, base_sequence: int, *, supports_epoch_bump: bool, now_ms: int
    ) -> Verification | None:
        """What a transaction's first batch needs once the coordinator has agreed; None where it is open already.

        Raises:
            InvalidProducerEpochError: an epoch before the last one seen.
        """
        entry = self.entries.get(producer_id)
        if entry is not None and epoch < entry.epoch:
            raise InvalidProducerEpochError(
                f"epoch {epoch} of producer {producer_id} is older than the last seen epoch {entry.epoch}"
            )
        if self.has_ongoing_transaction(producer_id, epoch):
            return None
        verification = self._verifications.get(producer_id)
        if verification is None:
            verification = self._verifications[producer_id] = Verification(
                producer_id, epoch, base_sequence, supports_epoch_bump=supports_epoch_bump, timestamp=now_ms
            )
        else:
            verification._note(epoch, base_sequence)
        return verification

    # Upkeep ----------------------------------------------------------------------------------------------------------

    def expire(self, now_ms: int, expiration_ms: int) -> int:
        """Forget producers that have written nothing for ``producer.id.expiration.ms``; returns how many.

        One with an open transaction stays: its end is still to come.
        """
        expired = [
            entry.producer_id
            for entry in self.entries.values()
            if entry.transaction_start < 0 and now_ms - entry.timestamp >= expiration_ms
        ]
        for producer_id in expired:
            del self.entries[producer_id]
        for verification in list(self._verifications.values()):
            if now_ms - verification.timestamp >= expiration_ms:
                del self._verifications[verification.producer_id]
        return len(expired)

    # Snapshots -------------------------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The content of a snapshot file."""
        entries = b"".join(
            _SNAPSHOT_ENTRY.pack(
                entry.producer_id,
                entry.epoch,
                entry.last_sequence,
                entry.last_offset,
                entry.batches[-1].offset_delta if entry.batches else 0,
                entry.timestamp,
                entry.coordinator_epoch,
                entry.transaction_start,
            )
            for entry in self.entries.values()
        )
        content = bytearray(_SNAPSHOT_HEAD.pack(_SNAPSHOT_VERSION, 0, len(self.entries)) + entries)
        _SNAPSHOT_HEAD.pack_into(
            content, 0, _SNAPSHOT_VERSION, crc32c(memoryview(content)[_CHECKSUMMED_FROM:]), len(self.entries)
        )
        return bytes(content)


def decode_snapshot(content: bytes) -> list[ProducerEntry]:
    """Read a snapshot file.

    Raises:
        ValueError: it is cut off or damaged, or of another version; says which.
    """
    if len(content) < _SNAPSHOT_HEAD.size:
        raise ValueError(f"a snapshot takes at least {_SNAPSHOT_HEAD.size} bytes, found {len(content)}")
    version, checksum, count = _SNAPSHOT_HEAD.unpack_from(content)
    if version != _SNAPSHOT_VERSION:
        raise ValueError(f"expected version {_SNAPSHOT_VERSION}, found {version}")
    if (found := crc32c(content[_CHECKSUMMED_FROM:])) != checksum:
        raise ValueError(f"expected checksum {checksum:#010x}, found {found:#010x}")
    if len(content) != _SNAPSHOT_HEAD.size + count * _SNAPSHOT_ENTRY.size:
        raise ValueError(f"{count} entries do not fill {len(content)} bytes")
    entries = []
    for fields in _SNAPSHOT_ENTRY.iter_unpack(content[_SNAPSHOT_HEAD.size :]):
        producer_id, epoch, sequence, offset, delta, timestamp, coordinator_epoch, transaction_start = fields
        batches = [WrittenBatch(sequence, offset, delta, timestamp)] if offset >= 0 else []
        entries.append(ProducerEntry(producer_id, epoch, coordinator_epoch, timestamp, transaction_start, batches))
    return entries
