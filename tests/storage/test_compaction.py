"""Compaction: what a plain dict would hold is what remains, and no crash in between loses anything."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage.builders import NOW_MS, append, batch, open_log, read_all, read_values, values

from embedkafka.errors import KafkaStorageError
from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.files.faulty import Fault, FaultyFiles, Unsynced
from embedkafka.record import encode_batch
from embedkafka.storage.compaction import CleaningStats, clean
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log

COMPACT = LogConfig(
    cleanup_policy=("compact",),
    segment_bytes=400,
    index_interval_bytes=100,
    min_cleanable_dirty_ratio=0.0,
    tail_bytes=0,
)
DAY_MS = 86_400_000


def compact(
    log: Log, cleaned_offset: int | None = None, now_ms: int = NOW_MS, *, max_keys: int = 1000, steps: int = 10**9
) -> CleaningStats:
    """Plan and run a cleaning, or only its first steps."""
    plan = log.plan_cleaning(cleaned_offset, now_ms)
    stats = CleaningStats()
    if plan is not None:
        running = clean(log, plan, now_ms=now_ms, lock=nullcontext(), stats=stats, max_keys=max_keys)
        for _, _ in zip(range(steps), running, strict=False):
            pass
    return stats


def write(log: Log, *rows: tuple[str, str | None]) -> None:
    for key, value in rows:
        append(log, batch((NOW_MS, key.encode(), None if value is None else value.encode())))


def contents(log: Log) -> dict[bytes, bytes]:
    """What a reader who keeps the last value of every key ends up with."""
    found: dict[bytes, bytes] = {}
    for record in read_all(log):
        assert record.key is not None
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.value
    return found


def test_only_the_last_record_of_a_key_stays_where_it_was() -> None:
    log = open_log(config=COMPACT)
    write(log, ("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("a", "3"))
    log.roll(NOW_MS)
    write(log, ("b", "2"))
    stats = compact(log)
    assert [(record.offset, record.key, record.value) for record in read_all(log)] == [
        (1, b"b", b"1"),
        (3, b"c", b"1"),
        (4, b"a", b"3"),
        (5, b"b", b"2"),
    ]
    assert (stats.end_offset, stats.records_before, stats.records_after) == (5, 5, 3)
    assert log.end_offset == 6


def test_the_active_segment_is_never_cleaned() -> None:
    log = open_log(config=COMPACT)
    write(log, ("a", "1"), ("a", "2"))
    assert log.plan_cleaning(None, NOW_MS) is None
    assert len(read_all(log)) == 2


def test_small_segments_become_one() -> None:
    log = open_log(config=COMPACT)
    for number in range(60):
        write(log, (f"{number % 3}", f"{number}"))
    before = len(log.segments)
    stats = compact(log)  # makes the segments smaller
    log.roll(NOW_MS)
    compact(log, stats.end_offset)  # puts the small ones together
    assert before > 10
    assert len(log.segments) == 3
    assert contents(log) == {b"0": b"57", b"1": b"58", b"2": b"59"}


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_what_is_left_of_a_batch_keeps_its_compression_producer_and_last_offset(codec: int) -> None:
    log = open_log(config=COMPACT)
    records = encode_batch(
        [(NOW_MS + number, key, b"v", (("h", b"x"),)) for number, key in enumerate((b"a", b"b", b"a"))],
        compression_type=codec,
        producer_id=7,
        producer_epoch=1,
        base_sequence=5,
    )
    append(log, records, epoch=4)
    write(log, ("b", "2"))
    log.roll(NOW_MS)
    compact(log)
    header = next(header for header, _ in log.batches())
    assert header.compression_type == codec
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 1, 5)
    assert (header.base_offset, header.last_offset, header.records_count) == (0, 2, 1)
    assert header.partition_leader_epoch == 4
    (first, second) = read_all(log)
    assert (first.offset, first.timestamp, first.key, first.headers) == (2, NOW_MS + 2, b"a", [("h", b"x")])
    assert second.offset == 3


def test_a_batch_that_nothing_was_removed_from_keeps_its_bytes() -> None:
    log = open_log(config=COMPACT)
    append(log, batch((NOW_MS, b"a", b"1"), (NOW_MS, b"b", b"2"), compression_type=3))
    before = [bytes(chunk) for chunk in log.read(0, max_bytes=1000)]
    log.roll(NOW_MS)
    compact(log)
    assert [bytes(chunk) for chunk in log.read(0, max_bytes=1000)] == before


def test_a_tombstone_stays_for_the_time_to_keep_it_after_the_first_cleaning() -> None:
    log = open_log(config=replace(COMPACT, delete_retention_ms=DAY_MS))
    write(log, ("a", "1"), ("a", None), ("b", "1"))
    log.roll(NOW_MS)
    compact(log, None, NOW_MS)
    assert [(record.key, record.value) for record in read_all(log)] == [(b"a", None), (b"b", b"1")]
    horizon = next(header.delete_horizon_ms for header, _ in log.batches())
    assert horizon == NOW_MS + DAY_MS
    write(log, ("c", "1"))
    log.roll(NOW_MS)
    compact(log, None, NOW_MS + DAY_MS - 1)
    assert (b"a", None) in [(record.key, record.value) for record in read_all(log)]
    write(log, ("d", "1"))
    log.roll(NOW_MS)
    compact(log, None, NOW_MS + DAY_MS)
    assert [record.key for record in read_all(log)] == [b"b", b"c", b"d"]


def test_timestamps_survive_the_delete_horizon() -> None:
    log = open_log(config=COMPACT)
    append(log, batch((NOW_MS - 50, b"a", None), (NOW_MS + 50, b"b", b"1")))
    log.roll(NOW_MS)
    compact(log)
    assert [record.timestamp for record in read_all(log)] == [NOW_MS - 50, NOW_MS + 50]


def test_the_last_batch_of_the_cleaned_range_stays_though_it_is_empty() -> None:
    log = open_log(config=COMPACT)
    write(log, ("a", "1"), ("b", "1"))
    log.roll(NOW_MS)
    stats = compact(log)
    write(log, ("b", "2"))
    log.roll(NOW_MS)
    compact(log, stats.end_offset)
    headers = [header for header, _ in log.batches()]
    assert [(header.last_offset, header.records_count) for header in headers] == [(0, 1), (2, 1)]
    assert log.end_offset == 3


def test_an_empty_last_batch_keeps_the_end_of_the_log() -> None:
    files = MemoryFiles()
    log = open_log(files, COMPACT)
    write(log, ("a", "1"), ("a", None))
    log.roll(NOW_MS)
    compact(log, None, NOW_MS)
    log.roll(NOW_MS)
    compact(log, None, NOW_MS + 2 * DAY_MS)
    assert [header.records_count for header, _ in log.batches()] == [0]
    assert read_all(log) == []
    log.close()
    assert open_log(files, COMPACT, clean=True).end_offset == 2
    assert open_log(files, COMPACT).end_offset == 2


def test_records_without_a_key_go() -> None:
    log = open_log(config=LogConfig())
    append(log, batch((NOW_MS, None, b"from before the policy was changed"), (NOW_MS, b"a", b"1")))
    log.roll(NOW_MS)
    log.config = COMPACT
    compact(log)
    assert read_values(log) == [b"1"]


def test_long_keys_are_told_apart() -> None:
    log = open_log(config=COMPACT)
    write(log, ("x" * 100 + "1", "1"), ("x" * 100 + "2", "2"), ("x" * 100 + "1", "3"))
    log.roll(NOW_MS)
    compact(log)
    assert read_values(log) == [b"2", b"3"]


def test_more_keys_than_fit_are_left_to_the_next_cleaning() -> None:
    log = open_log(config=COMPACT)
    for number in range(40):
        write(log, (f"{number % 20}", f"{number}"))
    log.roll(NOW_MS)
    stats = compact(log, max_keys=5)
    assert stats.end_offset == 5
    expected = {b"%d" % (number % 20): b"%d" % number for number in range(40)}
    assert contents(log) == expected
    cleaned = stats.end_offset
    for _ in range(20):
        stats = compact(log, cleaned, max_keys=5)
        if stats.end_offset < 0:
            break
        cleaned = stats.end_offset
    assert contents(log) == expected
    assert log.plan_cleaning(cleaned, NOW_MS) is None


def test_readers_keep_what_they_read_while_segments_are_replaced() -> None:
    log = open_log(config=COMPACT)
    write(log, *((f"{number % 2}", f"{number}") for number in range(10)))
    log.roll(NOW_MS)
    chunks = log.read(0, max_bytes=10_000)
    before = [bytes(chunk) for chunk in chunks]
    compact(log)
    assert [bytes(chunk) for chunk in chunks] == before


def test_what_retention_removes_meanwhile_is_not_brought_back() -> None:
    log = open_log(config=COMPACT)
    for number in range(40):
        write(log, (f"{number}", f"{number}"))
    plan = log.plan_cleaning(None, NOW_MS)
    assert plan is not None
    running = clean(log, plan, now_ms=NOW_MS, lock=nullcontext())
    while next(running) != "cleaned":
        pass
    log.advance_log_start(20)
    log.delete_old_segments(NOW_MS)
    list(running)
    assert read_values(log) == [b"%d" % number for number in range(20, 40)]
    assert [name for name in log.handles.files.list(log.folder) if name.endswith((".cleaned", ".swap"))] == []


def test_giving_up_a_cleaning_leaves_the_log_as_it_was() -> None:
    log = open_log(config=COMPACT)
    for number in range(40):
        write(log, (f"{number % 2}", f"{number}"))
    log.flush()
    before, names = read_values(log), log.handles.files.list(log.folder)
    compact(log, steps=2)
    assert read_values(log) == before
    assert log.handles.files.list(log.folder) == names


def test_a_full_device_leaves_the_log_as_it_was() -> None:
    files = FaultyFiles()
    log = open_log(files, COMPACT)
    for number in range(40):
        write(log, (f"{number % 37}", f"{number}"))
    log.roll(NOW_MS)
    before = read_values(log)
    files.capacity_bytes = files.used_bytes() + 10
    with pytest.raises(KafkaStorageError, match="no space left"):
        compact(log)
    assert read_values(log) == before
    files.capacity_bytes = None
    compact(log)
    assert len(read_values(log)) < len(before)


def test_a_failing_device_takes_the_directory_offline() -> None:
    files = FaultyFiles()
    log = open_log(files, COMPACT)
    for number in range(40):
        write(log, (f"{number % 20}", f"{number}"))
    files.faults.append(Fault("sync", path_part=".cleaned"))
    with pytest.raises(KafkaStorageError, match="offline"):
        compact(log)
    with pytest.raises(KafkaStorageError, match="offline"):
        append(log, values("x"))


operations = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "put", "delete", "batch", "roll", "compact", "later", "reopen"]),
        st.integers(0, 6),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=60,
)


@given(operations=operations, segment_bytes=st.integers(150, 800), max_keys=st.integers(1, 10))
def test_a_compacted_log_holds_what_a_dict_holds(
    operations: list[tuple[str, int, int]], segment_bytes: int, max_keys: int
) -> None:
    files = MemoryFiles()
    config = replace(COMPACT, segment_bytes=segment_bytes, delete_retention_ms=1000)
    log = open_log(files, config)
    expected: dict[bytes, bytes] = {}
    now_ms = NOW_MS
    cleaned: int | None = None
    end_offset = 0
    for operation, number, value in operations:
        key = b"key%d" % number
        if operation == "put":
            append(log, batch((now_ms, key, b"%d" % value)), now_ms)
            expected[key] = b"%d" % value
            end_offset += 1
        elif operation == "delete":
            append(log, batch((now_ms, key, None)), now_ms)
            expected.pop(key, None)
            end_offset += 1
        elif operation == "batch":
            rows = [(now_ms, b"key%d" % (number + step), b"%d" % (value + step)) for step in range(3)]
            append(log, batch(*rows, compression_type=value % 2), now_ms)
            expected.update((key, text) for _, key, text in rows)
            end_offset += 3
        elif operation == "roll":
            log.roll(now_ms)
        elif operation == "compact":
            stats = compact(log, cleaned, now_ms, max_keys=max_keys)
            cleaned = stats.end_offset if stats.end_offset >= 0 else cleaned
        elif operation == "later":
            now_ms += 700
        else:
            log.close()
            log = open_log(files, config, clean=True, now_ms=now_ms)
        assert log.end_offset == end_offset
        assert contents(log) == expected
    offsets = [record.offset for record in read_all(log)]
    assert offsets == sorted(set(offsets))
    log.close()
    assert contents(open_log(files, config)) == expected


def compacted_up_to(steps: int, files: FaultyFiles) -> tuple[Log, dict[bytes, bytes]]:
    log = open_log(files, COMPACT)
    for number in range(60):
        write(log, (f"{number % 7}", f"{number}"))
    write(log, ("3", None))
    log.roll(NOW_MS)
    log.flush()
    expected = contents(log)
    compact(log, steps=steps)
    return log, expected


@pytest.mark.parametrize("names", [Unsynced.DROPPED, Unsynced.KEPT, Unsynced.FIRST, Unsynced.RANDOM])
@pytest.mark.parametrize("data", [Unsynced.DROPPED, Unsynced.ZEROS, Unsynced.GARBAGE, Unsynced.KEPT])
def test_a_power_cut_before_any_call_of_a_compaction_loses_nothing(names: Unsynced, data: Unsynced, seed: int) -> None:
    """The power goes before every single file operation of the compaction, and then again during recovery."""
    snapshots: list[FaultyFiles] = []
    files = FaultyFiles()
    log, expected = compacted_up_to(0, files)

    def snapshot(operation: str, path: str) -> None:
        if operation != "open":
            snapshots.append(files.power_cut(unsynced_bytes=data, unsynced_names=names, seed=seed + len(snapshots)))

    files.before = snapshot
    compact(log)
    assert len(snapshots) > 50
    for number, found in enumerate(snapshots):
        again = open_log(found, COMPACT, recovery_point=log.recovery_checkpoint)
        assert contents(again) == expected, f"after {number} operations"
        assert again.end_offset == log.end_offset
        for record in read_all(again):
            assert read_all(again, record.offset)[0].offset == record.offset, "the index leads to the record"
        assert all(not name.endswith((".cleaned", ".swap", ".deleted")) for name in found.list("/text-0"))
        twice = found.power_cut(unsynced_bytes=data, unsynced_names=names, seed=seed)
        assert contents(open_log(twice, COMPACT, recovery_point=log.recovery_checkpoint)) == expected


def test_a_killed_process_in_any_step_of_a_compaction_loses_nothing() -> None:
    for steps in range(30):
        files = FaultyFiles()
        _, expected = compacted_up_to(steps, files)
        again = open_log(files, COMPACT, handles=HandleCache(files), recovery_point=60)
        assert contents(again) == expected
