"""One producer's way into one partition: the open batch, the sealed ones behind it, and their delivery.

Everything after the open batch happens under the lane's lock, so batches reach the partition in the order in which they
were sealed.  Nothing is lost to an interrupt at any point: a batch leaves ``sealed`` only after its delivery is
complete, and every step towards that can be repeated.

With idempotence a batch gets its sequence numbers when it is sealed, and the log knows it again by them.  Numbers must
follow each other, so when a batch is given up, those behind it move up; when it is not known whether the log has it,
they start anew with the next epoch.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Protocol

from embedkafka.broker.api import FetchReply, FetchRequest, PartitionFetch, PartitionProduceReply, RequestContext
from embedkafka.client.producer.delivery import Delivery
from embedkafka.client.producer.identity import MAX_EPOCH, Identity
from embedkafka.client.producer.metrics import LaneCounts
from embedkafka.errors import (
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
    for_code,
)
from embedkafka.model import TopicPartition
from embedkafka.record import OpenBatch, SealedBatch, compress, iter_headers, patch_offsets, read_header
from embedkafka.record.format import MAX_SEQUENCE

_LOST_TRACK = (OutOfOrderSequenceNumberError, InvalidProducerEpochError, UnknownProducerIdError)
"""What a log answers when a batch does not follow what it has of this producer."""

if TYPE_CHECKING:
    from embedkafka.broker.deferred import DeferredCalls
    from embedkafka.broker.port import BrokerPort
    from embedkafka.broker.unsealed import Unsealed
    from embedkafka.client.producer.memory import BufferMemory
    from embedkafka.clock import Clock


class Link(Protocol):
    """What a lane needs of its client's link to the engine."""

    clock: Clock
    context: RequestContext

    @property
    def unsealed(self) -> Unsealed: ...
    @property
    def deferred(self) -> DeferredCalls: ...
    def leader_port(self, topic_partition: TopicPartition) -> BrokerPort: ...
    def refresh(self) -> None: ...
    def after_call(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """The producer's settings that matter once a batch is sealed."""

    acks: int
    compression_type: int
    retries: float
    retry_backoff_ms: float
    delivery_timeout_ms: float
    window: int
    """Batches of one partition on their way at once."""
    together: int
    """Full batches of one partition that go on their way in one call, at most as many as the window."""


class Lane(OpenBatch):
    """The records of one producer for one partition."""

    def __init__(
        self,
        topic_partition: TopicPartition,
        link: Link,
        settings: DeliverySettings,
        memory: BufferMemory,
        identity: Identity,
    ) -> None:
        super().__init__()
        self.failed_for_good: KafkaError | None = None  # why a batch was given up since identify()
        self.topic_partition = topic_partition
        self.counts = LaneCounts()
        self.last_turn_ms = -inf  # when the housekeeper, or a full batch, sealed it last
        self._lock = threading.RLock()  # reentrant only in order to be recognised, see seal()
        self._link = link
        self._clock = link.clock
        self._deferred = link.deferred
        self._settings = settings
        self.compression_type = settings.compression_type
        self._memory = memory
        self._identity = identity
        self._somebody_woke = False
        self.identify(identity.producer_id, identity.producer_epoch, is_transactional=identity.is_transactional)

    def identify(self, producer_id: int, producer_epoch: int, *, is_transactional: bool = False) -> None:
        """Stamp batches with this identity from now on, while nothing is open or unacknowledged.

        Sequence numbers go on as long as id and epoch are the same, and else begin at 0.
        """
        with self._lock:
            is_idle = not self.sealed and not self.open_count
            assert is_idle, "a lane changes its identity between batches"
            self.failed_for_good = None
            self.is_transactional = is_transactional
            if (producer_id, producer_epoch) != (self.producer_id, self.producer_epoch):
                self.producer_id = producer_id
                self.producer_epoch = producer_epoch
                self.next_sequence = 0 if producer_id >= 0 else -1

    # Called by futures ---------------------------------------------------------------------------------------------

    def after_call(self) -> None:
        """The end of a client's call: with a ManualClock, callbacks run now."""
        self._link.after_call()

    def runs_callbacks_here(self) -> bool:
        """Whether the caller is a callback, which must not wait for callbacks."""
        return self._deferred.is_running_here()

    # Sealing -------------------------------------------------------------------------------------------------------

    def close_full(self) -> None:
        """Close the open batch, which has no room left.  It waits for a few others to go together with them.

        As long as the lane is dirty, whoever reads, waits or keeps time seals it, and so sends on what waits here.
        """
        if self._lock._is_owned():  # type: ignore[attr-defined]  # as in seal()
            self.detach()  # its sender could never go on else
            return
        with self._lock:
            self.detach()
            waits = len(self.sealed) < self._settings.together
        # Looked at last: a reader that parks from now on seals, and so does one that has let the flag down.
        if not waits or not self.is_dirty or self._link.unsealed.has_parked(self.topic_partition):
            self.seal()

    def seal(self) -> None:
        """Close the open batch and send on its way what can go.  Never raises: errors go to the futures."""
        if self._lock._is_owned():  # type: ignore[attr-defined]  # threading.Condition asks the same
            return  # from inside our own call to the broker, or a signal handler on top of it: that call goes on
        with self._lock:
            self.detach()
            if self.sealed:
                self._advance()
        if self._somebody_woke:
            self._somebody_woke = False
            self._clock.yield_()

    def abort(self, error: KafkaError) -> None:
        """Fail everything that is not acknowledged."""
        with self._lock:
            self.detach()
            if self.sealed and self.producer_id >= 0:
                self.next_sequence = self.sealed[0].base_sequence
            for batch in list(self.sealed):
                self.counts.record_errors += batch.records_count
                self._finish(batch, error)

    def pending(self) -> Sequence[Delivery]:
        """The deliveries that were under way when this was called."""
        return [batch.delivery for batch in list(self.sealed)]

    def _advance(self) -> None:
        """Submit, in order, up to the window's size; a batch that has to be tried again holds back its successors."""
        sealed = self.sealed
        index = 0
        while index < len(sealed) and index < self._settings.window:
            batch = sealed[index]
            if batch.submitting:
                self._resume(batch)
            if batch.reply is None and not batch.in_flight:
                if batch.not_before_ms and batch.not_before_ms > self._clock.monotonic_ms():
                    return
                self._submit(self._together_from(index))
            if batch.reply is None:
                index += 1  # the answer comes later; _completed goes on
            elif not self._settle(batch, batch.reply):
                return

    def _together_from(self, index: int) -> list[SealedBatch]:
        """The batch at this place, and those behind it that can go with it."""
        together = self.sealed[index : index + self._settings.together]
        for place, batch in enumerate(together):
            if place and (batch.submitting or batch.in_flight or batch.reply is not None or batch.not_before_ms):
                return together[:place]
        return together

    def _submit(self, batches: list[SealedBatch]) -> None:
        settings = self._settings
        first = batches[0]
        reply: PartitionProduceReply | _Failure | None
        try:
            for batch in batches:
                if not batch.is_finished:
                    batch.finish(settings.compression_type, compress)
            port = self._link.leader_port(self.topic_partition)
            for batch in batches:
                batch.submitting = True
                batch.in_flight = True
                batch.is_renumbered = False
            context, completed = self._link.context, partial(self._completed, first)
            if first.is_transactional:
                reply = port.produce_sealed(
                    context,
                    self.topic_partition,
                    batches,
                    settings.acks,
                    completed,
                    transactional_id=self._identity.transactional_id,
                )
            else:
                reply = port.produce_sealed(context, self.topic_partition, batches, settings.acks, completed)
        except Exception as error:
            reply = _Failure(error)
        self._note(batches, reply)

    def _note(self, batches: list[SealedBatch], reply: PartitionProduceReply | _Failure | None) -> None:
        """Give each batch its share of the answer; one that the answer is not about has not been sent."""
        count = 1
        if isinstance(reply, PartitionProduceReply):
            count = reply.batches_count
        elif reply is not None:
            count = len(batches)  # nobody knows how far it came
        for batch in batches[:count]:
            batch.reply = reply
            batch.submitting = False
            if isinstance(reply, PartitionProduceReply):
                next_offset = reply.base_offset + batch.records_count
                reply = PartitionProduceReply(reply.topic_partition, reply.error_code, reply.error_message, next_offset)
        for batch in batches[count:]:
            batch.in_flight = False
            batch.submitting = False

    def _completed(self, batch: SealedBatch, reply: PartitionProduceReply) -> None:
        """The broker's answer where it comes later: on any thread, no lock held, maybe twice after an interrupt."""
        if batch.reply is None and not batch.delivery.is_done:
            batch.reply = reply
            self.seal()

    def _settle(self, batch: SealedBatch, reply: PartitionProduceReply | _Failure) -> bool:
        """Act on an answer; False when the batch has to be tried again."""
        error: KafkaError
        if isinstance(reply, _Failure):
            error = reply.error
        elif reply.error_code:
            error = for_code(reply.error_code)(reply.error_message or f"records for {self.topic_partition}")
        else:
            if not batch.delivery.is_done:
                self.counts.sent(batch.records_count, len(batch.records), batch.plain_size_bytes)
            base_offset = reply.base_offset if self._settings.acks else -1
            self._finish(batch, None, base_offset, reply.log_append_time_ms)
            return True
        # One that was sent with a number behind a gap is refused for that, and is not at fault.
        is_behind_a_gap = isinstance(error, _LOST_TRACK) and (batch is not self.sealed[0] or batch.is_renumbered)
        if (
            (error.retriable or is_behind_a_gap)
            and batch.attempts < self._settings.retries
            and self._try_again(batch, error)
        ):
            return False
        self._give_up(batch, error, was_answered=not isinstance(reply, _Failure))
        return True

    def _give_up(self, batch: SealedBatch, error: KafkaError, *, was_answered: bool) -> None:
        """Fail a batch for good, and let those behind it follow what the log has."""
        if not batch.delivery.is_done:
            self.counts.record_errors += batch.records_count
        self.failed_for_good = final = self._final(batch, error)
        if batch.producer_id >= 0 and batch in self.sealed:
            lost_track = isinstance(error, _LOST_TRACK) or not was_answered
            if lost_track and not batch.is_transactional:
                self._begin_epoch()
                self._renumber(0, behind=batch)
            elif not lost_track:
                self._renumber(batch.base_sequence, behind=batch)
        self._finish(batch, final)

    def _begin_epoch(self) -> None:
        """Be a producer of whom the log knows nothing; the next epoch, or where there is none, another id."""
        if self.producer_epoch < MAX_EPOCH:
            self.producer_epoch += 1
        else:
            with suppress(KafkaError):  # what is sent next fails, and asks again
                self.producer_id, self.producer_epoch = self._identity.new_id()

    def _renumber(self, sequence: int, *, behind: SealedBatch) -> None:
        """Give sequence numbers anew, from ``sequence`` on, to what is sealed behind a batch, and to what is not yet.

        One that is on its way comes back, as the log misses the one before it, and is sent again with its new number.
        """
        sealed = self.sealed
        for batch in sealed[sealed.index(behind) + 1 :]:
            if batch.in_flight:
                batch.renew()
            batch.stamp(self.producer_id, self.producer_epoch, sequence)
            sequence = (sequence + batch.records_count) & MAX_SEQUENCE
        self.next_sequence = sequence

    def _try_again(self, batch: SealedBatch, error: KafkaError) -> bool:
        """Arrange another attempt after the backoff; False when the delivery's time would be over by then."""
        clock = self._clock
        now_ms = clock.monotonic_ms()
        if now_ms >= batch.delivery.created_ms + self._settings.delivery_timeout_ms:
            return False
        self.counts.record_retries += batch.records_count
        if error.invalid_metadata:
            self._link.refresh()
        self._reset(batch)
        batch.attempts += 1
        batch.not_before_ms = now_ms + self._settings.retry_backoff_ms
        clock.call_later(self._settings.retry_backoff_ms, self.seal)
        return True

    def _final(self, batch: SealedBatch, error: KafkaError) -> KafkaError:
        """What the futures get: a retriable error that went on for too long is a timeout."""
        if error.retriable and batch.attempts and batch.attempts < self._settings.retries:
            return KafkaTimeoutError(
                f"{batch.records_count} records for {self.topic_partition} were not acknowledged within "
                f"delivery_timeout_ms ({self._settings.delivery_timeout_ms:g} ms); the last answer was {error}"
            )
        return error

    def _finish(
        self, batch: SealedBatch, error: KafkaError | None, base_offset: int = -1, log_append_time_ms: int = -1
    ) -> None:
        delivery: Delivery = batch.delivery
        if error is not None:
            woke = delivery.fail(error, self._deferred)
        else:
            woke = delivery.complete(base_offset, log_append_time_ms, self._deferred)
        if woke:
            self._somebody_woke = True
        self._release(delivery)
        if batch in self.sealed:
            self.sealed.remove(batch)

    def _release(self, delivery: Delivery) -> None:
        size_bytes, delivery.reserved_bytes = delivery.reserved_bytes, 0
        self._memory.release(size_bytes)

    # After an interrupt --------------------------------------------------------------------------------------------

    def _resume(self, batch: SealedBatch) -> None:
        """The call to the broker was interrupted (Ctrl-C): it may have appended the batch, or not.

        With sequence numbers it is sent again, and the log answers where it has it; else the log is asked.
        """
        if batch.reply is None:
            base_offset = None if batch.producer_id >= 0 else self._written_at(batch)
            if base_offset is None:
                self._reset(batch)
            else:
                batch.reply = PartitionProduceReply(self.topic_partition, base_offset=base_offset)
        batch.submitting = False

    def _written_at(self, batch: SealedBatch) -> int | None:
        """The batch's base offset if the log has it.

        The broker writes base offset and leader epoch into the batch before it publishes it.  Untouched, it got
        nowhere; else what the log has at that offset is this batch or was put there later.
        """
        header = read_header(batch.records)
        if header.partition_leader_epoch < 0:
            return None
        found: list[FetchReply] = []
        try:
            self._link.leader_port(self.topic_partition).fetch(
                self._link.context,
                FetchRequest([PartitionFetch(self.topic_partition, header.base_offset, header.size_bytes)]),
                found.append,
            )
        except KafkaError:
            return None
        for chunk in found[0].partitions[0].records if found else ():
            for _, other in iter_headers(chunk):
                if other.base_offset == header.base_offset and other.batch_length == header.batch_length:
                    # LogAppendTime gives the batch a new checksum, here as there: it is the same memory's.
                    return header.base_offset if other.checksum == header.checksum else None
        return None

    def _reset(self, batch: SealedBatch) -> None:
        """As before it was submitted."""
        if read_header(batch.records).partition_leader_epoch >= 0:
            batch.renew()  # it was written, whatever the answer says, and may be kept in memory for readers
        patch_offsets(batch.records, 0, base_offset=0, leader_epoch=-1)
        batch.reply = None
        batch.in_flight = False


class _Failure:
    """The call to the broker itself failed."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        if isinstance(error, KafkaError):
            self.error: KafkaError = error
        else:
            self.error = KafkaError(f"{type(error).__name__}: {error}")
            self.error.__cause__ = error
