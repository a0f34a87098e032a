"""The codec in plain Python: the readable reference, and the fallback where the compiled module could not be built.

``_codec.pyx`` offers the same names; one conformance suite (``tests/record``) runs on both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from embedkafka.errors import CorruptRecordError
from embedkafka.record._shared import HeaderList, Record
from embedkafka.record.format import Buffer

RecordParts = tuple[int, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


_WORDS = [struct.Struct(f"<{count}I") for count in range(17)]


def murmur2(data: Buffer) -> int:
    """Kafka's 32-bit MurmurHash2, as a signed number (``org.apache.kafka.common.utils.Utils.murmur2``)."""
    length = len(data)
    hashed = 0x9747B28C ^ length
    count = length >> 2
    words = _WORDS[count] if count < len(_WORDS) else struct.Struct(f"<{count}I")
    for word in words.unpack_from(data):
        word = word * 0x5BD1E995 & 0xFFFFFFFF
        hashed = hashed * 0x5BD1E995 & 0xFFFFFFFF ^ (word ^ word >> 24) * 0x5BD1E995 & 0xFFFFFFFF
    if length & 3:
        hashed = (hashed ^ int.from_bytes(data[length & ~3 :], "little")) * 0x5BD1E995 & 0xFFFFFFFF
    hashed = (hashed ^ hashed >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    hashed ^= hashed >> 15
    return hashed - 0x100000000 if hashed & 0x80000000 else hashed


def encode_varint(value: int) -> bytes:
    """A signed number: zig-zag, then seven bits a byte, lowest first, the high bit meaning that more follow."""
    value = value << 1 if value >= 0 else (-value << 1) - 1
    if value < 0x80:
        return value.to_bytes(1, "little")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = [encode_varint(value) for value in range(512)]
"""The numbers that nearly every length and delta is among."""


def read_varint(buffer: Buffer, position: int) -> tuple[int, int]:
    """Read a signed number; returns it and the position behind it."""
    byte = buffer[position]
    position += 1
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        if shift > 63:
            raise CorruptRecordError(f"at position {position}: a number of more than ten bytes")
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), position


def write_record(
    out: bytearray,
    timestamp_delta: int,
    offset_delta: int,
    key: Buffer | None,
    value: Buffer | None,
    headers: Sequence[tuple[str, Buffer | None]],
) -> None:
    """Append one record in the format drawn in :mod:`embedkafka.record.format`."""
    key_size = -1 if key is None else len(key)
    value_size = -1 if value is None else len(value)
    body = b"".join(
        (
            b"\0",  # attributes, unused
            _SMALL[timestamp_delta] if 0 <= timestamp_delta < 512 else encode_varint(timestamp_delta),
            _SMALL[offset_delta] if 0 <= offset_delta < 512 else encode_varint(offset_delta),
            _SMALL[key_size] if 0 <= key_size < 512 else encode_varint(key_size),
            key or b"",
            _SMALL[value_size] if 0 <= value_size < 512 else encode_varint(value_size),
            value or b"",
            _encode_headers(headers) if headers else b"\0",
        )
    )
    size = len(body)
    out += _SMALL[size] if size < 512 else encode_varint(size)
    out += body


def _encode_headers(headers: Sequence[tuple[str, Buffer | None]]) -> bytes:
    parts: list[Buffer] = [encode_varint(len(headers))]
    for name, content in headers:
        encoded_name = name.encode()
        parts += (encode_varint(len(encoded_name)), encoded_name)
        parts += (b"\1",) if content is None else (encode_varint(len(content)), content)
    return b"".join(parts)


def encode_records(
    out: bytearray,
    records: Iterable[RecordParts],
    offsets: Iterable[int] | None,
    base_offset: int | None,
    base_timestamp: int | None,
) -> tuple[int, int, int, int, int]:
    """Append records to ``out``.

    Args:
        offsets: the absolute offset of each record, rising; None counts up from ``base_offset``.
        base_offset: None takes the first record's.
        base_timestamp: None takes the first record's.

    Returns:
        record count, base offset, last offset, base timestamp, max timestamp.
    """
    count = 0
    max_timestamp = -1
    last_offset = -1 if base_offset is None else base_offset - 1
    given = None if offsets is None else iter(offsets)
    for timestamp, key, value, headers in records:
        offset = last_offset + 1 if given is None else next(given)
        if base_offset is None:
            base_offset = offset
        if base_timestamp is None:
            base_timestamp = timestamp
        write_record(out, timestamp - base_timestamp, offset - base_offset, key, value, headers)
        max_timestamp = max(max_timestamp, timestamp)
        last_offset = offset
        count += 1
    return (
        count,
        0 if base_offset is None else base_offset,
        last_offset,
        -1 if base_timestamp is None else base_timestamp,
        max_timestamp,
    )


def decode_records(
    buffer: Buffer, position: int, count: int, base_offset: int, base_timestamp: int, append_time: int | None
) -> list[Record]:
    """Read the records between ``position`` and the end of ``buffer``.

    Args:
        append_time: the timestamp of every record where the batch has LogAppendTime, else None.

    Raises:
        CorruptRecordError: the bytes are not ``count`` whole records.
    """
    timestamp_type = 0 if append_time is None else 1
    records: list[Record] = []
    end = len(buffer)
    for _ in range(count):
        timestamp_delta, offset_delta, key, value, headers, position = _read_record(buffer, position, end)
        records.append(
            Record(
                base_offset + offset_delta,
                base_timestamp + timestamp_delta if append_time is None else append_time,
                timestamp_type,
                key,
                value,
                headers,
            )
        )
    if position != end:
        raise CorruptRecordError(f"{end - position} bytes are left after the last of {count} records")
    return records


def survey_records(buffer: Buffer, count: int, base_timestamp: int) -> tuple[int, int, bool, bool]:
    """Look at records without decoding them.

    Returns:
        The largest timestamp, -1 without any; the smallest of those that are not -1, 2^63-1 without any; whether the
        offset deltas count up from 0; whether every record has a key.

    Raises:
        CorruptRecordError: the bytes are not ``count`` whole records.
    """
    largest = -1
    smallest = 2**63 - 1
    is_consecutive = is_keyed = True
    position, end = 0, len(buffer)
    for index in range(count):
        timestamp_delta, offset_delta, key, _, _, position = _read_record(buffer, position, end)
        timestamp = base_timestamp + timestamp_delta
        largest = max(largest, timestamp)
        if timestamp != -1:
            smallest = min(smallest, timestamp)
        is_consecutive = is_consecutive and offset_delta == index
        is_keyed = is_keyed and key is not None
    if position != end:
        raise CorruptRecordError(f"{end - position} bytes are left after the last of {count} records")
    return largest, smallest, is_consecutive, is_keyed


def _read_record(
    buffer: Buffer, position: int, end: int
) -> tuple[int, int, bytes | None, bytes | None, HeaderList, int]:
    start = position
    try:
        length, position = read_varint(buffer, position)
        record_end = position + length
        if length < 0 or record_end > end:
            raise CorruptRecordError(f"record at {start}: expected {length} bytes, found {end - position}")
        timestamp_delta, position = read_varint(buffer, position + 1)
        offset_delta, position = read_varint(buffer, position)
        key, position = _read_bytes(buffer, position, record_end)
        value, position = _read_bytes(buffer, position, record_end)
        header_count = buffer[position]
        if header_count == 0:
            position += 1
            headers: HeaderList = []
        else:
            headers, position = read_headers(buffer, position, record_end)
    except IndexError:
        raise CorruptRecordError(f"record at {start}: cut off") from None
    if position != record_end:
        raise CorruptRecordError(f"record at {start}: expected to end at {record_end}, found {position}")
    return timestamp_delta, offset_delta, key, value, headers, position


def _read_bytes(buffer: Buffer, position: int, end: int) -> tuple[bytes | None, int]:
    length, position = read_varint(buffer, position)
    if length < 0:
        return None, position
    part_end = position + length
    if part_end > end:
        raise CorruptRecordError(f"at position {position}: expected {length} bytes, found {end - position}")
    return bytes(buffer[position:part_end]), part_end


def read_headers(buffer: Buffer, position: int, end: int) -> tuple[HeaderList, int]:
    count, position = read_varint(buffer, position)
    if count < 0 or count > end - position:
        raise CorruptRecordError(f"at position {position}: {count} headers")
    headers: HeaderList = []
    for _ in range(count):
        name, position = _read_bytes(buffer, position, end)
        if name is None:
            raise CorruptRecordError(f"at position {position}: a header without a name")
        content, position = _read_bytes(buffer, position, end)
        headers.append((_header_name(name), content))
    return headers, position


def _header_name(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise CorruptRecordError(f"a header's name is not UTF-8: {name!r}") from error


class ConsumerRecord(NamedTuple):
    """A record as a consumer gets it, with kafka-python's thirteen fields."""

    topic: str
    partition: int
    leader_epoch: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: Any
    value: Any
    headers: HeaderList
    checksum: int | None
    serialized_key_size: int
    serialized_value_size: int
    serialized_header_size: int

    @property
    def delivery_count(self) -> int | None:
        """How often a share group has handed out this record, this time included; None for other consumers' records."""
        count: int | None = getattr(self, "_delivery_count", None)
        return count


class DeliveredRecord(ConsumerRecord):
    """One that a share group has handed out; the count is no field of the tuple."""

    _delivery_count: int
