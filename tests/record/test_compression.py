from __future__ import annotations

import random
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
