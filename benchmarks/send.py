"""``send()`` costs about as much as a few empty Python calls.

CPU time of the whole process, so that work which moves to the housekeeping thread still counts.  Keys go through
murmur2, batches through their checksum and into the segment file, all at default settings.  The bare ``write()`` of as
many bytes stands below, because the goals leave little room for it; the rows in memory do without it.
"""

from __future__ import annotations

from benchmarks._data import workload
from benchmarks._harness import Claim, Contender, Goal, Sample, fresh_directory, timed, write_pieces
from benchmarks._project import TOPIC, check, engine, producer
from benchmarks._unit import E
from embedkafka.record import OpenBatch, SealedBatch, verify_checksum

PARTITIONS = 4
WRITE = "write() of as many bytes"
WRITE_1_KIB = "write() of as many bytes, 1 KiB"


def forgotten(count: int, size_bytes: int = 100, *, in_memory: bool = False) -> Sample:
    """Fire and forget."""
    work = workload(count, size_bytes)
    with fresh_directory() as directory, engine(None if in_memory else directory, partitions=PARTITIONS) as kafka:
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


def batch_per_record(count: int) -> Sample:
    """The smallest batches there can be: encoded, sealed and checksummed, but not written."""
    work = workload(count)
    lane, delivery = OpenBatch(), object()
    batches: list[SealedBatch] = []
    with timed(count) as sample:
        for key, value in work.pairs():
            lane.start(delivery, 16_384, key, value, None, 1_700_000_000_000)
            lane.detach()
            batch = lane.sealed.pop()
            if len(batches) < 100:
                batches.append(batch)
    for batch in batches:
        verify_checksum(batch.records)
    return sample


def append_to_a_list(count: int) -> Sample:
    """The bound: the least that can be done to keep a record."""
    records: list[object] = []
    append, pairs = records.append, workload(count).pairs()
    with timed(count) as sample:
        for key, value in pairs:
            append((key, value))
    return sample


CLAIM = Claim(
    "send",
    "the cost of send(), keyed, on a directory; CPU time of all threads",
    [
        E,
        Contender("send, forgotten", forgotten),
        Contender("send, future kept", kept),
        Contender("send 1 KiB, forgotten", lambda count: forgotten(count, 1024), share=0.3),
        Contender("send, in memory", lambda count: forgotten(count, in_memory=True)),
        Contender("send 1 KiB, in memory", lambda count: forgotten(count, 1024, in_memory=True), share=0.3),
        Contender("one batch per record, not written", batch_per_record, share=0.3),
        Contender("a tuple appended to a list", append_to_a_list, "bound"),
        Contender(WRITE, lambda count: write_pieces(count, 116), "bound"),
        Contender(WRITE_1_KIB, lambda count: write_pieces(count, 1040), "bound", share=0.3),
    ],
    [
        Goal("send, forgotten", "E", 3.0),
        Goal("send, future kept", "E", 3.5),
        Goal("send 1 KiB, forgotten", "E", 5.0),
        Goal("one batch per record, not written", "E", 5.0),
        # The same two without what no log can save: the kernel takes longer for 1 KiB than the goal allows in all.
        Goal("send, forgotten", "E", 3.0, plus=WRITE),
        Goal("send 1 KiB, forgotten", "E", 5.0, plus=WRITE_1_KIB),
    ],
    show=["thread_ns"],
)
