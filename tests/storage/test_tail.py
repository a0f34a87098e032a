"""The batches in memory at the head of a log."""

from __future__ import annotations

from embedkafka.storage.config import LONG_MAX
from embedkafka.storage.tail import Tail


def filled(limit_bytes: int, count: int, size_bytes: int = 10) -> Tail:
    tail = Tail(limit_bytes)
    for number in range(count):
        tail.add(number, number + 1, memoryview(bytes([number]) * size_bytes))
    return tail


def read(tail: Tail, offset: int, max_bytes: int = 1000, max_offset: int = LONG_MAX) -> list[int] | None:
    chunks = tail.read(offset, max_bytes, max_offset, True)
    return None if chunks is None else [chunk[0] for chunk in chunks]


def test_what_is_kept_is_served() -> None:
    assert read(filled(1000, 5), 2) == [2, 3, 4]


def test_what_was_dropped_is_not_known_here() -> None:
    tail = filled(100, 50)
    assert read(tail, 0) is None
    assert read(tail, 49) == [49]
    assert tail.size_bytes <= 100


def test_an_offset_behind_the_end_is_not_known_here() -> None:
    assert read(filled(1000, 5), 5) is None


def test_the_bytes_asked_for_are_not_exceeded_but_by_the_first_batch() -> None:
    tail = filled(1000, 5)
    assert read(tail, 0, max_bytes=29) == [0, 1]
    assert read(tail, 0, max_bytes=30) == [0, 1, 2]
    assert read(tail, 0, max_bytes=1) == [0]
    assert tail.read(0, 1, LONG_MAX, False) == []


def test_batches_that_reach_beyond_the_limit_are_left_out() -> None:
    assert read(filled(1000, 5), 1, max_offset=3) == [1, 2]
    assert read(filled(1000, 5), 1, max_offset=1) == []


def test_a_batch_that_does_not_follow_starts_anew() -> None:
    tail = filled(1000, 3)
    tail.add(7, 8, memoryview(b"x"))
    assert read(tail, 2) is None
    assert read(tail, 7) == [ord("x")]


def test_a_batch_larger_than_the_limit_is_kept_alone() -> None:
    tail = filled(5, 3, size_bytes=50)
    assert read(tail, 2) == [2]
    assert tail.size_bytes == 50


def test_nothing_is_kept_without_a_limit_to_fill() -> None:
    assert read(filled(0, 3), 2) is None


def test_a_reader_keeps_its_place_while_batches_are_added_and_dropped() -> None:
    tail = filled(100, 5)
    entries = tail._entries
    before = list(entries)
    for number in range(5, 100):
        tail.add(number, number + 1, memoryview(bytes([number]) * 10))
    assert entries[:5] == before
