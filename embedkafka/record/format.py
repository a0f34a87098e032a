"""Record batch v2, the one format of this library: in a producer's open batch, in a segment file, in a fetch reply.

A batch is a header of 61 bytes and its records, every number big-endian
(``org.apache.kafka.common.record.DefaultRecordBatch``)::

    position  field                   type    why it is there
    0         base offset             int64   given by the leader when it appends; outside the checksum
    8         batch length            int32   bytes after this field
    12        partition leader epoch  int32   given by the leader when it appends; outside the checksum
    16        magic                   int8    2; its position is the same in every format Kafka ever had
    17        checksum                uint32  CRC-32C of everything from position 21 to the end
    21        attributes              int16   bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control,
                                              6 base timestamp is the delete horizon (KIP-534)
    23        last offset delta       int32   kept by compaction, so that the offsets of a batch never change
    27        base timestamp          int64   what the records' timestamp deltas are added to
    35        max timestamp           int64   with LogAppendTime, the timestamp of every record
    43        producer id             int64   -1: not idempotent
    51        producer epoch          int16
    53        base sequence           int32   of the first record; -1 without a producer id
    57        record count            int32   of the records that are there now
    61        records                         compressed as one block when bits 0-2 say so

A record is made of zig-zag varints (``org.apache.kafka.common.record.DefaultRecord``)::

    length of what follows, attributes (int8, unused), timestamp delta, offset delta,
    key length (-1: null), key, value length (-1: null), value,
    header count, and for each header: name length, name (UTF-8), value length (-1: null), value

Only the first 21 bytes lie outside the checksum, so appending a batch to a log patches 12 bytes and copies nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from embedkafka.errors import CorruptRecordError

HEADER = struct.Struct(">qiibIhiqqqhii")
HEADER_SIZE_BYTES = HEADER.size
LENGTH_END = 12  # where the bytes that the length field counts begin
CHECKSUM_POSITION = 17
CHECKSUMMED_FROM = 21

MAGIC_V2 = 2
COMPRESSION_MASK = 0x07
LOG_APPEND_TIME_FLAG = 0x08
TRANSACTIONAL_FLAG = 0x10
CONTROL_FLAG = 0x20
DELETE_HORIZON_FLAG = 0x40

CREATE_TIME = 0
LOG_APPEND_TIME = 1

NO_TIMESTAMP = -1
NO_PRODUCER_ID = -1
MAX_SEQUENCE = (1 << 31) - 1  # sequence numbers go on with 0

_OFFSET = struct.Struct(">q")
_INT32 = struct.Struct(">i")
_UINT32 = struct.Struct(">I")
_INT16 = struct.Struct(">h")

Buffer = bytes | bytearray | memoryview


class BatchHeader(NamedTuple):
    """The 61 bytes before a batch's records, under Kafka's names."""

    base_offset: int
    batch_length: int
    partition_leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def size_bytes(self) -> int:
        """The whole batch, header included."""
        return self.batch_length + LENGTH_END

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        return self.base_offset + self.last_offset_delta + 1

    @property
    def last_sequence(self) -> int:
        """The last record's sequence number; numbers wrap after 2**31 - 1.  -1 without a producer id."""
        if self.base_sequence < 0:
            return -1
        return (self.base_sequence + self.last_offset_delta) & MAX_SEQUENCE

    @property
    def compression_type(self) -> int:
        """0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
        return self.attributes & COMPRESSION_MASK

    @property
    def timestamp_type(self) -> int:
        """0 CreateTime, 1 LogAppendTime."""
        return LOG_APPEND_TIME if self.attributes & LOG_APPEND_TIME_FLAG else CREATE_TIME

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL_FLAG)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & CONTROL_FLAG)

    @property
    def delete_horizon_ms(self) -> int | None:
        """When tombstones and markers of this batch may go (KIP-534); None until the cleaner has set it."""
        return self.base_timestamp if self.attributes & DELETE_HORIZON_FLAG else None


def read_header(buffer: Buffer, position: int = 0) -> BatchHeader:
    """Read the header of the batch at ``position``; the records need not be there.

    Raises:
        CorruptRecordError: fewer than 61 bytes are left, a magic other than 2, or an impossible length.
    """
    if position < 0 or len(buffer) - position < HEADER_SIZE_BYTES:
        raise CorruptRecordError(
            f"at position {position}: a batch header takes {HEADER_SIZE_BYTES} bytes, found {len(buffer) - position}"
        )
    header = BatchHeader._make(HEADER.unpack_from(buffer, position))
    if header.magic != MAGIC_V2:
        raise CorruptRecordError(f"at position {position}: expected magic {MAGIC_V2}, found {header.magic}")
    if header.batch_length < HEADER_SIZE_BYTES - LENGTH_END:
        raise CorruptRecordError(
            f"at position {position}: expected a batch length of at least {HEADER_SIZE_BYTES - LENGTH_END}, "
            f"found {header.batch_length}"
        )
    return header


def iter_headers(buffer: Buffer, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
    """Yield position and header of each whole batch from ``position`` on; a batch cut off at the end is left out.

    Raises:
        CorruptRecordError: a wrong magic or an impossible length, found when that batch is reached.
    """
    end = len(buffer)
    while end - position >= HEADER_SIZE_BYTES:
        header = read_header(buffer, position)
        next_position = position + header.batch_length + LENGTH_END
        if next_position > end:
            return
        yield position, header
        position = next_position


def next_offset_after(chunk: Buffer) -> int:
    """The offset after the last batch of a chunk of whole batches."""
    last = None
    for _, header in iter_headers(chunk):
        last = header
    assert last is not None
    return last.next_offset


def verify_checksum(buffer: Buffer, position: int = 0, header: BatchHeader | None = None) -> None:
    """Compare the batch's checksum with its bytes; costs one pass over them.

    Args:
        header: the batch's header, when it is at hand.

    Raises:
        CorruptRecordError: the batch is cut off, or its bytes are not those that were written.
    """
    if header is None:
        header = read_header(buffer, position)
    end = position + header.batch_length + LENGTH_END
    if end > len(buffer):
        raise CorruptRecordError(
            f"at position {position}: the batch takes {header.size_bytes} bytes, found {len(buffer) - position}"
        )
    found = _checksum(buffer, position, end)
    if found != header.checksum:
        raise CorruptRecordError(
            f"at position {position}, base offset {header.base_offset}: "
            f"expected checksum {header.checksum:#010x}, found {found:#010x}"
        )


def patch_offsets(buffer: bytearray | memoryview, position: int, *, base_offset: int, leader_epoch: int) -> None:
    """Give the batch at ``position`` its place in the log: 12 bytes, none of which the checksum covers."""
    _OFFSET.pack_into(buffer, position, base_offset)
    _INT32.pack_into(buffer, position + 12, leader_epoch)


def patch_producer(
    buffer: bytearray | memoryview, position: int, *, producer_id: int, producer_epoch: int, base_sequence: int
) -> None:
    """Give the batch at ``position`` a producer's identity and sequence number, and a new checksum."""
    _OFFSET.pack_into(buffer, position + 43, producer_id)
    _INT16.pack_into(buffer, position + 51, producer_epoch)
    _INT32.pack_into(buffer, position + 53, base_sequence)
    write_checksum(buffer, position)


def stamp_append_time(buffer: bytearray | memoryview, position: int, timestamp_ms: int) -> None:
    """Switch the batch at ``position`` to LogAppendTime: every record then has ``timestamp_ms``.

    The records stay as they are, compressed or not: readers take the header's max timestamp.  Writes a new checksum.
    """
    (attributes,) = _INT16.unpack_from(buffer, position + 21)
    _INT16.pack_into(buffer, position + 21, attributes | LOG_APPEND_TIME_FLAG)
    _OFFSET.pack_into(buffer, position + 35, timestamp_ms)
    write_checksum(buffer, position)


def write_checksum(buffer: bytearray | memoryview, position: int = 0) -> None:
    """Compute the checksum of the batch at ``position``, whose length field is final, and store it."""
    (batch_length,) = _INT32.unpack_from(buffer, position + 8)
    checksum = _checksum(buffer, position, position + batch_length + LENGTH_END)
    _UINT32.pack_into(buffer, position + CHECKSUM_POSITION, checksum)


def _checksum(buffer: Buffer, position: int, end: int) -> int:
    with memoryview(buffer) as view, view[position + CHECKSUMMED_FROM : end] as covered:
        return crc32c(covered)


def read_through(data: Buffer) -> None:
    """Read a buffer once without the GIL, so that its pages are in memory where it is mapped from a file."""
    crc32c(data)


def crc32c(data: Buffer) -> int:
    """CRC-32C of a buffer.  The package takes 15 ms to import, so that happens at the first checksum."""
    return _crc32c(data)


def _load_crc32c(data: Buffer) -> int:
    global _crc32c
    from crc32c import crc32c as implementation

    _crc32c = implementation
    return _crc32c(data)


_crc32c: Callable[[Buffer], int] = _load_crc32c
