"""What is checked and changed in batches before they are appended (Kafka's ``LogValidator``).

Batches that this process's own codec has just built (``trusted``) are right by construction: only what depends on the
topic is left to do for them, and all of it at the header, unless the topic asks for a look at every record (compacted
topics need keys; ``message.timestamp.before.max.ms`` needs the smallest timestamp).  Batches that came over the wire
are checked from checksum to record offsets.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from embedkafka.errors import (
    BrokerResponseError,
    CorruptRecordError,
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import (
    HEADER_SIZE_BYTES,
    BatchHeader,
    compress,
    decode_batch,
    read_header,
    records_of,
    stamp_append_time,
    survey_records,
    verify_checksum,
)
from embedkafka.record.format import COMPRESSION_MASK, LENGTH_END, NO_TIMESTAMP, Buffer, write_checksum
from embedkafka.storage.config import LOG_APPEND_TIME, LONG_MAX, LogConfig

# The topic config compression.type; "producer" keeps what came.
COMPRESSION_TYPES = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

# What a batch may become when it is decompressed to be looked at: a request that carried it uncompressed would be
# refused beyond this (Kafka's default of socket.request.max.bytes).  A kilobyte of zstd can become gigabytes.
_MAX_RECORDS_BYTES = 104_857_600

_LENGTH_POSITION = 8
_ATTRIBUTES_POSITION = 21
_MAX_TIMESTAMP_POSITION = 35


def prepare(
    records: Buffer,
    config: LogConfig,
    *,
    topic_partition: TopicPartition,
    now_ms: int,
    trusted: bool,
    from_client: bool,
    replicated: bool,
) -> tuple[bytearray | memoryview, list[BatchHeader], int]:
    """Check batches and make them fit the topic; returns writable batches, their headers, and the append time or -1.

    Args:
        records: whole batches.
        now_ms: wall clock, milliseconds since the epoch.
        trusted: built by this process's own codec.
        from_client: no control batches, offsets from 0.
        replicated: they come from the leader, which has done all this: only checksums are looked at.

    Raises:
        CorruptRecordError, InvalidRecordError, InvalidTimestampError, MessageSizeTooLargeError,
        RecordListTooLargeError: see :meth:`embedkafka.storage.log.Log.append`.
    """
    headers = _read_headers(records)
    positions = _positions(headers)
    if not trusted:
        for position, header in positions:
            verify_checksum(records, position, header)
    if isinstance(records, bytes) or (isinstance(records, memoryview) and records.readonly):
        records = bytearray(records)
    if replicated:
        return records, headers, -1
    if not trusted and from_client:
        for header in headers:
            _check_client_header(header, topic_partition)
    compression = COMPRESSION_TYPES.get(config.compression_type)
    if compression is not None and any(
        header.attributes & COMPRESSION_MASK != compression and not header.is_control for header in headers
    ):
        records = _recompress(records, headers, compression)
        headers = _read_headers(records)
        positions = _positions(headers)
    size_bytes = 0
    for header in headers:
        batch_bytes = header.batch_length + LENGTH_END
        size_bytes += batch_bytes
        if batch_bytes > config.max_message_bytes:
            raise MessageSizeTooLargeError(
                f"{_name(topic_partition)}: a batch of {batch_bytes} bytes exceeds max.message.bytes "
                f"{config.max_message_bytes}"
            )
    if size_bytes > config.segment_bytes:
        raise RecordListTooLargeError(
            f"{_name(topic_partition)}: {size_bytes} bytes of batches exceed segment.bytes {config.segment_bytes}"
        )
    is_log_append_time = config.message_timestamp_type == LOG_APPEND_TIME
    needs_keys = from_client and config.is_compacted
    if not trusted or needs_keys or (config.message_timestamp_before_max_ms < LONG_MAX and not is_log_append_time):
        headers = [
            _check_records(
                records,
                position,
                header,
                config,
                topic_partition=topic_partition,
                now_ms=now_ms,
                from_client=from_client,
                checks_timestamps=from_client and not is_log_append_time,
            )
            for position, header in positions
        ]
    elif not is_log_append_time and from_client:
        latest_ms = now_ms + config.message_timestamp_after_max_ms
        for header in headers:
            if header.max_timestamp > latest_ms:
                raise _timestamp_error(header.max_timestamp, config, topic_partition, now_ms)
    if is_log_append_time:
        for position, _ in positions:
            stamp_append_time(records, position, now_ms)
        return records, [header._replace(max_timestamp=now_ms) for header in headers], now_ms
    return records, headers, -1


def _read_headers(records: Buffer) -> list[BatchHeader]:
    size_bytes = len(records)
    header = read_header(records)
    position = header.batch_length + LENGTH_END
    headers = [header]
    while position < size_bytes:
        header = read_header(records, position)
        headers.append(header)
        position += header.batch_length + LENGTH_END
    if position > size_bytes:
        raise CorruptRecordError(f"the last batch is cut off: expected {position} bytes of batches, found {size_bytes}")
    return headers


def _positions(headers: Sequence[BatchHeader]) -> list[tuple[int, BatchHeader]]:
    positions = []
    position = 0
    for header in headers:
        positions.append((position, header))
        position += header.batch_length + LENGTH_END
    return positions


def _check_client_header(header: BatchHeader, topic_partition: TopicPartition) -> None:
    name = _name(topic_partition)
    if header.base_offset != 0:
        raise InvalidRecordError(f"{name}: a client's batch starts at offset 0, this one at {header.base_offset}")
    if header.is_control:
        raise InvalidRecordError(f"{name}: clients may not write control batches")
    if header.records_count <= 0 or header.records_count != header.last_offset_delta + 1:
        raise InvalidRecordError(
            f"{name}: a batch of {header.records_count} records cannot span {header.last_offset_delta + 1} offsets"
        )
    if header.producer_id >= 0 and header.base_sequence < 0:
        raise InvalidRecordError(
            f"{name}: sequence number {header.base_sequence} in a batch of producer {header.producer_id}"
        )
    if header.timestamp_type == 1:
        raise InvalidTimestampError(f"{name}: only the broker sets the timestamp type LogAppendTime")


def _check_records(
    records: bytearray | memoryview,
    position: int,
    header: BatchHeader,
    config: LogConfig,
    *,
    topic_partition: TopicPartition,
    now_ms: int,
    from_client: bool,
    checks_timestamps: bool,
) -> BatchHeader:
    """Check every record; returns the header, whose max timestamp is made true."""
    needs_keys = config.is_compacted and from_client
    earliest_ms = now_ms - config.message_timestamp_before_max_ms
    latest_ms = now_ms + config.message_timestamp_after_max_ms
    if header.timestamp_type != 1:
        max_timestamp, min_timestamp, is_consecutive, is_keyed = survey_records(
            records_of(records, position, header, _MAX_RECORDS_BYTES), header.records_count, header.base_timestamp
        )
        if (
            (is_consecutive or not from_client)
            and (is_keyed or not needs_keys)
            and (not checks_timestamps or (earliest_ms <= min_timestamp and max_timestamp <= latest_ms))
        ):
            return _with_max_timestamp(records, position, header, max_timestamp) if checks_timestamps else header
    # Something may be wrong: look at every record to say which and what.
    max_timestamp = NO_TIMESTAMP
    expected_offset = header.base_offset
    keyless: list[int] = []
    untimely: list[tuple[int, int]] = []
    for index, record in enumerate(decode_batch(records, position, header)):
        if record.offset != expected_offset and from_client:
            raise InvalidRecordError(
                f"{_name(topic_partition)}: expected the record with offset {expected_offset} in its batch, "
                f"found {record.offset}"
            )
        if needs_keys and record.key is None:
            keyless.append(index)
        timestamp = record.timestamp
        if checks_timestamps and timestamp != NO_TIMESTAMP and not earliest_ms <= timestamp <= latest_ms:
            untimely.append((index, timestamp))
        max_timestamp = max(max_timestamp, timestamp)
        expected_offset += 1
    if untimely:
        refusal: BrokerResponseError = _timestamp_error(untimely[0][1], config, topic_partition, now_ms)
        refusal.record_indexes = tuple(index for index, _ in untimely)
        raise refusal
    if keyless:
        refusal = InvalidRecordError(
            f"{_name(topic_partition)}: a compacted topic takes no record without a key; record {keyless[0]} of the "
            "batch has none"
        )
        refusal.record_indexes = tuple(keyless)
        raise refusal
    return _with_max_timestamp(records, position, header, max_timestamp) if checks_timestamps else header


def _with_max_timestamp(
    records: bytearray | memoryview, position: int, header: BatchHeader, max_timestamp: int
) -> BatchHeader:
    """The header, made true where it names another largest timestamp than the records have."""
    if max_timestamp == header.max_timestamp:
        return header
    struct.pack_into(">q", records, position + _MAX_TIMESTAMP_POSITION, max_timestamp)
    write_checksum(records, position)
    return header._replace(max_timestamp=max_timestamp)


def _recompress(records: Buffer, headers: Sequence[BatchHeader], compression: int) -> bytearray:
    """The same batches with another compression, but for markers; records are not looked at."""
    out = bytearray()
    for position, header in _positions(headers):
        start = len(out)
        if header.is_control:
            out += memoryview(records)[position : position + header.size_bytes]
            continue
        payload = compress(compression, records_of(records, position, header, _MAX_RECORDS_BYTES))
        out += memoryview(records)[position : position + HEADER_SIZE_BYTES]
        out += payload
        struct.pack_into(">i", out, start + _LENGTH_POSITION, len(out) - start - LENGTH_END)
        attributes = header.attributes & ~COMPRESSION_MASK | compression
        struct.pack_into(">h", out, start + _ATTRIBUTES_POSITION, attributes)
        write_checksum(out, start)
    return out


def _timestamp_error(
    timestamp: int, config: LogConfig, topic_partition: TopicPartition, now_ms: int
) -> InvalidTimestampError:
    return InvalidTimestampError(
        f"{_name(topic_partition)}: timestamp {timestamp} lies {timestamp - now_ms} ms from now; "
        f"message.timestamp.before.max.ms is {config.message_timestamp_before_max_ms}, "
        f"message.timestamp.after.max.ms {config.message_timestamp_after_max_ms}"
    )


def _name(topic_partition: TopicPartition) -> str:
    return f"{topic_partition.topic}-{topic_partition.partition}"
