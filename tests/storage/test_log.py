"""A partition's log: appending, rolling, reading, searching by time, shortening."""

from __future__ import annotations

import pytest
from storage.builders import NOW_MS, append, batch, open_log, read_all, read_values, records_in, values

from embedkafka.errors import KafkaStorageError, OffsetOutOfRangeError
from embedkafka.files import HandleCache, MemoryFiles, system_files
from embedkafka.record import encode_batch, read_header
from embedkafka.storage.config import LogConfig

TINY = LogConfig(segment_bytes=300, index_interval_bytes=100, tail_bytes=0)
SMALL_TAIL = LogConfig(segment_bytes=300, index_interval_bytes=100, tail_bytes=150)


def filled(config: LogConfig = TINY, count: int = 50) -> tuple[MemoryFiles, list[bytes]]:
    files = MemoryFiles()
    log = open_log(files, config)
    texts = [f"value-{number}" for number in range(count)]
    for number, text in enumerate(texts):
        append(log, values(text, timestamp=NOW_MS + 10 * number))
    log.close()
    return files, [text.encode() for text in texts]


def test_nothing_is_on_disk_before_the_first_append() -> None:
    files = MemoryFiles()
    log = open_log(files)
    assert files.list("/") == []
    assert (log.log_start_offset, log.end_offset, log.size_bytes) == (0, 0, 0)
    assert log.read(0, max_bytes=100) == []
    append(log, values("a"))
    assert files.list("/text-0") == [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "partition.metadata",
    ]


def test_records_get_consecutive_offsets_and_the_leaders_epoch() -> None:
    log = open_log()
    first = append(log, values("a", "b"), epoch=3)
    second = append(log, values("c"), epoch=3)
    assert (first.base_offset, first.last_offset, second.base_offset) == (0, 1, 2)
    assert [(record.offset, record.value) for record in read_all(log)] == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert read_header(log.read(2, max_bytes=100)[0]).partition_leader_epoch == 3


def test_several_batches_are_appended_as_one() -> None:
    log = open_log()
    info = append(log, values("a", "b") + values("c") + values("d", "e"))
    assert (info.base_offset, info.last_offset) == (0, 4)
    assert read_values(log) == [b"a", b"b", b"c", b"d", b"e"]


def test_a_full_segment_is_rolled_and_named_by_its_first_offset() -> None:
    files, texts = filled()
    log = open_log(files, TINY)
    assert len(log.segments) > 5
    assert all(segment.size_bytes <= 300 for segment in log.segments)
    names = [name for name in files.list("/text-0") if name.endswith(".log")]
    assert names == [f"{segment.base_offset:020d}.log" for segment in log.segments]
    assert read_values(log) == texts


def test_a_segment_is_rolled_when_its_records_span_the_allowed_time() -> None:
    log = open_log(config=LogConfig(segment_ms=1000))
    append(log, values("a", timestamp=NOW_MS))
    append(log, values("b", timestamp=NOW_MS + 1000))
    assert not append(log, values("c", timestamp=NOW_MS - 50_000)).rolled
    assert append(log, values("d", timestamp=NOW_MS + 1001)).rolled
    assert [segment.base_offset for segment in log.segments] == [0, 3]


def test_a_segment_of_records_without_timestamps_is_rolled_by_the_clock() -> None:
    log = open_log(config=LogConfig(segment_ms=1000))
    untimed = batch((-1, b"k", b"v"))
    append(log, untimed[:], NOW_MS)
    assert not append(log, untimed[:], NOW_MS + 1000).rolled
    assert append(log, untimed[:], NOW_MS + 1001).rolled


def test_the_jitter_makes_a_segment_roll_earlier() -> None:
    jittered = LogConfig(segment_ms=1000, segment_jitter_ms=1000)
    rolled_after = []
    for config in (LogConfig(segment_ms=1000), jittered):
        log = open_log(config=config)
        append(log, values("a", timestamp=NOW_MS))
        elapsed = 0
        while not append(log, values("b", timestamp=NOW_MS + elapsed)).rolled:
            elapsed += 1
        rolled_after.append(elapsed)
    assert rolled_after[1] <= rolled_after[0] == 1001


def test_a_segment_is_rolled_when_an_index_is_full() -> None:
    log = open_log(config=LogConfig(index_interval_bytes=0, segment_index_bytes=40, tail_bytes=0))
    for number in range(40):
        append(log, values(f"{number}", timestamp=NOW_MS + number))
    assert len(log.segments) > 5
    assert all(segment.state.index_count <= 5 and segment.state.time_count <= 3 for segment in log.segments)
    assert len(read_values(log)) == 40


def test_a_segment_is_rolled_before_an_offset_that_its_index_cannot_express() -> None:
    log = open_log()
    append(log, values("a"))
    records = ((NOW_MS, b"k", b"v", ()) for _ in range(1))
    far = encode_batch(records, offsets=[2**31 - 2], base_offset=0, last_offset=2**31 - 2)
    append(log, far)
    assert append(log, values("b")).rolled
    assert [segment.base_offset for segment in log.segments] == [0, 2**31]


def test_the_empty_active_segment_is_not_rolled() -> None:
    log = open_log()
    assert not log.roll(NOW_MS)
    append(log, values("a"))
    assert log.roll(NOW_MS)
    assert not log.roll(NOW_MS)


@pytest.mark.parametrize("config", [TINY, SMALL_TAIL, LogConfig()], ids=["files", "tail and files", "tail"])
def test_reading_starts_at_any_offset(config: LogConfig) -> None:
    files, texts = filled(config)
    log = open_log(files, config, clean=True)
    append(log, values("last"))
    for offset in range(len(texts) + 1):
        assert read_values(log, offset, max_bytes=200) == [*texts, b"last"][offset:]


def test_reading_outside_the_log_is_an_error_and_at_its_end_is_not() -> None:
    log = open_log()
    append(log, values("a"))
    assert log.read(1, max_bytes=100) == []
    with pytest.raises(OffsetOutOfRangeError):
        log.read(2, max_bytes=100)
    log.advance_log_start(1)
    with pytest.raises(OffsetOutOfRangeError):
        log.read(0, max_bytes=100)


@pytest.mark.parametrize("config", [TINY, LogConfig()], ids=["files", "tail"])
def test_reading_stops_before_the_offset_it_may_not_reach(config: LogConfig) -> None:
    log = open_log(config=config)
    for number in range(20):
        append(log, values(f"{number}a", f"{number}b"))
    for max_offset in range(1, 41):
        offset = 0
        while chunks := log.read(offset, max_bytes=10_000, max_offset=max_offset):
            offset = records_in(chunks)[-1].offset + 1
            assert offset <= max_offset
        assert offset == max_offset // 2 * 2, "whole batches of two records"


@pytest.mark.parametrize("config", [TINY, LogConfig()], ids=["files", "tail"])
def test_a_batch_larger_than_asked_for_is_returned_alone_or_not_at_all(config: LogConfig) -> None:
    log = open_log(config=config)
    append(log, values("x" * 150))
    append(log, values("y"))
    (chunk,) = log.read(0, max_bytes=10)
    assert [record.value for record in records_in([chunk])] == [b"x" * 150]
    assert log.read(0, max_bytes=10, min_one_batch=False) == []


def test_at_the_head_the_appended_bytes_themselves_are_returned() -> None:
    log = open_log()
    records = values("a")
    append(log, records)
    (chunk,) = log.read(0, max_bytes=1000)
    assert chunk.obj is records
    assert chunk.readonly


def test_readers_may_keep_what_they_read_for_ever() -> None:
    files, _ = filled()
    log = open_log(files, TINY)
    chunks = log.read(0, max_bytes=10_000)
    before = [bytes(chunk) for chunk in chunks]
    log.advance_log_start(40)
    log.delete_old_segments(NOW_MS)
    log.truncate_to(41)
    append(log, values("new"))
    log.close()
    assert [bytes(chunk) for chunk in chunks] == before


def test_the_first_record_at_or_after_a_time_is_found_inside_its_batch() -> None:
    log = open_log(config=TINY)
    for number in range(30):
        append(log, values("a", "b", "c", timestamp=NOW_MS + 100 * number))
    for target in (NOW_MS - 5, NOW_MS, NOW_MS + 1, NOW_MS + 1502, NOW_MS + 1503, NOW_MS + 2902):
        expected = next(record for record in read_all(log) if record.timestamp >= target)
        found = log.offset_for_timestamp(target)
        assert found is not None
        assert (found.offset, found.timestamp) == (expected.offset, expected.timestamp)
    assert log.offset_for_timestamp(NOW_MS + 2903) is None


def test_searching_by_time_begins_at_the_log_start() -> None:
    log = open_log(config=TINY)
    for number in range(30):
        append(log, values("a", "b", timestamp=NOW_MS + 10 * number))
    log.advance_log_start(33)
    found = log.offset_for_timestamp(0)
    assert found is not None
    assert found.offset == 33


def test_the_largest_timestamp_is_found_though_it_is_not_the_last() -> None:
    log = open_log(config=TINY)
    assert log.offset_of_max_timestamp() is None
    for number in range(30):
        append(log, values("a", timestamp=NOW_MS - abs(number - 12)))
    found = log.offset_of_max_timestamp()
    assert found is not None
    assert (found.offset, found.timestamp) == (12, NOW_MS)


@pytest.mark.parametrize("offset", [0, 1, 7, 20, 33, 49, 50, 60])
def test_truncating_cuts_before_the_batch_that_holds_the_offset(offset: int) -> None:
    files, texts = filled()
    log = open_log(files, TINY)
    log.truncate_to(offset)
    kept = min(offset, 50)
    assert log.end_offset == kept
    assert read_values(log) == texts[:kept]
    append(log, values("new", timestamp=NOW_MS + 10_000))
    assert read_values(log) == [*texts[:kept], b"new"]
    found = log.offset_for_timestamp(NOW_MS + 10_000)
    assert found is not None
    assert found.offset == kept
    log.close()
    reopened = open_log(files, TINY, clean=True)
    assert read_values(reopened) == [*texts[:kept], b"new"]
    for target in range(0, kept, 3):
        by_time = reopened.offset_for_timestamp(NOW_MS + 10 * target)
        assert by_time is not None
        assert by_time.offset == target


def test_a_batch_is_never_cut_in_two() -> None:
    log = open_log()
    append(log, values("a", "b", "c"))
    append(log, values("d", "e", "f"))
    log.truncate_to(4)
    assert log.end_offset == 3


def test_a_mapped_file_is_not_shortened(tmp_path: object) -> None:
    handles = HandleCache(system_files())
    log = open_log(handles=handles, parent=str(tmp_path), config=LogConfig(tail_bytes=0))
    for number in range(200):
        append(log, values(f"{number}" * 200))
    assert log.active_segment is not None
    (chunk,) = log.read(0, max_bytes=1 << 20)
    before = bytes(chunk)
    assert log.active_segment.log.is_mapped
    log.truncate_to(100)
    append(log, values("new"))
    assert bytes(chunk) == before, "a shortened mapping would have killed this process"
    assert log.end_offset == 101
    del chunk
    log.close()
    handles.close()
    handles = HandleCache(system_files())
    log = open_log(handles=handles, parent=str(tmp_path), clean=True)
    assert len(read_values(log)) == 101
    log.close()
    handles.close()


def test_moving_the_log_start_behind_the_end_is_refused() -> None:
    log = open_log()
    append(log, values("a"))
    with pytest.raises(OffsetOutOfRangeError):
        log.advance_log_start(2)
    assert log.log_start_offset == 0


def test_moving_the_log_start_back_does_nothing() -> None:
    log = open_log()
    append(log, values("a", "b", "c"))
    log.advance_log_start(2)
    log.advance_log_start(1)
    assert log.log_start_offset == 2
    assert read_values(log) == [b"a", b"b", b"c"][2:]


def test_flushing_moves_the_recovery_point_to_the_end() -> None:
    log = open_log(config=TINY)
    assert log.flush() == 0
    for number in range(20):
        append(log, values(f"{number}"))
    assert log.flush_closed() == log.active_segment.base_offset  # type: ignore[union-attr]
    assert log.flush() == log.recovery_point == 20


def test_the_appender_is_told_when_a_flush_is_due() -> None:
    log = open_log(config=LogConfig(flush_messages=3))
    assert [append(log, values("a")).flush_due for _ in range(3)] == [False, False, True]
    log.flush()
    assert not append(log, values("a")).flush_due


def test_all_logs_together_respect_the_limit_of_the_directory() -> None:
    log = open_log()
    log.usage.limit_bytes = 200
    append(log, values("a"))
    append(log, values("b"))
    with pytest.raises(KafkaStorageError, match=r"log\.max\.total\.bytes is 200"):
        append(log, values("c"))
    assert read_values(log) == [b"a", b"b"]
    assert log.usage.used_bytes == log.size_bytes
    log.roll(NOW_MS)
    log.advance_log_start(2)
    log.delete_old_segments(NOW_MS)
    append(log, values("d"))
    assert read_values(log) == [b"d"]
