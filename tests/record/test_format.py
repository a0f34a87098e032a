from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record.codecs import records

from embedkafka.errors import CorruptRecordError
from embedkafka.record import (
    EndTransactionMarker,
    control_type,
    decode_batch,
    decode_marker,
    encode_batch,
    iter_headers,
    patch_offsets,
    patch_producer,
    read_header,
    stamp_append_time,
    verify_checksum,
)
from embedkafka.record.format import CHECKSUMMED_FROM

ONE = [(1000, b"key", b"value", [("name", b"content")])]


def test_a_header_says_what_was_encoded() -> None:
    batch = encode_batch(
        [(1000, None, b"a", ()), (900, None, b"b", ())],
        base_offset=7,
        producer_id=5,
        producer_epoch=2,
        base_sequence=2**31 - 1,
        leader_epoch=4,
        is_transactional=True,
    )
    header = read_header(batch)
    assert (header.base_offset, header.last_offset, header.next_offset, header.records_count) == (7, 8, 9, 2)
    assert (header.base_timestamp, header.max_timestamp) == (1000, 1000)
    assert (header.producer_id, header.producer_epoch, header.partition_leader_epoch) == (5, 2, 4)
    assert header.size_bytes == len(batch)
    assert header.is_transactional
    assert not header.is_control


def test_a_sequence_number_wraps_after_the_largest() -> None:
    batch = encode_batch([(0, None, b"a", ()), (0, None, b"b", ())], base_sequence=2**31 - 1)
    assert read_header(batch).last_sequence == 0


def test_every_one_bit_corruption_of_the_checksummed_part_is_refused() -> None:
    for compression in range(5):
        batch = encode_batch([(n, b"key", b"value" * 3, [("h", b"x")]) for n in range(5)], compression_type=compression)
        for position in range(CHECKSUMMED_FROM, len(batch)):
            for bit in range(8):
                broken = bytearray(batch)
                broken[position] ^= 1 << bit
                with pytest.raises(CorruptRecordError, match="checksum"):
                    verify_checksum(broken)


def test_a_corruption_of_the_checksum_itself_is_refused() -> None:
    batch = encode_batch(ONE)
    for bit in range(32):
        broken = bytearray(batch)
        broken[17 + bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptRecordError, match="checksum"):
            verify_checksum(broken)


@given(records=records, base_offset=st.integers(0, 2**62), leader_epoch=st.integers(0, 2**31 - 1))
def test_patching_offsets_keeps_the_checksum_and_the_records(records: Any, base_offset: int, leader_epoch: int) -> None:
    batch = encode_batch(records)
    patch_offsets(batch, 0, base_offset=base_offset, leader_epoch=leader_epoch)

    verify_checksum(batch)
    assert read_header(batch).partition_leader_epoch == leader_epoch
    assert [r.offset for r in decode_batch(batch)] == [base_offset + index for index in range(len(records))]


def test_append_time_replaces_every_timestamp_without_touching_the_records() -> None:
    batch = encode_batch([(1, None, b"a", ()), (2, None, b"b", ())], compression_type=3)
    before = bytes(batch[61:])
    stamp_append_time(batch, 0, 5000)

    verify_checksum(batch)
    assert batch[61:] == before
    assert [(r.timestamp, r.timestamp_type) for r in decode_batch(batch)] == [(5000, 1), (5000, 1)]


def test_a_producer_is_patched_in_with_a_new_checksum() -> None:
    batch = encode_batch(ONE)
    patch_producer(batch, 0, producer_id=12, producer_epoch=3, base_sequence=44)
    verify_checksum(batch)
    header = read_header(batch)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (12, 3, 44)


def test_compaction_keeps_offsets_the_last_offset_and_the_delete_horizon() -> None:
    batch = encode_batch(
        [(1000, b"a", None, ()), (1005, b"b", b"1", ())],
        offsets=[12, 15],
        base_offset=10,
        last_offset=19,
        delete_horizon_ms=900,
    )
    header = read_header(batch)
    assert (header.base_offset, header.last_offset, header.delete_horizon_ms) == (10, 19, 900)
    assert [(r.offset, r.timestamp) for r in decode_batch(batch)] == [(12, 1000), (15, 1005)]


def test_a_batch_may_be_empty_as_compaction_leaves_a_producers_last_one() -> None:
    batch = encode_batch([], base_offset=10, last_offset=19, producer_id=3)
    verify_checksum(batch)
    assert (read_header(batch).records_count, read_header(batch).next_offset) == (0, 20)
    assert decode_batch(batch) == []


def test_headers_are_walked_over_whole_batches_only() -> None:
    one, two = encode_batch(ONE), encode_batch(ONE, base_offset=1)
    both = bytes(one + two)
    assert [(at, header.base_offset) for at, header in iter_headers(both)] == [(0, 0), (len(one), 1)]
    for cut in range(len(one), len(both)):
        assert [at for at, _ in iter_headers(both[:cut])] == [0]


@pytest.mark.parametrize(
    ("position", "byte", "says"), [(16, 1, "expected magic 2, found 1"), (11, 0, "batch length"), (8, 0xFF, "found -")]
)
def test_a_wrong_header_says_where_and_what(position: int, byte: int, says: str) -> None:
    batch = encode_batch(ONE)
    batch[position] = byte
    with pytest.raises(CorruptRecordError, match=says):
        read_header(batch)


def test_a_cut_off_batch_is_refused() -> None:
    batch = encode_batch(ONE)
    for cut in (0, 60, len(batch) - 1):
        with pytest.raises(CorruptRecordError):
            verify_checksum(batch[:cut])
    with pytest.raises(CorruptRecordError):
        decode_batch(batch[:-1])


def test_a_transaction_marker_comes_back() -> None:
    for commit in (True, False):
        marker = EndTransactionMarker(commit=commit, coordinator_epoch=11)
        key, value = marker.encode()
        assert decode_marker(key, value) == marker
        assert control_type(key) == int(commit)


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, b"\0" * 6), (b"\0", b"\0" * 6), (b"\0\0\0\1", b"\0"), (b"\0\0\0\1", None), (b"\0\0\0\5", b"\0" * 6)],
)
def test_a_broken_transaction_marker_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(CorruptRecordError):
        decode_marker(key, value)
