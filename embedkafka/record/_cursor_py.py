"""Reading in plain Python: from fetched batches to finished records, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from embedkafka.errors import CorruptRecordError, RecordDeserializationError
from embedkafka.model import TopicPartition
from embedkafka.record._codec_py import ConsumerRecord, DeliveredRecord, read_headers, read_varint
from embedkafka.record.compression import decompress
from embedkafka.record.format import (
    CREATE_TIME,
    HEADER_SIZE_BYTES,
    LOG_APPEND_TIME,
    BatchHeader,
    Buffer,
    read_header,
    verify_checksum,
)

_new_record = tuple.__new__  # what a NamedTuple's own constructor calls, without the detour

Convert = Callable[[str, list[tuple[str, bytes | None]], bytes | None], Any]


def conversion(deserializer: Any) -> Convert | None:
    """One shape for both kinds of deserializer: a Deserializer object, or a callable that takes the bytes alone."""
    if deserializer is None:
        return None
    if hasattr(deserializer, "deserialize"):
        convert: Convert = deserializer.deserialize
        return convert
    return lambda topic, headers, data: deserializer(data)


class RecordCursor:
    """Walks over fetched batches and makes one :class:`ConsumerRecord` at a time.

    Control batches are passed over.  A record that cannot be read (bad bytes, a deserializer's error) raises and leaves
    ``next_offset`` at that record, so that the next attempt raises again; go on behind it with a new cursor.

    Args:
        chunks: fetched buffers of whole batches in offset order.
        topic: the topic's name, for the records.
        partition: the partition's number, for the records.
        fetch_offset: records below it are passed over.
        key_deserializer: a callable, an object with ``deserialize(topic, headers, data)``, or None for bytes.
        value_deserializer: likewise.
        check_crcs: whether to verify each batch's checksum.
        aborted_transactions: ``(producer_id, first_offset)`` of those that overlap the chunks: their records are passed
            over.  None shows everything.

    Attributes:
        next_offset: the offset of the next record to hand out, or the end of what was fetched.
        records_read: records handed out.
        leader_epoch: of the batch at hand; -1 before the first.
        exhausted: whether the end was reached.
        consumed_bytes: their size, uncompressed.
    """

    def __init__(
        self,
        chunks: Iterable[Buffer],
        topic: str,
        partition: int,
        fetch_offset: int,
        *,
        key_deserializer: Any = None,
        value_deserializer: Any = None,
        check_crcs: bool = True,
        aborted_transactions: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        self._chunks: list[Buffer] = list(chunks)
        self._aborted: list[tuple[int, int]] | None = None  # (first offset, producer id), the next one last
        self._aborting: set[int] = set()  # producers whose transaction at this point is an aborted one
        if aborted_transactions is not None:
            self._aborted = sorted(((first, producer_id) for producer_id, first in aborted_transactions), reverse=True)
        self._chunk_index = 0
        self._chunk_position = 0
        self._topic = topic
        self._partition = partition
        self._convert_key = conversion(key_deserializer)
        self._convert_value = conversion(value_deserializer)
        self._converts = self._convert_key is not None or self._convert_value is not None
        self._check_crcs = check_crcs
        self._payload = b""
        self._at = 0
        self._remaining = 0
        self._header: BatchHeader | None = None
        self._timestamp_type = CREATE_TIME
        self.leader_epoch = -1
        self.exhausted = False
        self._last_offset: int | None = None  # records behind it are not handed out
        self._delivery_count = 0
        self.next_offset = fetch_offset
        self.records_read = 0
        self.consumed_bytes = 0

    def close(self) -> None:
        """Let go of the fetched memory; the cursor is at its end."""
        self._chunks = []
        self._chunk_index = 0
        self._remaining = 0
        self._header = None
        self._payload = b""
        self.exhausted = True

    def take(self, limit: int) -> list[ConsumerRecord]:
        """Up to ``limit`` records; stops early before a record that cannot be read, unless that is the first."""
        records: list[ConsumerRecord] = []
        append, read = records.append, self._read
        try:
            while len(records) < limit and (self._remaining > 0 or self._enter_batch()):
                before = self._remaining
                record = read()
                if record is not None:
                    append(record)
                elif self._remaining == before:
                    break
        except IndexError:
            if not records:
                raise CorruptRecordError(f"a record breaks its format at {self._at} of its batch") from None
        except Exception:
            if not records:
                raise
        return records

    def take_acquired(
        self, limit: int, first_offset: int, last_offset: int, delivery_count: int
    ) -> list[ConsumerRecord]:
        """Up to ``limit`` records of these offsets, both included, that a share group has acquired."""
        self.next_offset = max(self.next_offset, first_offset)
        self._last_offset = last_offset
        self._delivery_count = delivery_count
        return self.take(limit)

    def next_record(self) -> ConsumerRecord | None:
        """The next record, or None at the end."""
        taken = self.take(1)
        return taken[0] if taken else None

    def _read(self) -> ConsumerRecord | None:
        """Pass the record at hand and return it, or None where it lies before ``next_offset``.

        One behind the last offset asked for is not passed.

        The one-byte cases of every number are written out: they are nearly all there is.
        """
        payload = self._payload
        header = self._header
        assert header is not None
        start = at = self._at
        length = payload[at]
        if length < 0x80:
            length = (length >> 1) ^ -(length & 1)
            at += 1
        else:
            length, at = read_varint(payload, at)
        end = at + length
        if length < 1 or end > len(payload):
            raise CorruptRecordError(f"a record of {length} bytes at {start} of its batch")
        number = payload[at + 1]
        if number < 0x80:
            timestamp_delta = (number >> 1) ^ -(number & 1)
            at += 2
        else:
            timestamp_delta, at = read_varint(payload, at + 1)
        number = payload[at]
        if number < 0x80:
            offset = header.base_offset + ((number >> 1) ^ -(number & 1))
            at += 1
        else:
            number, at = read_varint(payload, at)
            offset = header.base_offset + number
        if offset < self.next_offset:
            self._at, self._remaining = end, self._remaining - 1
            return None
        if self._last_offset is not None and offset > self._last_offset:
            return None
        key: bytes | None = None
        key_size = payload[at]
        if key_size == 1:
            key_size = -1
            at += 1
        else:
            if key_size < 0x80 and not key_size & 1:
                key_size >>= 1
                at += 1
            else:
                key_size, at = read_varint(payload, at)
            if key_size >= 0:
                key = payload[at : at + key_size]
                at += key_size
        value: bytes | None = None
        value_size = payload[at]
        if value_size & 0x81 == 0x80 and payload[at + 1] < 0x80:  # two bytes, as for 64 to 8191
            value_size = (value_size & 0x7F | payload[at + 1] << 7) >> 1
            at += 2
        else:
            value_size, at = read_varint(payload, at)
        if value_size >= 0:
            value = payload[at : at + value_size]
            at += value_size
        if at >= end:
            raise CorruptRecordError(f"the record at {start} of its batch is longer than it says")
        header_size = -1
        headers: list[tuple[str, bytes | None]] = []
        if payload[at] == 0:
            at += 1
        else:
            headers, at = read_headers(payload, at, end)
            if headers:
                header_size = sum(len(name.encode()) + len(content or b"") for name, content in headers)
        if at != end:
            raise CorruptRecordError(f"the record at {start} of its batch ends at {at}, not at {end}")
        converted_key: Any = key
        converted_value: Any = value
        if self._converts:
            try:
                if self._convert_key is not None:
                    converted_key = self._convert_key(self._topic, headers, key)
                if self._convert_value is not None:
                    converted_value = self._convert_value(self._topic, headers, value)
            except Exception as error:
                topic_partition = TopicPartition(self._topic, self._partition)
                raise RecordDeserializationError(topic_partition, offset, error) from error
        timestamp_type = self._timestamp_type
        record: ConsumerRecord = _new_record(
            DeliveredRecord if self._delivery_count else ConsumerRecord,
            (
                self._topic,
                self._partition,
                header.partition_leader_epoch,
                offset,
                header.base_timestamp + timestamp_delta if timestamp_type == CREATE_TIME else header.max_timestamp,
                timestamp_type,
                converted_key,
                converted_value,
                headers,
                None,
                key_size if key_size >= 0 else -1,
                value_size if value_size >= 0 else -1,
                header_size,
            ),
        )
        if self._delivery_count:
            record._delivery_count = self._delivery_count  # type: ignore[attr-defined]  # a DeliveredRecord has it
        self.next_offset = offset + 1  # first: who is interrupted here does not take the record for a gap
        self._at, self._remaining = end, self._remaining - 1
        self.records_read += 1
        self.consumed_bytes += end - start
        return record

    def _is_aborted(self, header: BatchHeader) -> bool:
        """Whether a batch belongs to an aborted transaction that is to be passed over."""
        aborted = self._aborted
        if aborted is None or not header.is_transactional:
            return False
        while aborted and aborted[-1][0] < header.next_offset:
            self._aborting.add(aborted.pop()[1])
        return header.producer_id in self._aborting

    def _end_transaction(self, marker: BatchHeader) -> None:
        """What the producer writes behind its marker belongs to another transaction."""
        if self._is_aborted(marker):
            self._aborting.discard(marker.producer_id)

    def _enter_batch(self) -> bool:
        """Go to the next batch that has something for a consumer; False at the end."""
        if self._header is not None:
            # A batch keeps its last offset when compaction has removed the record (KIP-58), so go behind that.
            self.next_offset = max(self.next_offset, self._header.next_offset)
            self._header = None
            self._payload = b""
        while self._chunk_index < len(self._chunks):
            chunk = self._chunks[self._chunk_index]
            start = self._chunk_position
            left = len(chunk) - start
            if left <= 0:
                self._chunk_index += 1
                self._chunk_position = 0
                continue
            header = read_header(chunk, start) if left >= HEADER_SIZE_BYTES else None
            if header is None or header.size_bytes > left:
                size = 0 if header is None else header.size_bytes
                raise CorruptRecordError(
                    f"{self._topic}-{self._partition} at position {start} of the fetched bytes: expected a batch of 61 "
                    f"to {left} bytes, found {size} bytes"
                )
            if self._check_crcs:
                verify_checksum(chunk, start, header)
            if header.next_offset <= self.next_offset or header.is_control or self._is_aborted(header):
                if header.is_control:
                    self._end_transaction(header)
                self.next_offset = max(self.next_offset, header.next_offset)
                self._chunk_position += header.size_bytes
                continue
            body = memoryview(chunk)[start + HEADER_SIZE_BYTES : start + header.size_bytes]
            self._payload = bytes(decompress(header.compression_type, body))
            self._at = 0
            self._timestamp_type = LOG_APPEND_TIME if header.timestamp_type else CREATE_TIME
            self._chunk_position += header.size_bytes
            self._header = header
            self._remaining = header.records_count
            self.leader_epoch = header.partition_leader_epoch
            if self._remaining > 0:
                return True
            self.next_offset = header.next_offset
        self.exhausted = True
        return False
