"""Compression of a batch's records as one block, in the framings that Kafka's clients agree on.

* gzip: one member, by the standard library.
* snappy: the xerial stream (``org.xerial.snappy.SnappyOutputStream``): a 16-byte header, then blocks of 32 KiB, each
  behind its compressed length as a big-endian int32.  A bare snappy block is understood too, as in librdkafka's output.
* lz4: the LZ4 frame format with independent blocks of 64 KiB
  (``org.apache.kafka.common.compress.Lz4BlockOutputStream``).  Java's client rejects linked blocks, which is what
  cramjam's own frame has, so the frame is put together here.
* zstd: one frame that names its content's size.

Every call works on its own state, so threads do not disturb each other; cramjam and zlib release the GIL.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from embedkafka.errors import CorruptRecordError, UnsupportedCompressionTypeError
from embedkafka.record.format import Buffer

NONE = 0
GZIP = 1
SNAPPY = 2
LZ4 = 3
ZSTD = 4

NAMES = ("none", "gzip", "snappy", "lz4", "zstd")

_XERIAL_HEADER = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
_XERIAL_BLOCK_BYTES = 32 * 1024
_XERIAL_LENGTH = struct.Struct(">i")

# Magic; version 1 with independent blocks and no checksums; blocks up to 64 KiB; second byte of xxh32 of those two.
_LZ4_HEADER = bytes.fromhex("04224d18 6040 82")
_LZ4_BLOCK_BYTES = 64 * 1024
_LZ4_LENGTH = struct.Struct("<I")
_LZ4_STORED_FLAG = 0x80000000  # this block did not get smaller and is stored as it is
_LZ4_END_MARK = bytes(4)

_LZ4_MAGIC = 0x184D2204

_ZSTD_MAGIC = 0xFD2FB528
_ZSTD_SKIPPED_MAGIC = 0x184D2A50
_ZSTD_BLOCK_BYTES = 128 * 1024
_ZSTD_RLE = 1
_ZSTD_COMPRESSED = 2

_NO_LIMIT = 2**62

_GZIP_WINDOW_BITS = 31  # the largest window, with a gzip header and trailer


def type_by_name(name: str | None) -> int:
    """The number of a compression type by its configured name; None is ``none``.

    Raises:
        ValueError: there is no such type.
    """
    if name is None:
        return NONE
    try:
        return NAMES.index(name)
    except ValueError:
        raise ValueError(f"compression type {name!r}: expected one of {', '.join(NAMES)}") from None


def compress(compression_type: int, data: Buffer, level: int | None = None) -> Buffer:
    """Compress a block.

    Args:
        compression_type: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
        data: one contiguous buffer.
        level: gzip 1-9 (6), lz4 1-17 (9, anything above is slower and smaller), zstd 1-22 (3); None is the default.

    Raises:
        UnsupportedCompressionTypeError: an unknown number.
    """
    if compression_type == NONE:
        return data
    if not 0 < compression_type < len(NAMES):
        raise UnsupportedCompressionTypeError(f"compression type {compression_type}: expected 0 to {len(NAMES) - 1}")
    return _COMPRESSORS[compression_type](data, level)


def decompress(compression_type: int, data: Buffer, max_bytes: int | None = None) -> Buffer:
    """Undo :func:`compress`.

    Args:
        max_bytes: refuse what might become larger, before any memory is taken for it: for data of strangers.  Snappy is
            let through, which makes at most about twenty bytes of one.

    Raises:
        UnsupportedCompressionTypeError: an unknown number.
        CorruptRecordError: the data is not in the framing of that type, or too much.
    """
    if compression_type == NONE:
        return data
    if not 0 < compression_type < len(NAMES):
        raise UnsupportedCompressionTypeError(f"compression type {compression_type}: expected 0 to {len(NAMES) - 1}")
    try:
        return _DECOMPRESSORS[compression_type](data, max_bytes)
    except CorruptRecordError:
        raise
    except Exception as error:  # cramjam and zlib each have errors of their own
        raise CorruptRecordError(f"{NAMES[compression_type]} block of {len(data)} bytes: {error}") from error


def _gzip(data: Buffer, level: int | None) -> bytes:
    compressor = zlib.compressobj(
        zlib.Z_DEFAULT_COMPRESSION if level is None else level, zlib.DEFLATED, _GZIP_WINDOW_BITS
    )
    return compressor.compress(data) + compressor.flush()


def _gunzip(data: Buffer, max_bytes: int | None) -> bytes:
    out: list[bytes] = []
    left_bytes = _NO_LIMIT if max_bytes is None else max_bytes
    rest: Any = data
    while len(rest):  # a stream may have several members
        decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
        piece = decompressor.decompress(rest, left_bytes + 1)
        left_bytes -= len(piece)
        if left_bytes < 0:
            raise _too_much(GZIP, data, max_bytes)
        out.append(piece)
        if not decompressor.eof:
            raise CorruptRecordError(f"gzip block of {len(data)} bytes: cut off")
        rest = decompressor.unused_data
    return b"".join(out)


def _snappy(data: Buffer, level: int | None) -> bytes:
    from cramjam import snappy

    chunks: list[Any] = [_XERIAL_HEADER]
    with memoryview(data) as view:
        for start in range(0, len(view), _XERIAL_BLOCK_BYTES):
            with view[start : start + _XERIAL_BLOCK_BYTES] as block:
                compressed = bytes(snappy.compress_raw(block))
            chunks += (_XERIAL_LENGTH.pack(len(compressed)), compressed)
    return b"".join(chunks)


def _unsnappy(data: Buffer, max_bytes: int | None) -> Buffer:
    from cramjam import snappy

    view = memoryview(data)
    if bytes(view[:8]) != _XERIAL_HEADER[:8]:
        return memoryview(snappy.decompress_raw(view))
    chunks = []
    position = len(_XERIAL_HEADER)
    while position < len(view):
        (length,) = _XERIAL_LENGTH.unpack_from(view, position)
        position += _XERIAL_LENGTH.size
        if length < 0 or position + length > len(view):
            raise CorruptRecordError(f"snappy block of {length} bytes at {position}, found {len(view) - position}")
        chunks.append(bytes(snappy.decompress_raw(view[position : position + length])))
        position += length
    return b"".join(chunks)


def _lz4(data: Buffer, level: int | None) -> bytes:
    from cramjam import lz4

    mode: dict[str, Any] = {} if level is None else {"mode": "high_compression", "compression": level}
    chunks: list[Any] = [_LZ4_HEADER]
    with memoryview(data) as view:
        for start in range(0, len(view), _LZ4_BLOCK_BYTES):
            with view[start : start + _LZ4_BLOCK_BYTES] as block:
                compressed = bytes(lz4.compress_block(block, store_size=False, **mode))
                if len(compressed) < len(block):
                    chunks += (_LZ4_LENGTH.pack(len(compressed)), compressed)
                else:
                    chunks += (_LZ4_LENGTH.pack(len(block) | _LZ4_STORED_FLAG), bytes(block))
    chunks.append(_LZ4_END_MARK)
    return b"".join(chunks)


def _unlz4(data: Buffer, max_bytes: int | None) -> Buffer:
    from cramjam import lz4

    if max_bytes is not None and _lz4_bound(memoryview(data), max_bytes) > max_bytes:
        raise _too_much(LZ4, data, max_bytes)

    return memoryview(lz4.decompress(data))


def _zstd(data: Buffer, level: int | None) -> Buffer:
    from cramjam import zstd

    return memoryview(zstd.compress(data) if level is None else zstd.compress(data, level=level))


def _unzstd(data: Buffer, max_bytes: int | None) -> Buffer:
    from cramjam import zstd

    if max_bytes is not None and _zstd_bound(memoryview(data), max_bytes) > max_bytes:
        raise _too_much(ZSTD, data, max_bytes)

    return memoryview(zstd.decompress(data))


def _too_much(compression_type: int, data: Buffer, max_bytes: int | None) -> CorruptRecordError:
    return CorruptRecordError(f"{NAMES[compression_type]} block of {len(data)} bytes becomes more than {max_bytes}")


def _lz4_bound(data: memoryview, max_bytes: int) -> int:
    """At most what the frames' blocks may become: each names its size, and the frame how large one gets."""
    size_bytes = position = 0
    while position < len(data) and size_bytes <= max_bytes:
        (magic,) = _LZ4_LENGTH.unpack_from(data, position)
        if magic != _LZ4_MAGIC:
            raise CorruptRecordError(f"lz4 frame at byte {position} begins with {magic:#x}")
        flags, sizes = data[position + 4], data[position + 5]
        block_bytes = 1 << (8 + 2 * (sizes >> 4 & 7))
        position += 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
        while size_bytes <= max_bytes:
            (length,) = _LZ4_LENGTH.unpack_from(data, position)
            position += 4
            if not length:
                break
            position += (length & ~_LZ4_STORED_FLAG) + (4 if flags & 16 else 0)
            size_bytes += length & ~_LZ4_STORED_FLAG if length & _LZ4_STORED_FLAG else block_bytes
        position += 4 if flags & 4 else 0
    return size_bytes


def _zstd_bound(data: memoryview, max_bytes: int) -> int:
    """At most what the frames' blocks may become (RFC 8878): a compressed one makes no more than 128 KiB."""
    size_bytes = position = 0
    while position < len(data) and size_bytes <= max_bytes:
        (magic,) = _LZ4_LENGTH.unpack_from(data, position)
        if magic & ~0xF == _ZSTD_SKIPPED_MAGIC:
            position += 8 + _LZ4_LENGTH.unpack_from(data, position + 4)[0]
            continue
        if magic != _ZSTD_MAGIC:
            raise CorruptRecordError(f"zstd frame at byte {position} begins with {magic:#x}")
        descriptor = data[position + 4]
        is_single = descriptor >> 5 & 1
        content_size_bytes = (is_single, 2, 4, 8)[descriptor >> 6]
        position += 5 + (1 - is_single) + (0, 1, 2, 4)[descriptor & 3] + content_size_bytes
        is_last = 0
        while not is_last and size_bytes <= max_bytes:
            header = int.from_bytes(data[position : position + 3], "little")
            is_last, kind, length = header & 1, header >> 1 & 3, header >> 3
            position += 3 + (1 if kind == _ZSTD_RLE else length)
            size_bytes += _ZSTD_BLOCK_BYTES if kind == _ZSTD_COMPRESSED else length
            if position > len(data):
                break
        position += 4 if descriptor & 4 else 0
    return size_bytes


_COMPRESSORS: dict[int, Callable[[Buffer, int | None], Buffer]] = {GZIP: _gzip, SNAPPY: _snappy, LZ4: _lz4, ZSTD: _zstd}
_DECOMPRESSORS: dict[int, Callable[[Buffer, int | None], Buffer]] = {
    GZIP: _gunzip,
    SNAPPY: _unsnappy,
    LZ4: _unlz4,
    ZSTD: _unzstd,
}
