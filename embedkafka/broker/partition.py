"""One partition on its leader: its log behind a lock, its watermarks, and the fetches that wait for it.

``lock`` (number 4 of the lock order) is held around everything that changes the log and around nothing else: waiting
fetches are answered, and files are synced, after it is released.  With one replica the high watermark is the end of the
log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from embedkafka.broker.api import ActiveProducer
from embedkafka.clock import Clock
from embedkafka.errors import UnknownTopicOrPartitionError
from embedkafka.model import TopicPartition
from embedkafka.record import EndTransactionMarker, encode_batch, next_offset_after
from embedkafka.storage.log import AppendInfo, AppendOrigin, Log
from embedkafka.storage.plain import PlainBatch, SealedRecords
from embedkafka.storage.producer_state import Verification
from embedkafka.storage.validation import prepare

if TYPE_CHECKING:
    from embedkafka.broker.topic import Topic

LEADER_EPOCH = 0  # grows with elections, which one broker does not hold


class Parked(Protocol):
    """A fetch that waits for records of partitions."""

    def woken_by(self, partition: Partition) -> None:
        """A partition has more.  Called with no lock held but a producer's lane."""

    def answer_now(self) -> None:
        """The engine closes."""


class Partition:
    """A partition and everybody who waits for it."""

    __slots__ = (
        "_appended",
        "_log",
        "_open_log",
        "clock",
        "is_deleted",
        "is_idle",
        "leader_epoch",
        "lock",
        "parked",
        "topic",
        "topic_partition",
    )

    def __init__(
        self,
        topic: Topic,
        topic_partition: TopicPartition,
        clock: Clock,
        open_log: Callable[[Partition], Log],
        appended: Callable[[Partition], None],
    ) -> None:
        """
        Args:
            appended: told of an append while ``is_idle``, which whoever takes care of logs clears and sets.
            open_log: opens the log at its first use, with ``lock`` held; a thousand partitions that nobody touches
                cost no descriptor and no time.
        """
        self.topic = topic
        self.topic_partition = topic_partition
        self.clock = clock
        self.lock = threading.Lock()
        self.leader_epoch = LEADER_EPOCH
        self.is_deleted = False
        self.parked: dict[Parked, None] = {}
        self._log: Log | None = None
        self._open_log = open_log
        self._appended = appended
        self.is_idle = True

    @property
    def log(self) -> Log:
        """The log, opened at first use.

        Raises:
            UnknownTopicOrPartitionError: the topic was deleted.
            KafkaStorageError: its files cannot be used.
        """
        return self._log or self._opened()

    @property
    def open_log(self) -> Log | None:
        """The log where somebody has used it, for upkeep that should not open it."""
        return self._log

    def _opened(self) -> Log:
        with self.lock:
            if self._log is None:
                if self.is_deleted:
                    raise UnknownTopicOrPartitionError(f"{self.topic_partition} was deleted")
                self._log = self._open_log(self)
            return self._log

    @property
    def high_watermark(self) -> int:
        return self.log.end_offset

    @property
    def last_stable_offset(self) -> int:
        return self.log.last_stable_offset

    def append(
        self,
        records: bytearray | memoryview,
        *,
        trusted: bool = True,
        origin: AppendOrigin = AppendOrigin.CLIENT,
        verification: Verification | None = None,
        transaction_version: int = 2,
    ) -> AppendInfo:
        """Append whole batches and wake nobody: see :meth:`wake_readers`.

        Args:
            records: whole batches with offsets relative to 0; patched in place.
            trusted: built by this process's own codec, so checksum and offsets need no second look.
            origin: coordinators may write what clients may not.
            verification: of the transaction whose first batch this is, see :meth:`start_verification`.
            transaction_version: which rule a marker's epoch has to follow.

        Raises:
            BrokerResponseError: with Kafka's code for what is wrong with the batches, or KAFKA_STORAGE_ERROR.
        """
        log = self._log or self._opened()
        now_ms = self.clock.now_ms()
        with self.lock:
            if self.is_deleted:
                raise UnknownTopicOrPartitionError(f"{self.topic_partition} was deleted")
            info = log.append(
                records,
                leader_epoch=self.leader_epoch,
                now_ms=now_ms,
                trusted=trusted,
                origin=origin,
                verification=verification,
                transaction_version=transaction_version,
            )
        if self.is_idle:
            self._appended(self)
        if info.flush_due:
            log.flush()  # one sync is shared by everybody who waits for it
        elif info.rolled:
            self.clock.call_soon(self._flush_closed)  # a large segment's sync is not the sender's to wait for
        return info

    def append_plain(self, batches: Sequence[SealedRecords]) -> int | None:
        """Append batches that this process's own codec has sealed, where nothing about them is special.

        Args:
            batches: of one producer's epoch, in order, or of none; see :meth:`Log.append_plain`.

        Returns:
            The first one's base offset; None where :meth:`append` has to be asked, and nothing was done.

        Raises:
            KafkaStorageError: no space, or a write error; nothing is appended then.
        """
        log = self._log
        if log is None or self.is_idle:
            return None
        now_ms = self.clock.now_ms()
        with self.lock:
            if self.is_deleted:
                return None
            return log.append_plain(batches, leader_epoch=self.leader_epoch, now_ms=now_ms)

    def append_promptly(self, records: memoryview | bytearray) -> int | None:
        """Append a client's batch if that needs no disk to be waited for, and nobody who holds the lock.

        Returns:
            Its base offset; None where :meth:`append` has to be asked, and nothing was done.

        Raises:
            BrokerResponseError: with Kafka's code for what is wrong with the batch.
        """
        log = self._log
        if log is None or self.is_idle or self.lock.locked() or not log.takes_promptly(len(records)):
            return None
        records, headers, _ = prepare(
            records,
            log.config,
            topic_partition=self.topic_partition,
            now_ms=self.clock.now_ms(),
            trusted=False,
            from_client=True,
            replicated=False,
        )
        if len(headers) != 1 or headers[0].is_transactional:
            return None
        (header,) = headers
        return self.append_plain(
            (
                PlainBatch(
                    records,
                    header.records_count,
                    header.max_timestamp,
                    header.producer_id,
                    header.producer_epoch,
                    header.base_sequence,
                ),
            )
        )

    # Transactions ----------------------------------------------------------------------------------------------------

    def append_marker(
        self,
        producer_id: int,
        producer_epoch: int,
        *,
        commit: bool,
        coordinator_epoch: int,
        transaction_version: int = 2,
    ) -> AppendInfo:
        """End a producer's transaction in this partition, and let parked readers look.  Call with no lock held.

        Args:
            producer_epoch: the transaction's; with ``transaction_version`` 2 the one after it, which fences retries.
            coordinator_epoch: of the coordinator that asks; one older than the last is refused.

        Raises:
            InvalidProducerEpochError: the epoch is older than the producer's, or with version 2 not newer.
            TransactionCoordinatorFencedError: another coordinator has taken over.
            UnknownTopicOrPartitionError: the topic was deleted.
            KafkaStorageError: it could not be written.
        """
        key, value = EndTransactionMarker(commit, coordinator_epoch).encode()
        batch = encode_batch(
            [(self.clock.now_ms(), key, value, ())],
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            is_transactional=True,
            is_control=True,
        )
        info = self.append(batch, origin=AppendOrigin.COORDINATOR, transaction_version=transaction_version)
        self.wake_readers()
        return info

    def has_ongoing_transaction(self, producer_id: int, producer_epoch: int) -> bool:
        """Whether the producer has a transaction of this epoch open here."""
        log = self.log
        with self.lock:
            return log.producer_state().has_ongoing_transaction(producer_id, producer_epoch)

    def start_verification(
        self, producer_id: int, producer_epoch: int, base_sequence: int, *, supports_epoch_bump: bool = True
    ) -> Verification | None:
        """Begin to ask the coordinator whether a transaction may begin here; None where it is open already.

        Args:
            base_sequence: of the batch that waits for the answer.
            supports_epoch_bump: the producer's epoch changes with every transaction (KIP-890).

        Raises:
            InvalidProducerEpochError: an epoch before the last one seen here.
        """
        log = self.log
        now_ms = self.clock.now_ms()
        with self.lock:
            return log.producer_state().start_verification(
                producer_id, producer_epoch, base_sequence, supports_epoch_bump=supports_epoch_bump, now_ms=now_ms
            )

    def active_producers(self) -> list[ActiveProducer]:
        """Who has written here and is not forgotten yet."""
        log = self.log
        with self.lock:
            return [
                ActiveProducer(
                    entry.producer_id,
                    entry.epoch,
                    entry.last_sequence,
                    entry.timestamp,
                    entry.coordinator_epoch,
                    entry.transaction_start,
                )
                for entry in log.producer_state().entries.values()
            ]

    def expire_producers(self, now_ms: int, expiration_ms: int) -> None:
        """Forget producers that have written nothing for so long, where the log is open."""
        log = self._log
        if log is not None:
            with self.lock:
                if not self.is_deleted:
                    log.producer_state().expire(now_ms, expiration_ms)

    def _flush_closed(self) -> None:
        log = self._log
        if log is not None:
            log.flush_closed()

    def read_all(self, *, chunk_bytes: int) -> Iterator[memoryview]:
        """Every batch from the log start to what is the end now, as chunks of whole batches.

        Args:
            chunk_bytes: about how much to read at a time.
        """
        log = self.log
        offset, end_offset = log.log_start_offset, log.end_offset
        while offset < end_offset:
            chunks = log.read(offset, max_bytes=chunk_bytes, max_offset=end_offset)
            if not chunks:
                return
            yield from chunks
            offset = next_offset_after(chunks[-1])

    def advance_log_start(self, offset: int) -> int:
        """Let records before ``offset`` be gone; returns the log start offset.

        Raises:
            OffsetOutOfRangeError: behind the high watermark.
        """
        log = self.log
        with self.lock:
            log.advance_log_start(offset)
        return log.log_start_offset

    def wake_readers(self) -> None:
        """Let parked fetches look again.  Called with no lock held but a producer's lane."""
        if self.parked:
            for parked in list(self.parked):
                parked.woken_by(self)

    def forget_log(self) -> None:
        """The topic is deleted.  Called with ``lock`` held; whoever calls removes the files."""
        self.is_deleted = True
        self._log = None
