"""The records that go in, and the check that the same ones came out.

A pool of distinct values is cycled, so that a million records need no hundred megabytes before the first is sent.  What
came out is compared by count and by the sum of the values' CRC-32: independent of the order in which partitions are
read, and cheap enough to do for every record of every run (outside the timed part).
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_POOL = 9_973  # a prime: no pattern of batches or partitions repeats with it


@dataclass(frozen=True)
class Workload:
    """``count`` records cycled from pools of keys and values."""

    keys: list[bytes]
    values: list[bytes]
    count: int

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        return itertools.islice(zip(itertools.cycle(self.keys), itertools.cycle(self.values)), self.count)

    def texts(self) -> Iterator[tuple[str, str]]:
        """The same records as text, for runs with serializers; what they carry is the text's UTF-8."""
        keys = [key.decode("ascii") for key in self.keys]
        values = [value.decode("ascii") for value in self.values]
        return itertools.islice(zip(itertools.cycle(keys), itertools.cycle(values)), self.count)

    def checksum(self) -> int:
        rounds, rest = divmod(self.count, len(self.values))
        each = [zlib.crc32(value) for value in self.values]
        return rounds * sum(each) + sum(each[:rest])

    def check(self, values: Iterable[bytes], who: str) -> None:
        """Raise unless ``values`` are exactly the values of this workload, in any order."""
        checksums = [zlib.crc32(value) for value in values]
        if len(checksums) != self.count or sum(checksums) != self.checksum():
            raise AssertionError(f"{who}: {len(checksums)} records came out, {self.count} different ones went in")


def workload(count: int, size_bytes: int = 100, *, mixed: bool = False) -> Workload:
    """Keys of 8 bytes; values of ``size_bytes``, or with ``mixed`` of 10 to 10 x that, the small ones more often."""
    source = random.Random(20260101)
    alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789 "
    keys = [b"%08d" % (number * 7919 % 100_000_000) for number in range(_POOL)]
    values = []
    for _ in range(_POOL):
        length = min(10 * size_bytes, int(size_bytes / 10 * 10 ** source.uniform(0, 2))) if mixed else size_bytes
        values.append(bytes(source.choices(alphabet, k=length)))
    return Workload(keys, values, count)
