"""What a consumer pays per record does not grow with the log."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from itertools import islice
from pathlib import Path

from benchmarks._harness import CPU, Claim, Contender, Goal, Sample, timed
from benchmarks._project import TOPIC, engine, producer, reader
from embedkafka import TopicPartition

# The longest log; 100 million records of 10 bytes take about 2 GB and some minutes, so that only .ci/full asks for it.
_LONGEST = int(float(os.environ.get("EMBEDKAFKA_BENCHMARK_RECORDS", "10e6")))
_READ = 100_000


@functools.cache
def _directory(count: int) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="embedkafka-benchmark-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    with engine(directory / "data") as kafka, producer(kafka) as client:
        send = client.send
        for number in range(count):
            send(TOPIC, value=b"%010d" % number)
        client.flush()
    return directory / "data"


def read_the_last(count: int) -> Sample:
    """Read the last hundred thousand records of a log of ``count``."""
    directory, partition = _directory(count), TopicPartition(TOPIC, 0)
    first = count - min(count, _READ)
    with engine(directory) as kafka, reader(kafka) as consumer:
        consumer.seek(partition, first)
        with timed(count - first) as sample:
            last = None
            for record in islice(consumer, count - first):
                last = record.value
        assert last == b"%010d" % (count - 1)
    return sample


SHORT, LONG = "log of 100,000 records", f"log of {_LONGEST:,} records"

CLAIM = Claim(
    "growth",
    "CPU time per record of a consumer that reads the end of a log, by the log's length",
    [
        Contender(SHORT, lambda _: read_the_last(100_000)),
        Contender("log of 1,000,000 records", lambda _: read_the_last(1_000_000)),
        Contender(LONG, lambda count: read_the_last(max(1_100_000, _LONGEST * count // 1_000_000))),
    ],
    [Goal(LONG, SHORT, 1.2, CPU)],
    quick_count=110_000,
)
