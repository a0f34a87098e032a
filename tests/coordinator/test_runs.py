"""Ranges of offsets, compared with a plain dictionary of offsets."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.runs import Runs

OFFSETS = st.integers(0, 30)


def offsets_of(runs: Runs[str]) -> dict[int, str]:
    return {offset: value for first, last, value in runs for offset in range(first, last + 1)}


def check(runs: Runs[str]) -> None:
    """Ranges are in order, do not overlap, and equal ones do not touch."""
    entries = list(runs)
    for first, last, _ in entries:
        assert first <= last
    for (_, last, value), (first, _, other) in itertools.pairwise(entries):
        assert last < first
        assert value != other or last + 1 < first


CHANGES = st.one_of(
    st.tuples(st.just("put"), OFFSETS, OFFSETS, st.sampled_from("abc")),
    st.tuples(st.sampled_from(("drop_before", "drop_from")), OFFSETS),
)


@given(st.lists(CHANGES, max_size=30))
def test_ranges_say_of_every_offset_what_was_last_put_there(changes: list[tuple[Any, ...]]) -> None:
    runs: Runs[str] = Runs()
    model: dict[int, str] = {}
    for name, one, *others in changes:
        if name == "put":
            two, value = others
            first, last = min(one, two), max(one, two)
            runs.put(first, last, value)
            model.update(dict.fromkeys(range(first, last + 1), value))
        elif name == "drop_before":
            runs.drop_before(one)
            model = {offset: value for offset, value in model.items() if offset >= one}
        else:
            runs.drop_from(one)
            model = {offset: value for offset, value in model.items() if offset < one}
        check(runs)
        assert offsets_of(runs) == model


@given(st.lists(st.tuples(OFFSETS, OFFSETS, st.sampled_from("ab")), max_size=10), OFFSETS, OFFSETS)
def test_the_ranges_of_some_offsets_are_cut_to_them(puts: list[tuple[int, int, str]], one: int, two: int) -> None:
    runs: Runs[str] = Runs()
    for start, end, value in puts:
        runs.put(min(start, end), max(start, end), value)
    first, last = sorted((one, two))
    cut = {offset: value for low, high, value in runs.overlapping(first, last) for offset in range(low, high + 1)}
    assert cut == {offset: value for offset, value in offsets_of(runs).items() if first <= offset <= last}


def test_a_thousand_offsets_that_are_alike_are_one_range() -> None:
    runs: Runs[str] = Runs()
    for offset in range(1_000):
        runs.put(offset, offset, "a")
    assert list(runs) == [(0, 999, "a")]
