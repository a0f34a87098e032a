"""Gets records: asks leaders for batches, keeps what was not handed out yet, takes turns among partitions.

A reply holds whole batches, at most ``max_partition_fetch_bytes`` a partition and ``fetch_max_bytes`` in all; they
stay where they lie in the engine and are decoded only as they are handed out.  A partition is asked for again when
nothing of it is left.  Replies come on any thread; they only reach the inbox there, the consumer's thread does the
rest.

One request per broker is under way at a time.  One that waits is taken back when the ``poll`` that sent it ends, so
that a producer never takes a consumer for waiting that is not; only one that waits for ``fetch_min_bytes`` stays.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import READ_COMMITTED, FetchReply, FetchRequest, PartitionFetch, PartitionFetchReply
from embedkafka.client.consumer.subscription import PartitionState, Subscription
from embedkafka.errors import (
    CorruptRecordError,
    InvalidMetadataError,
    OffsetOutOfRangeError,
    RetriableError,
    for_code,
)
from embedkafka.model import TopicPartition
from embedkafka.record.codec import ConsumerRecord, RecordCursor

if TYPE_CHECKING:
    from embedkafka.broker.fetching import ParkedFetch
    from embedkafka.broker.port import BrokerPort
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink

_log = logging.getLogger(__name__)

_IN_HAND_BYTES = 4 * 1_048_576
_SMALLEST_FETCH_BYTES = 131_072
"""Asking again costs a call, not a round trip, so it is not worth holding as much as the settings allow.

With 64 partitions, 128 KiB of each are read at 130 ns a record, 1 MiB of each at 150 (fresh memory, cold caches).
"""

_POLLS_BETWEEN_FETCHES = 8
"""While some partitions still have records in hand, the others are asked for again this often."""


class _Sent:
    """A request to one broker: the positions it asked for, when it began, and its reply once that is there."""

    __slots__ = ("began_ms", "parked", "reply", "wanted")

    def __init__(self, wanted: dict[TopicPartition, int], began_ms: float) -> None:
        self.wanted = wanted
        self.began_ms = began_ms
        self.parked: ParkedFetch | None = None
        self.reply: FetchReply | None = None

    def cancel(self) -> None:
        if self.parked is not None:
            self.parked.cancel()


class FetchSettings:
    """The consumer's settings that shape a fetch."""

    def __init__(
        self,
        *,
        min_bytes: int,
        max_bytes: int,
        max_partition_bytes: int,
        max_wait_ms: float,
        isolation_level: int,
        check_crcs: bool,
        key_deserializer: Any,
        value_deserializer: Any,
    ) -> None:
        self.min_bytes = min_bytes
        self.max_bytes = max_bytes
        self.max_partition_bytes = max_partition_bytes
        self.max_wait_ms = max_wait_ms
        self.isolation_level = isolation_level
        self.check_crcs = check_crcs
        self.key_deserializer = key_deserializer
        self.value_deserializer = value_deserializer


class Fetcher:
    """Args:
    arrived: called, on any thread, when a reply has come.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        subscription: Subscription,
        settings: FetchSettings,
        metrics: ConsumerMetrics,
        *,
        arrived: Callable[[], None],
    ) -> None:
        self._link = link
        self._subscription = subscription
        self._settings = settings
        self._metrics = metrics
        self._arrived = arrived
        self._ready: deque[PartitionState] = deque()
        self._sent: dict[BrokerPort, _Sent] = {}
        self._polls_since_fetch = 0
        self._undo: list[tuple[PartitionState, int | None, int]] = []

    # What is in hand -------------------------------------------------------------------------------------------------

    def collect(self, max_records: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Hand out up to ``max_records`` of what is here, beginning with the partition whose turn it is.

        Raises:
            RecordDeserializationError, CorruptRecordError: the next record of a partition cannot be read; its position
                stays there, so a seek past it goes on.
        """
        ready = self._ready
        collected: dict[TopicPartition, list[ConsumerRecord]] = {}
        left = max_records
        for _ in range(len(ready)):
            state = ready[0]
            cursor = state.cursor
            if cursor is None:
                ready.popleft()
                continue
            if not state.is_fetchable:
                ready.rotate(-1)
                continue
            try:
                records = self._take(state, cursor, left)
            except Exception:
                if collected:
                    return collected  # these first: the next poll meets the error again
                raise
            if cursor.exhausted:
                state.cursor = None
                ready.popleft()
            else:
                ready.rotate(-1)
            if records:
                collected[state.topic_partition] = records
                left -= len(records)
                if left <= 0:
                    break
        return collected

    def handed_out(self) -> None:
        """The program has what was collected: it cannot be given back any more."""
        self._undo.clear()

    def give_back(self) -> None:
        """Undo what was collected and not handed out: an error kept it from the program, so it comes again."""
        for state, position, leader_epoch in self._undo:
            if position is not None and state.position is not None:
                state.seek(position, leader_epoch)
        self._undo.clear()

    def collect_one(self, max_records: int) -> tuple[PartitionState, int, list[ConsumerRecord]] | None:
        """The same from one partition only: what an iteration walks through before it looks again."""
        for _ in range(len(self._ready)):
            state = self._ready[0]
            cursor = state.cursor
            if cursor is None:
                self._ready.popleft()
                continue
            if not state.is_fetchable:
                self._ready.rotate(-1)
                continue
            before = cursor.next_offset
            records = self._take(state, cursor, max_records)
            if cursor.exhausted:
                state.cursor = None
                self._ready.popleft()
            else:
                self._ready.rotate(-1)
            if records:
                return state, before, records
        return None

    def _take(self, state: PartitionState, cursor: RecordCursor, max_records: int) -> list[ConsumerRecord]:
        before_bytes = cursor.consumed_bytes
        self._undo.append((state, state.position, state.leader_epoch))
        try:
            records = cursor.take(max_records)
        except Exception:
            # The error's traceback will hold the cursor for as long as the program keeps it: let go of the bytes.
            state.seek(cursor.next_offset, cursor.leader_epoch)
            cursor.close()
            raise
        state.position = cursor.next_offset
        if not records and state.position == state.fetched_from:
            state.cursor = None
            raise CorruptRecordError(
                f"{_name(state)}: what was fetched at offset {state.position} holds no whole batch that ends behind it"
            )
        if records:
            state.leader_epoch = cursor.leader_epoch
            self._metrics.consumed(state.topic_partition, len(records), cursor.consumed_bytes - before_bytes)
        return records

    # Asking ----------------------------------------------------------------------------------------------------------

    def is_fetch_due(self) -> bool:
        """Whether partitions without records in hand should be asked although others still have some."""
        self._polls_since_fetch += 1
        return self._polls_since_fetch >= _POLLS_BETWEEN_FETCHES

    def send(self, *, wait: bool) -> None:
        """Ask leaders for the partitions that nothing is in hand of; answers that are there at once are in the inbox.

        Args:
            wait: leave the request with the broker until there is something, or :meth:`stop_waiting`.
        """
        self._polls_since_fetch = 0
        now_ms = self._link.clock.monotonic_ms()
        for port, partitions in self._wanted().items():
            wanted = {partition.topic_partition: partition.fetch_offset for partition in partitions}
            sent = self._sent.get(port)
            if sent is not None:
                if sent.wanted == wanted and (
                    sent.reply is not None or now_ms < sent.began_ms + self._settings.max_wait_ms
                ):
                    continue
                sent.cancel()
            # Enough bytes did not come within fetch_max_wait_ms: take what there is.
            is_overdue = sent is not None and sent.wanted == wanted
            min_bytes = 1 if is_overdue else self._settings.min_bytes
            self._sent[port] = sent = _Sent(wanted, now_ms)
            self._metrics.fetches.add()
            sent.parked = port.fetch(
                self._link.context,
                FetchRequest(
                    partitions,
                    max_wait_ms=-1 if (wait or min_bytes > 1) and not is_overdue else 0,
                    min_bytes=min_bytes,
                    max_bytes=min(self._settings.max_bytes, 4 * _IN_HAND_BYTES),
                    isolation_level=self._settings.isolation_level,
                ),
                self._completion(sent),
            )

    def stop_waiting(self) -> None:
        """Take back requests that wait for data; those that wait for ``fetch_min_bytes`` stay for the next poll."""
        if self._settings.min_bytes > 1 or not self._sent:
            return
        for port, sent in list(self._sent.items()):
            if sent.reply is None:
                sent.cancel()
                if sent.reply is None:
                    del self._sent[port]

    @property
    def next_attempt_ms(self) -> float:
        """When a request that waits for ``fetch_min_bytes`` has waited long enough, on the monotonic clock."""
        if self._settings.min_bytes <= 1 or not self._sent:
            return float("inf")
        return min(sent.began_ms for sent in self._sent.values()) + self._settings.max_wait_ms

    def _completion(self, sent: _Sent) -> Callable[[FetchReply], None]:
        arrived = self._arrived

        def complete(reply: FetchReply) -> None:
            sent.reply = reply
            arrived()

        return complete

    def _wanted(self) -> dict[BrokerPort, list[PartitionFetch]]:
        by_leader: dict[BrokerPort, list[PartitionFetch]] = defaultdict(list)
        assignment = self._subscription.assignment
        share_bytes = max(_SMALLEST_FETCH_BYTES, _IN_HAND_BYTES // max(1, len(assignment)))
        max_bytes = min(self._settings.max_partition_bytes, share_bytes)
        for state in assignment.values():
            if state.cursor is not None or state.position is None or not state.is_fetchable:
                continue
            try:
                port = self._link.leader_port(state.topic_partition)
            except RetriableError as error:
                _log.debug("no fetch from %s: %s", state.topic_partition, error)
                continue
            by_leader[port].append(PartitionFetch(state.topic_partition, state.position, max_bytes))
        return by_leader

    # Replies ---------------------------------------------------------------------------------------------------------

    def has_reply(self) -> bool:
        return any(sent.reply is not None for sent in self._sent.values())

    def receive(self) -> list[PartitionState]:
        """Take replies out of the inbox; gives back the partitions whose position their log does not hold."""
        out_of_range: list[PartitionState] = []
        for port, sent in list(self._sent.items()):
            if sent.reply is None:
                continue
            del self._sent[port]
            for reply in sent.reply.partitions:
                state = self._subscription.assignment.get(reply.topic_partition)
                if (
                    state is None
                    or state.cursor is not None
                    or state.position != sent.wanted.get(reply.topic_partition)
                ):
                    continue  # sought elsewhere, or taken away, since
                if not reply.error_code:
                    self._receive_records(state, reply)
                elif for_code(reply.error_code) is OffsetOutOfRangeError:
                    out_of_range.append(state)
                else:
                    self._receive_error(state, reply)
        return out_of_range

    def _receive_records(self, state: PartitionState, reply: PartitionFetchReply) -> None:
        state.highwater = reply.high_watermark
        state.last_stable_offset = reply.last_stable_offset
        state.log_start_offset = reply.log_start_offset
        if reply.records:
            assert state.position is not None
            state.fetched_from = state.position
            state.cursor = RecordCursor(
                reply.records,
                state.topic_partition.topic,
                state.topic_partition.partition,
                state.position,
                key_deserializer=self._settings.key_deserializer,
                value_deserializer=self._settings.value_deserializer,
                check_crcs=self._settings.check_crcs,
                aborted_transactions=(
                    reply.aborted_transactions if self._settings.isolation_level == READ_COMMITTED else None
                ),
            )
            self._ready.append(state)

    def _receive_error(self, state: PartitionState, reply: PartitionFetchReply) -> None:
        error_type = for_code(reply.error_code)
        if issubclass(error_type, InvalidMetadataError):
            self._link.refresh()
        elif not issubclass(error_type, RetriableError):
            raise error_type(reply.error_message or _name(state))

    def close(self) -> None:
        """Take back what is under way."""
        for sent in self._sent.values():
            sent.cancel()
        self._sent.clear()
        self._ready.clear()


def _name(state: PartitionState) -> str:
    return f"partition {state.topic_partition.topic}-{state.topic_partition.partition}"
