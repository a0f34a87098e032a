"""Records that a share fetch has brought and that were not handed out yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NoReturn

from embedkafka.broker.api import AcquiredRecords
from embedkafka.client.share_consumer.in_flight import REJECT, RELEASE, InFlight
from embedkafka.errors import CorruptRecordError, RecordDeserializationError
from embedkafka.record import ConsumerRecord, RecordCursor, iter_headers


class Buffered:
    """One partition's part of a reply: its batches, and which of their offsets are this consumer's."""

    def __init__(
        self,
        in_flight: InFlight,
        chunks: Sequence[memoryview],
        acquired: Sequence[AcquiredRecords],
        deadline_ms: float,
        *,
        key_deserializer: Any,
        value_deserializer: Any,
        check_crcs: bool,
    ) -> None:
        self.in_flight = in_flight
        self.deadline_ms = deadline_ms  # when their lock ends
        self._chunks = chunks
        self._acquired = deque(acquired)
        self.error: RecordDeserializationError | CorruptRecordError | None = None
        self._settings = {
            "key_deserializer": key_deserializer,
            "value_deserializer": value_deserializer,
            "check_crcs": check_crcs,
        }
        self._cursor = self._new_cursor(chunks, acquired[0].first_offset)

    def _new_cursor(self, chunks: Sequence[memoryview], offset: int) -> RecordCursor:
        topic_partition = self.in_flight.topic_partition
        return RecordCursor(chunks, topic_partition.topic, topic_partition.partition, offset, **self._settings)

    @property
    def is_empty(self) -> bool:
        return not self._acquired

    @property
    def consumed_bytes(self) -> int:
        return self._cursor.consumed_bytes

    def drop(self) -> None:
        """The lock has ended: what was not handed out is somebody else's."""
        for first, last, _ in self._acquired:
            self.in_flight.drop(first, last + 1)
        self._acquired.clear()

    def take(self, limit: int, into: list[ConsumerRecord]) -> None:
        """Up to ``limit`` records; fewer before one that cannot be read, which is then the next :attr:`error`.

        They are in ``into`` before they count as handed out, so that an interrupt (Ctrl-C) loses none.
        """
        end_count = len(into) + limit
        while self._acquired and len(into) < end_count and self.error is None:
            first, last, delivery_count = self._acquired[0]
            try:
                records = self._cursor.take_acquired(end_count - len(into), first, last, delivery_count)
            except (RecordDeserializationError, CorruptRecordError) as error:
                self.error = error
                break
            # Fewer than were asked for may mean that the range ends or that the next one cannot be read: look again.
            end = records[-1].offset + 1 if records else last + 1
            into += records
            self.in_flight.hand_out(records, first, end)
            self._pass(end)

    def realign(self) -> None:
        """After an interrupt: be where the cursor is; what it read and nobody got comes when its lock ends."""
        behind = self._cursor.next_offset
        for first, last, _ in self._acquired:
            self.in_flight.drop_unread(first, min(behind, last + 1))
        self._pass(behind)

    def raise_error(self) -> NoReturn:
        """Raise what kept the next record from being read, and go on behind it.

        Raises:
            RecordDeserializationError: a deserializer failed; the record is released, unless the program rejects it.
            CorruptRecordError: a batch is damaged; its records are rejected.
        """
        assert self.error is not None
        error, self.error = self.error, None
        self._pass_unreadable(error)
        raise error

    def _pass(self, end: int) -> None:
        """Be done with the offsets before ``end``."""
        while self._acquired and self._acquired[0].first_offset < end:
            entry = self._acquired.popleft()
            if entry.last_offset >= end:
                self._acquired.appendleft(entry._replace(first_offset=end))

    def _pass_unreadable(self, error: RecordDeserializationError | CorruptRecordError) -> None:
        if isinstance(error, RecordDeserializationError):
            self.in_flight.hand_out([], self._acquired[0].first_offset, error.offset)
            self.in_flight.settle_unread(error.offset, error.offset + 1, RELEASE)
            self._pass(error.offset + 1)
            return
        end, chunks = self._behind_damaged_batch()
        for entry in self._acquired:
            self.in_flight.settle_unread(entry.first_offset, min(entry.last_offset + 1, end), REJECT)
        self._pass(end)
        self._cursor = self._new_cursor(chunks, end)

    def _behind_damaged_batch(self) -> tuple[int, list[memoryview]]:
        """Where the batch ends that holds the next offset, and the batches behind it; everything, if none does."""
        offset = self._cursor.next_offset
        for index, chunk in enumerate(self._chunks):
            for position, header in iter_headers(chunk):
                if header.next_offset > offset:
                    return header.next_offset, [chunk[position + header.size_bytes :], *self._chunks[index + 1 :]]
        return self._acquired[-1].last_offset + 1, []
