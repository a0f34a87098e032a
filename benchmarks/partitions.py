"""A partition costs the same whether there are ten or a thousand, in a process that may open 256 files."""

from __future__ import annotations

import time
from itertools import pairwise

from benchmarks import _child
from benchmarks._harness import Claim, Contender, Goal, Sample, fresh_directory
from benchmarks._project import TOPIC, engine, producer, reader

_OPEN_FILES = 256


def life_of(count: int) -> Sample:
    """Create ``count`` partitions, write to each once, close, reopen, read each; milliseconds per partition."""
    marks = [time.perf_counter()]
    with fresh_directory() as directory:
        with engine(directory, partitions=count) as kafka, producer(kafka) as client:
            marks.append(time.perf_counter())
            for number in range(count):
                client.send(TOPIC, value=b"%d" % number, partition=number)
            client.flush()
            marks.append(time.perf_counter())
        marks.append(time.perf_counter())
        with engine(directory) as kafka:
            marks.append(time.perf_counter())
            with reader(kafka) as consumer:
                values = set()
                while len(values) < count:
                    records = consumer.poll(timeout_ms=1000)
                    assert records, f"{len(values)} of {count} partitions gave their record"
                    values |= {(batch[0].partition, batch[0].value) for batch in records.values()}
                marks.append(time.perf_counter())
        marks.append(time.perf_counter())
    assert values == {(number, b"%d" % number) for number in range(count)}
    names = ("create_ms", "write_ms", "close_ms", "reopen_ms", "read_ms", "close_again_ms")
    spans = [after - before for before, after in pairwise(marks)]
    each = {name: span * 1e3 / count for name, span in zip(names, spans, strict=True)}
    return Sample(values={"each_ms": sum(each.values()), **each})


def _contender(count: int) -> Contender:
    # The size is the point here, so that --quick does not change it.
    name = f"{count:,} partitions"
    return Contender(name, lambda _: _child.measure("partitions", "life_of", count, limit_files=_OPEN_FILES))


CLAIM = Claim(
    "partitions",
    f"milliseconds per partition to create, write, close, reopen, read and close, under ulimit -n {_OPEN_FILES}",
    [_contender(10), _contender(100), _contender(1_000)],
    [
        Goal("1,000 partitions", "10 partitions", 1.2, "each_ms"),
        Goal("1,000 partitions", "100 partitions", 1.2, "each_ms"),
    ],
    show=["each_ms", "create_ms", "write_ms", "close_ms", "reopen_ms", "read_ms"],
)
