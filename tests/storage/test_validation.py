"""What is refused, corrected and stamped before it is appended; a refused append changes nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from storage.builders import NOW_MS, append, batch, open_log, read_all, read_values, values

from embedkafka.errors import (
    BrokerResponseError,
    CorruptRecordError,
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from embedkafka.record import decode_batch, encode_batch, read_header, verify_checksum
from embedkafka.record.format import write_checksum
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import AppendOrigin, Log

COMPACT = LogConfig(cleanup_policy=("compact",))


def refused(log: Log, records: bytes, error: type[BrokerResponseError], match: str, *, trusted: bool = False) -> None:
    """Check that an append fails and leaves the log as it was."""
    append(log, values("before"))
    before = (log.end_offset, log.size_bytes, log.leader_epochs.entries)
    with pytest.raises(error, match=match):
        log.append(records, leader_epoch=5, now_ms=NOW_MS, trusted=trusted)
    assert (log.end_offset, log.size_bytes, log.leader_epochs.entries) == before
    assert read_values(log) == [b"before"]


def patched(position: int, layout: str, value: int) -> bytearray:
    """A batch of two records with one header field changed and a checksum that holds."""
    records = values("a", "b")
    struct.pack_into(layout, records, position, value)
    write_checksum(records)
    return records


def test_every_flipped_bit_of_the_checksummed_part_is_refused() -> None:
    log = open_log()
    whole = values("a")
    for bit in range(21 * 8, len(whole) * 8):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptRecordError):
            append(log, broken, trusted=False)
    assert log.end_offset == 0


@pytest.mark.parametrize(
    ("records", "error", "match"),
    [
        (b"", CorruptRecordError, "61 bytes"),
        (bytes(values("a"))[:-1], CorruptRecordError, "cut off"),
        (bytes(values("a")) + b"rest", CorruptRecordError, "61 bytes"),
        (patched(16, ">b", 1), CorruptRecordError, "magic"),
        (patched(0, ">q", 7), InvalidRecordError, "starts at offset 0"),
        (patched(57, ">i", 3), InvalidRecordError, "cannot span"),
        (patched(57, ">i", 0), InvalidRecordError, "cannot span"),
        (patched(23, ">i", -1), InvalidRecordError, "cannot span"),
        (patched(43, ">q", 9), InvalidRecordError, "sequence number -1"),
        (patched(21, ">h", 0x20), InvalidRecordError, "control"),
        (patched(21, ">h", 0x08), InvalidTimestampError, "LogAppendTime"),
    ],
    ids=[
        "empty",
        "cut off",
        "rest",
        "magic",
        "base offset",
        "count",
        "no count",
        "delta",
        "sequence",
        "control",
        "type",
    ],
)
def test_a_malformed_batch_is_refused(records: bytes, error: type[BrokerResponseError], match: str) -> None:
    refused(open_log(), records, error, match)


def test_offsets_inside_a_batch_must_be_consecutive() -> None:
    rows = ((NOW_MS, b"k", b"v", ()) for _ in range(2))
    gap = encode_batch(rows, offsets=[0, 2], last_offset=1)
    refused(open_log(), gap, InvalidRecordError, "expected the record with offset 1")


def test_a_batch_larger_than_allowed_is_refused() -> None:
    refused(open_log(config=LogConfig(max_message_bytes=100)), values("x" * 100), MessageSizeTooLargeError, "exceeds")


def test_batches_larger_than_a_segment_are_refused() -> None:
    config = LogConfig(segment_bytes=100)
    refused(open_log(config=config), values("a") + values("b"), RecordListTooLargeError, "segment.bytes")


@pytest.mark.parametrize("trusted", [False, True])
def test_a_compacted_topic_takes_no_record_without_a_key(trusted: bool) -> None:
    log = open_log(config=COMPACT)
    rows = batch((NOW_MS, b"k", b"v"), (NOW_MS, None, b"v"))
    refused(log, rows, InvalidRecordError, "without a key; record 1", trusted=trusted)


def test_an_empty_key_is_a_key() -> None:
    log = open_log(config=COMPACT)
    append(log, batch((NOW_MS, b"", b"v")))
    assert log.end_offset == 1


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(("offset_ms", "allowed"), [(1000, True), (1001, False), (-2000, True), (-2001, False)])
def test_a_timestamp_too_far_from_now_is_refused(offset_ms: int, allowed: bool, trusted: bool) -> None:
    config = LogConfig(message_timestamp_after_max_ms=1000, message_timestamp_before_max_ms=2000)
    records = batch((NOW_MS, b"k", b"v"), (NOW_MS + offset_ms, b"k", b"v"))
    if allowed:
        assert append(open_log(config=config), records, trusted=trusted).last_offset == 1
    else:
        refused(open_log(config=config), records, InvalidTimestampError, "from now", trusted=trusted)


def test_a_record_without_a_timestamp_is_never_too_old() -> None:
    log = open_log(config=LogConfig(message_timestamp_before_max_ms=0, message_timestamp_after_max_ms=0))
    append(log, batch((-1, b"k", b"v")), trusted=False)
    assert read_all(log)[0].timestamp == -1


def test_a_wrong_largest_timestamp_in_the_header_is_corrected() -> None:
    log = open_log()
    info = append(log, patched(35, ">q", NOW_MS + 999), trusted=False)
    assert info.max_timestamp == NOW_MS + 1
    (chunk,) = log.read(0, max_bytes=1000)
    verify_checksum(chunk)
    assert read_header(chunk).max_timestamp == NOW_MS + 1


@pytest.mark.parametrize("trusted", [False, True])
def test_with_log_append_time_every_record_gets_the_brokers_time(trusted: bool) -> None:
    log = open_log(config=LogConfig(message_timestamp_type="LogAppendTime"))
    info = append(log, values("a", "b", timestamp=5), NOW_MS, trusted=trusted)
    assert (info.log_append_time_ms, info.max_timestamp) == (NOW_MS, NOW_MS)
    assert [(record.timestamp, record.timestamp_type) for record in read_all(log)] == [(NOW_MS, 1)] * 2
    assert append(open_log(), values("a")).log_append_time_ms == -1


@pytest.mark.parametrize("name", ["gzip", "snappy", "lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize("trusted", [False, True])
def test_the_topic_decides_on_the_compression(name: str, trusted: bool) -> None:
    log = open_log(config=LogConfig(compression_type=name))
    for came_with in range(5):
        append(log, batch((NOW_MS, b"k", b"v" * 50), compression_type=came_with), trusted=trusted)
    codes = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
    assert {header.compression_type for header, _ in log.batches()} == {codes[name]}
    assert read_values(log) == [b"v" * 50] * 5


def test_the_producers_compression_is_kept_by_default() -> None:
    log = open_log()
    for came_with in range(5):
        append(log, batch((NOW_MS, b"k", b"v" * 50), compression_type=came_with))
    assert [header.compression_type for header, _ in log.batches()] == [0, 1, 2, 3, 4]


def test_coordinators_may_write_control_batches() -> None:
    log = open_log()
    control = encode_batch([(NOW_MS, b"\0\0\0\0", b"\0\0\0\0\0\0", ())], is_control=True)
    log.append(control, leader_epoch=0, now_ms=NOW_MS, trusted=True, origin=AppendOrigin.COORDINATOR)
    assert log.end_offset == 1


def test_a_replica_keeps_the_leaders_offsets_and_epochs() -> None:
    log = open_log()
    records = encode_batch([(NOW_MS, b"k", b"v", ())], base_offset=41, leader_epoch=7)
    info = log.append(records, leader_epoch=-1, now_ms=NOW_MS, origin=AppendOrigin.REPLICATION)
    assert (info.base_offset, info.last_offset) == (41, 41)
    (chunk,) = log.read(41, max_bytes=1000)
    assert read_header(chunk).partition_leader_epoch == 7
    assert log.leader_epochs.entries == [(7, 41)]


@pytest.mark.parametrize("kind", [bytes, bytearray, lambda records: memoryview(bytes(records))])
def test_any_buffer_is_accepted_and_one_that_cannot_be_changed_is_left_alone(
    kind: Callable[[bytearray], bytes],
) -> None:
    log = open_log()
    append(log, values("first"))
    records = kind(values("second"))
    before = bytes(records)
    log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True)
    assert read_values(log) == [b"first", b"second"]
    if not isinstance(records, bytearray):
        assert bytes(records) == before


def test_decoding_what_was_appended_gives_what_was_sent() -> None:
    log = open_log()
    append(log, batch((NOW_MS, None, None), (NOW_MS, b"", b"")), trusted=False)
    (chunk,) = log.read(0, max_bytes=1000)
    assert [(record.key, record.value) for record in decode_batch(chunk)] == [(None, None), (b"", b"")]
