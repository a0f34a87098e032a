"""``send()`` costs about as much as two or three empty Python calls.

CPU time of the whole process, so that work which moves to the housekeeping thread still counts.  Keys go through
murmur2, batches through their checksum and into the segment file, all at default settings.
"""

from __future__ import annotations

from benchmarks._data import workload
from benchmarks._harness import Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, check, engine, producer
from benchmarks._unit import E

PARTITIONS = 4


def forgotten(count: int, size_bytes: int = 100) -> Sample:
    """Fire and forget."""
    work = workload(count, size_bytes)
    with fresh_directory() as directory, engine(directory, partitions=PARTITIONS) as kafka:
        with producer(kafka) as client:
            send, pairs = client.send, work.pairs()
            with timed(count) as sample:
                for key, value in pairs:
                    send(TOPIC, value=value, key=key)
            client.flush()
        check(kafka, work, "send, forgotten")
    return sample


def kept(count: int) -> Sample:
    """Every future kept until the end, then looked at."""
    work = workload(count)
    with fresh_directory() as directory, engine(directory, partitions=PARTITIONS) as kafka:
        with producer(kafka) as client:
            futures: list[object] = []
            send, keep, pairs = client.send, futures.append, work.pairs()
            with timed(count) as sample:
                for key, value in pairs:
                    keep(send(TOPIC, value=value, key=key))
            client.flush()
            assert all(future.succeeded() for future in futures)  # type: ignore[attr-defined]
        check(kafka, work, "send, future kept")
    return sample


def forgotten_1_kib(count: int) -> Sample:
    return forgotten(count, 1024)


CLAIM = Claim(
    "send",
    "the cost of send(), keyed, on a directory; CPU time of all threads",
    [
        E,
        Contender("send, forgotten", forgotten),
        Contender("send, future kept", kept),
        Contender("send 1 KiB, forgotten", forgotten_1_kib, share=0.3),
    ],
    [
        Goal("send, forgotten", "E", 3.0),
        Goal("send, future kept", "E", 3.5),
        Goal("send 1 KiB, forgotten", "E", 5.0),
    ],
    show=["thread_ns"],
)
