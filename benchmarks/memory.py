"""Streaming a million records needs no more memory than a few batches."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import _child
from benchmarks._harness import Claim, Contender, Goal, Sample

PROJECT = "a million records through a directory"
_SLICE = 10_000


def _anonymous_bytes() -> int:
    """Memory of this process that no file backs (Linux)."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def stream(count: int) -> Sample:
    """Produce and consume in turns; the peak of anonymous memory above the interpreter and the input's pool."""
    from benchmarks._data import workload

    work = workload(count)
    pairs = work.pairs()
    next(pairs)
    before = _anonymous_bytes()

    from benchmarks._harness import fresh_directory
    from benchmarks._project import TOPIC, engine, producer, reader

    imported = peak = _anonymous_bytes()
    received = 0
    with (
        fresh_directory() as directory,
        engine(directory) as kafka,
        producer(kafka) as sender,
        reader(kafka) as receiver,
    ):
        for number, (key, value) in enumerate(work.pairs(), 1):
            sender.send(TOPIC, value=value, key=key)
            if number % _SLICE == 0 or number == count:
                while received < number:
                    received += sum(map(len, receiver.poll(timeout_ms=1000).values()))
                peak = max(peak, _anonymous_bytes())
    assert received == count
    return Sample(values={"peak_mb": (peak - before) / 1e6, "import_mb": (imported - before) / 1e6})


def mock_cluster(count: int) -> Sample:
    from benchmarks._data import workload

    pairs = workload(count).pairs()
    next(pairs)
    before = peak = _anonymous_bytes()
    from benchmarks import _peers

    with _peers.mock_cluster() as client:
        for number, (key, value) in enumerate(pairs, 1):
            client.produce(_peers.TOPIC, value, key)
            if number % _SLICE == 0:
                client.flush(30)
                peak = max(peak, _anonymous_bytes())
    return Sample(values={"peak_mb": (peak - before) / 1e6})


CLAIM = Claim(
    "memory",
    "megabytes of anonymous memory above the interpreter while a million records stream through",
    [
        Contender(PROJECT, lambda count: _child.measure("memory", "stream", count)),
        Contender(
            "confluent-kafka, mock cluster, producing only",
            lambda count: _child.measure("memory", "mock_cluster", count),
            "peer",
            needs="confluent_kafka",
        ),
    ],
    [Goal(PROJECT, None, 30.0, "peak_mb", unit="MB")],
    show=["peak_mb", "import_mb"],
)
