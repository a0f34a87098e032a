"""Whole batches: a header and its records, compressed or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embedkafka.errors import CorruptRecordError
from embedkafka.record import codec
from embedkafka.record.compression import NONE, compress, decompress
from embedkafka.record.format import (
    CONTROL_FLAG,
    DELETE_HORIZON_FLAG,
    HEADER,
    HEADER_SIZE_BYTES,
    LENGTH_END,
    LOG_APPEND_TIME,
    LOG_APPEND_TIME_FLAG,
    MAGIC_V2,
    TRANSACTIONAL_FLAG,
    BatchHeader,
    Buffer,
    read_header,
    write_checksum,
)


def encode_batch(
    records: Iterable[tuple[int, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]],
    *,
    offsets: Iterable[int] | None = None,
    base_offset: int | None = None,
    last_offset: int | None = None,
    compression_type: int = 0,
    timestamp_type: int = 0,
    max_timestamp: int | None = None,
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
    leader_epoch: int = -1,
    is_transactional: bool = False,
    is_control: bool = False,
    delete_horizon_ms: int | None = None,
) -> bytearray:
    """Encode a batch; what a compaction keeps of one, too.

    Args:
        records: ``(timestamp_ms, key, value, headers)`` each; none, as compaction leaves a producer's last batch.
        offsets: the absolute offset of each record, rising; None counts up from ``base_offset``.
        base_offset: the batch's; None is the first of ``offsets``, or 0.
        last_offset: the batch's last offset where it lies behind the last record, as after compaction.
        compression_type: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
        timestamp_type: 0 CreateTime, 1 LogAppendTime.
        max_timestamp: milliseconds; None is the largest among ``records``.
        delete_horizon_ms: when its tombstones may go (KIP-534); takes the place of the base timestamp.

    Raises:
        UnsupportedCompressionTypeError: an unknown compression type.
    """
    if offsets is None and base_offset is None:
        base_offset = 0
    out = bytearray(HEADER_SIZE_BYTES)
    count, base_offset, last_record_offset, base_timestamp, largest_timestamp = codec.encode_records(
        out, records, offsets, base_offset, delete_horizon_ms
    )
    if compression_type != NONE:
        with memoryview(out) as whole, whole[HEADER_SIZE_BYTES:] as plain:
            compressed = compress(compression_type, plain)
        out[HEADER_SIZE_BYTES:] = compressed
    attributes = (
        compression_type
        | (LOG_APPEND_TIME_FLAG if timestamp_type == LOG_APPEND_TIME else 0)
        | (TRANSACTIONAL_FLAG if is_transactional else 0)
        | (CONTROL_FLAG if is_control else 0)
        | (DELETE_HORIZON_FLAG if delete_horizon_ms is not None else 0)
    )
    if last_offset is None:
        last_offset = max(last_record_offset, base_offset)
    HEADER.pack_into(
        out,
        0,
        base_offset,
        len(out) - LENGTH_END,
        leader_epoch,
        MAGIC_V2,
        0,
        attributes,
        last_offset - base_offset,
        base_timestamp,
        largest_timestamp if max_timestamp is None else max_timestamp,
        producer_id,
        producer_epoch,
        base_sequence,
        count,
    )
    write_checksum(out)
    return out


def decode_batch(buffer: Buffer, position: int = 0, header: BatchHeader | None = None) -> list[codec.Record]:
    """Read the records of the batch at ``position``; the checksum is not looked at, see ``verify_checksum``.

    Raises:
        CorruptRecordError: the batch is cut off, or its bytes are not the records its header announces.
    """
    if header is None:
        header = read_header(buffer, position)
    payload = records_of(buffer, position, header)
    return codec.decode_records(
        payload,
        0,
        header.records_count,
        header.base_offset,
        header.base_timestamp,
        header.max_timestamp if header.timestamp_type == LOG_APPEND_TIME else None,
    )


def records_of(buffer: Buffer, position: int, header: BatchHeader, max_bytes: int | None = None) -> Buffer:
    """The batch's records as plain bytes, decompressed where they are not; ``max_bytes`` as for :func:`decompress`."""
    end = position + header.size_bytes
    if end > len(buffer):
        raise CorruptRecordError(
            f"at position {position}: the batch takes {header.size_bytes} bytes, found {len(buffer) - position}"
        )
    return decompress(header.compression_type, memoryview(buffer)[position + HEADER_SIZE_BYTES : end], max_bytes)
