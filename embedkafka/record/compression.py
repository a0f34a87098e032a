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


def decompress(compression_type: int, data: Buffer) -> Buffer:
    """Undo :func:`compress`.

    Raises:
        UnsupportedCompressionTypeError: an unknown number.
        CorruptRecordError: the data is not in the framing of that type.
    """
    if compression_type == NONE:
        return data
    if not 0 < compression_type < len(NAMES):
        raise UnsupportedCompressionTypeError(f"compression type {compression_type}: expected 0 to {len(NAMES) - 1}")
    try:
        return _DECOMPRESSORS[compression_type](data)
    except CorruptRecordError:
        raise
    except Exception as error:  # cramjam and zlib each have errors of their own
        raise CorruptRecordError(f"{NAMES[compression_type]} block of {len(data)} bytes: {error}") from error


def _gzip(data: Buffer, level: int | None) -> bytes:
    compressor = zlib.compressobj(
        zlib.Z_DEFAULT_COMPRESSION if level is None else level, zlib.DEFLATED, _GZIP_WINDOW_BITS
    )
    return compressor.compress(data) + compressor.flush()


def _gunzip(data: Buffer) -> bytes:
    out = []
    rest: Any = data
    while len(rest):  # a stream may have several members
        decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
        out.append(decompressor.decompress(rest))
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


def _unsnappy(data: Buffer) -> Buffer:
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


def _unlz4(data: Buffer) -> Buffer:
    from cramjam import lz4

    return memoryview(lz4.decompress(data))


def _zstd(data: Buffer, level: int | None) -> Buffer:
    from cramjam import zstd

    return memoryview(zstd.compress(data) if level is None else zstd.compress(data, level=level))


def _unzstd(data: Buffer) -> Buffer:
    from cramjam import zstd

    return memoryview(zstd.decompress(data))


_COMPRESSORS: dict[int, Callable[[Buffer, int | None], Buffer]] = {GZIP: _gzip, SNAPPY: _snappy, LZ4: _lz4, ZSTD: _zstd}
_DECOMPRESSORS: dict[int, Callable[[Buffer], Buffer]] = {GZIP: _gunzip, SNAPPY: _unsnappy, LZ4: _unlz4, ZSTD: _unzstd}
