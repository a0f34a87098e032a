"""A record anywhere in a large log is found about as fast as one at its head."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from benchmarks import _store
from benchmarks._harness import Claim, Contender, Goal, Sample
from benchmarks._project import TOPIC, engine, reader
from embedkafka import TopicPartition

RANDOM, HEAD = "random seek + poll(1)", "poll(1) at the head"
_POLLS = 300


def _measure(count: int, offset_of: Callable[[random.Random, int], int]) -> Sample:
    directory, records = _store.log_of(min(_store.size_limit_bytes(), count * 10_000))
    partition, source = TopicPartition(TOPIC, 0), random.Random(1)
    times = []
    with engine(directory) as kafka, reader(kafka) as consumer:
        for _ in range(_POLLS):
            offset = offset_of(source, records)
            started = time.perf_counter()
            consumer.seek(partition, offset)
            (found,) = consumer.poll(timeout_ms=10_000, max_records=1)[partition]
            times.append(time.perf_counter() - started)
            assert found.offset == offset
            assert found.value.startswith(b"%08d" % offset)
    times.sort()
    return Sample(values={"p50_us": times[_POLLS // 2] * 1e6, "p99_us": times[_POLLS * 99 // 100] * 1e6})


CLAIM = Claim(
    "seek",
    "microseconds of seek + poll(max_records=1), at random offsets of a large log and at its head",
    [
        Contender(RANDOM, lambda count: _measure(count, lambda source, records: source.randrange(records))),
        Contender(HEAD, lambda count: _measure(count, lambda source, records: records - 1 - source.randrange(10))),
    ],
    [Goal(RANDOM, HEAD, 10.0, "p50_us")],
    quick_count=10_000,  # times 10 kB
    show=["p50_us", "p99_us"],
)
