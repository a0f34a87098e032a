"""The offset index and the time index: entries on file and in memory are one array."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.storage.index import OffsetIndex, TimeIndex


def offset_index(files: MemoryFiles | None = None, stored_count: int = 0) -> OffsetIndex:
    files = files or MemoryFiles()
    files.open("/x.index", create=True)
    return OffsetIndex(HandleCache(files).handle("/x.index"), stored_count)


def time_index() -> TimeIndex:
    files = MemoryFiles()
    files.open("/x.timeindex", create=True)
    return TimeIndex(HandleCache(files).handle("/x.timeindex"))


def test_an_empty_index_leads_to_the_beginning() -> None:
    assert offset_index().position_of(0, 100) == 0
    assert time_index().floor(0, 100) == (-1, 0)


def test_entries_have_kafkas_bytes() -> None:
    files = MemoryFiles()
    index = offset_index(files)
    index.put(0, 7, 4096)
    index.write(1)
    assert files.read_bytes("/x.index") == bytes.fromhex("0000000700001000")
    times = time_index()
    times.put(0, 1_700_000_000_000, 7)
    times.write(1)
    assert bytes(times.handle.file().read_at(0, 12)) == bytes.fromhex("0000018bcfe5680000000007")


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=1500),
    written=st.floats(0, 1),
    wanted=st.integers(0, 80_000),
)
def test_searching_agrees_with_a_plain_list_wherever_the_entries_are(
    steps: list[int], written: float, wanted: int
) -> None:
    index = offset_index()
    offsets: list[int] = []
    positions: list[int] = []
    for count, step in enumerate(steps):
        offsets.append((offsets[-1] if offsets else 0) + step)
        positions.append((positions[-1] if positions else 0) + step * 10)
        index.put(count, offsets[-1], positions[-1])
        if count == int(written * len(steps)):
            index.write(count + 1)
    count = len(steps)
    floor = bisect_right(offsets, wanted) - 1
    assert index.position_of(count, wanted) == (positions[floor] if floor >= 0 else 0)
    floor = bisect_right(positions, wanted) - 1
    assert index.position_before(count, wanted) == (positions[floor] if floor >= 0 else 0)
    assert index.floor_offset(count, wanted) == bisect_right(offsets, wanted)


@given(
    steps=st.lists(st.integers(1, 1000), min_size=1, max_size=600),
    wanted=st.integers(0, 300_000),
    written=st.floats(0, 1),
)
def test_the_time_index_finds_the_last_entry_at_or_before_a_time(steps: list[int], wanted: int, written: float) -> None:
    index = time_index()
    entries: list[tuple[int, int]] = []
    for count, step in enumerate(steps):
        entries.append(((entries[-1][0] if entries else 0) + step, count * 3))
        index.put(count, *entries[-1])
        if count == int(written * len(steps)):
            index.write(count + 1)
    floor = bisect_right([timestamp for timestamp, _ in entries], wanted) - 1
    assert index.floor(len(entries), wanted) == (entries[floor] if floor >= 0 else (-1, 0))
    assert index.last(len(entries)) == entries[-1]


def test_entries_beyond_what_counts_are_overwritten() -> None:
    index = offset_index()
    index.put(0, 1, 10)
    index.put(1, 2, 20)
    index.put(2, 3, 30)
    index.put(1, 5, 50)  # the append of entries 1 and 2 was never published
    assert index.position_of(2, 100) == 50
    index.write(2)
    assert index.stored_count == 2
    assert index.pending_bytes() == 0


def test_truncating_forgets_entries_in_memory_and_on_file() -> None:
    for written in (0, 2, 4):
        index = offset_index()
        for count in range(4):
            index.put(count, count + 1, (count + 1) * 10)
            if count + 1 == written:
                index.write(written)
        index.truncate(1)
        assert index.position_of(1, 100) == 10
        index.put(1, 9, 90)
        index.write(2)
        assert index.handle.file().size() == 16


@pytest.mark.parametrize("size_bytes", [8, 15, 10_485_760])
def test_an_index_holds_whole_entries_only(size_bytes: int) -> None:
    assert offset_index().max_entries(size_bytes) == size_bytes // 8
    assert time_index().max_entries(size_bytes) == size_bytes // 12


def test_a_damaged_last_entry_is_noticed() -> None:
    index = offset_index()
    index.put(0, -5, 0)
    assert "before the base offset" in (index.check(1, 0) or "")
    times = time_index()
    times.put(0, 100, 1)
    times.put(1, 50, 2)
    assert "before the first" in (times.check(2, 0) or "")
