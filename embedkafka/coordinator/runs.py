"""Ranges of offsets that do not overlap, each with a value: what share groups know of the records of a partition.

Three parallel lists, in offset order; a range is found by bisection.  A change replaces the ranges it overlaps and
joins equal neighbours, so that a share partition with a thousand records that stand alike holds one range.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class Runs(Generic[V]):
    """First and last offset (both included) and value of each range.  Values are compared with ``==``.

    Finding costs O(log n) of the number of ranges; a change also moves the entries behind it.
    """

    __slots__ = ("firsts", "lasts", "values")

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        self.values: list[V] = []

    def __iter__(self) -> Iterator[tuple[int, int, V]]:
        return zip(self.firsts, self.lasts, self.values, strict=True)

    def __len__(self) -> int:
        return len(self.firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Runs):
            return NotImplemented
        return self.firsts == other.firsts and self.lasts == other.lasts and self.values == other.values

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Runs({list(self)})"

    def first_reaching(self, offset: int) -> int:
        """The index of the first range that ends at or behind an offset; the number of ranges where there is none."""
        return bisect_left(self.lasts, offset)

    def put(self, first: int, last: int, value: V) -> None:
        """Give these offsets a value, whatever they had before."""
        firsts, lasts, values = self.firsts, self.lasts, self.values
        low = bisect_left(lasts, first)
        high = bisect_right(firsts, last, low)
        new_firsts, new_lasts, new_values = [first], [last], [value]
        if low < high:
            if firsts[low] < first:
                if values[low] == value:
                    new_firsts[0] = firsts[low]
                else:
                    new_firsts.insert(0, firsts[low])
                    new_lasts.insert(0, first - 1)
                    new_values.insert(0, values[low])
            if lasts[high - 1] > last:
                if values[high - 1] == value:
                    new_lasts[-1] = lasts[high - 1]
                else:
                    new_firsts.append(last + 1)
                    new_lasts.append(lasts[high - 1])
                    new_values.append(values[high - 1])
        if low and new_values[0] == values[low - 1] and lasts[low - 1] + 1 == new_firsts[0]:
            low -= 1
            new_firsts[0] = firsts[low]
        if high < len(firsts) and new_values[-1] == values[high] and new_lasts[-1] + 1 == firsts[high]:
            new_lasts[-1] = lasts[high]
            high += 1
        firsts[low:high] = new_firsts
        lasts[low:high] = new_lasts
        values[low:high] = new_values

    def drop_before(self, offset: int) -> None:
        """Forget every offset below this one."""
        index = bisect_left(self.lasts, offset)
        if index:
            del self.firsts[:index], self.lasts[:index], self.values[:index]
        if self.firsts and self.firsts[0] < offset:
            self.firsts[0] = offset

    def drop_from(self, offset: int) -> None:
        """Forget this offset and every one behind it."""
        index = bisect_left(self.firsts, offset)
        del self.firsts[index:], self.lasts[index:], self.values[index:]
        if self.lasts and self.lasts[-1] >= offset:
            self.lasts[-1] = offset - 1

    def overlapping(self, first: int, last: int) -> Iterator[tuple[int, int, V]]:
        """The ranges that hold any of these offsets, cut to them."""
        for index in range(bisect_left(self.lasts, first), len(self.firsts)):
            if self.firsts[index] > last:
                return
            yield max(first, self.firsts[index]), min(last, self.lasts[index]), self.values[index]
