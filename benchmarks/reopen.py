"""Reopening after a clean close reads no records: how many bytes are stored makes no difference."""

from __future__ import annotations

import time

from benchmarks import _store
from benchmarks._harness import Claim, Contender, Goal, Sample
from benchmarks._project import engine, reader

SMALL, LARGE = "10 MB", "the largest log"


def reopen(size_bytes: int) -> Sample:
    """The quickest of five: a few milliseconds are easily doubled by what else the machine does."""
    directory, count = _store.log_of(size_bytes)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        with engine(directory) as kafka:
            times.append(time.perf_counter() - started)
            with reader(kafka) as consumer:
                (end,) = consumer.end_offsets(consumer.assignment()).values()
                assert end == count, f"{end} of {count} records are there"
    return Sample(values={"ms": min(times) * 1e3, "gigabytes": size_bytes / 1e9})


def _large(count: int) -> Sample:
    return reopen(min(_store.size_limit_bytes(), count * 10_000))


CLAIM = Claim(
    "reopen",
    "milliseconds to reopen a directory that was closed cleanly, by bytes stored",
    [Contender(SMALL, lambda _: reopen(10_000_000)), Contender(LARGE, _large)],
    [Goal(LARGE, SMALL, 1.5, "ms")],
    quick_count=10_000,  # times 10 kB
    show=["ms", "gigabytes"],
)
