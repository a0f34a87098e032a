from __future__ import annotations

import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.errors import CorruptRecordError, UnsupportedCompressionTypeError
from embedkafka.record import compress, decompress
from embedkafka.record.compression import GZIP, LZ4, NAMES, SNAPPY, ZSTD, type_by_name

TYPES = [GZIP, SNAPPY, LZ4, ZSTD]


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.binary(max_size=2000), repeat=st.integers(1, 200))
def test_what_is_compressed_comes_back(kind: int, data: bytes, repeat: int) -> None:
    assert bytes(decompress(kind, compress(kind, data * repeat))) == data * repeat


@pytest.mark.parametrize("kind", TYPES)
def test_noise_longer_than_a_block_comes_back(kind: int, seed: int) -> None:
    data = random.Random(seed).randbytes(300_000)
    assert bytes(decompress(kind, compress(kind, data))) == data


@pytest.mark.parametrize(("kind", "level"), [(GZIP, 1), (GZIP, 9), (LZ4, 1), (LZ4, 17), (ZSTD, 1), (ZSTD, 19)])
def test_a_level_changes_the_size_only(kind: int, level: int) -> None:
    data = b"".join(b"%d squared is %d; " % (n, n * n) for n in range(5000))
    assert bytes(decompress(kind, compress(kind, data, level))) == data


def test_lz4_blocks_are_independent() -> None:
    frame = bytes(compress(LZ4, b"x" * 200_000))
    assert frame[:4] == bytes.fromhex("04224d18")
    assert frame[4] & 0x20, "Java's client refuses linked blocks"
    assert frame[-4:] == bytes(4)


def test_lz4_frames_are_read_by_an_independent_library(seed: int) -> None:
    import lz4.frame as lz4_frame

    for data in (b"", b"a", b"x" * 65_536, b"ab" * 100_000, random.Random(seed).randbytes(200_000)):
        assert lz4_frame.decompress(bytes(compress(LZ4, data))) == data
        assert bytes(decompress(LZ4, lz4_frame.compress(data))) == data


def test_a_bare_snappy_block_is_understood() -> None:
    import cramjam

    assert bytes(decompress(SNAPPY, bytes(cramjam.snappy.compress_raw(b"hello" * 50)))) == b"hello" * 50


def test_gzip_members_follow_each_other() -> None:
    two = bytes(compress(GZIP, b"one")) + bytes(compress(GZIP, b"two"))
    assert bytes(decompress(GZIP, two)) == b"onetwo"


@pytest.mark.parametrize("kind", TYPES)
def test_garbage_is_refused_with_the_name_of_the_codec(kind: int) -> None:
    with pytest.raises(CorruptRecordError, match=NAMES[kind]):
        decompress(kind, b"\x00\x01\x02\x03 this is nothing that was compressed")


def test_a_cut_off_block_is_refused() -> None:
    for kind in TYPES:
        whole = bytes(compress(kind, bytes(range(256)) * 10))
        with pytest.raises(CorruptRecordError):
            decompress(kind, whole[: len(whole) // 2])


def test_an_unknown_compression_type_is_refused() -> None:
    for number in (5, 6, 7, -1):
        with pytest.raises(UnsupportedCompressionTypeError):
            compress(number, b"x")
        with pytest.raises(UnsupportedCompressionTypeError):
            decompress(number, b"x")


def test_names_have_kafkas_numbers() -> None:
    assert [type_by_name(name) for name in (None, "none", "gzip", "snappy", "lz4", "zstd")] == [0, 0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="brotli"):
        type_by_name("brotli")


def test_gzip_is_one_plain_member() -> None:
    assert zlib.decompress(bytes(compress(GZIP, b"abc")), 31) == b"abc"


BOMBS = {
    GZIP: lambda size: compress(GZIP, bytes(size)),
    LZ4: lambda size: compress(LZ4, bytes(size)),
    ZSTD: lambda size: compress(ZSTD, bytes(size)),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_becomes_more_than_it_may_is_refused_before_memory_is_taken(kind: int) -> None:
    bomb = bytes(BOMBS[kind](50_000_000))
    tracemalloc.start()
    try:
        for stream in (bomb, bytes(compress(kind, b"x")) + bomb):
            with pytest.raises(CorruptRecordError, match="becomes more than 1000000"):
                decompress(kind, stream, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.binary(max_size=2000), repeat=st.integers(1, 200))
def test_what_becomes_no_more_than_it_may_is_let_through(kind: int, data: bytes, repeat: int) -> None:
    whole = data * repeat
    limit = len(whole) + 128 * 1024  # bounds are counted in blocks
    assert bytes(decompress(kind, compress(kind, whole), limit)) == whole


def test_frames_of_other_writers_are_let_through(seed: int) -> None:
    import lz4.frame as lz4_frame
    import zstandard

    for data in (b"", b"a", b"x" * 65_536, b"ab" * 100_000, random.Random(seed).randbytes(300_000)):
        for block_size in (4, 5, 6, 7):
            for flag in (False, True):
                frame = lz4_frame.compress(data, block_size=block_size, content_checksum=flag, block_checksum=flag)
                assert bytes(decompress(LZ4, frame, 5_000_000)) == data
        for options in ({}, {"write_content_size": False}, {"write_checksum": True}):
            compressor = zstandard.ZstdCompressor(**options)
            assert bytes(decompress(ZSTD, compressor.compress(data), 5_000_000)) == data
            stream = compressor.compressobj()
            pieces = stream.compress(data[:1000]) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
            pieces += stream.compress(data[1000:]) + stream.flush()
            assert bytes(decompress(ZSTD, pieces, 5_000_000)) == data
