"""Reading a record and three of its attributes costs about as much as two empty Python calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from benchmarks import _peers
from benchmarks._data import workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import check, engine, fill, reader
from benchmarks._unit import E

PARTITIONS = 4
CONSUME = _peers.CONFLUENT + ", consume(500)"
POLL = _peers.CONFLUENT + ", poll()"
_SHARE = _peers.MOCK_HOLDS / 1_000_000


def by_iteration(client: Any, count: int) -> None:
    for record in islice(client, count):
        record.key  # noqa: B018 - reading it is what is measured
        record.value  # noqa: B018
        record.offset  # noqa: B018


def by_poll(client: Any, count: int) -> None:
    poll, left = client.poll, count
    while left > 0:
        for records in poll(timeout_ms=1000, max_records=500).values():
            left -= len(records)
            for record in records:
                record.key  # noqa: B018
                record.value  # noqa: B018
                record.offset  # noqa: B018


def project(count: int, read: Callable[[Any, int], None], size_bytes: int = 100) -> Sample:
    work = workload(count, size_bytes)
    with fresh_directory() as directory:
        with engine(directory, partitions=PARTITIONS) as kafka:
            fill(kafka, work)
        with engine(directory) as kafka:  # opened anew: nothing is served from the writer's memory
            with reader(kafka) as client, timed(count) as sample:
                read(client, count)
            check(kafka, work, read.__name__)
    return sample


def confluent(count: int, *, one_by_one: bool) -> Sample:
    work = workload(count)
    with _peers.mock_cluster() as producer:
        _peers.mock_fill(producer, work)
        with _peers.mock_consumer(producer) as (consumer, partitions):
            left = count
            with timed(count) as sample:
                consumer.assign(partitions)
                if one_by_one:
                    poll = consumer.poll
                    while left:
                        message = poll(5)
                        message.key(), message.value(), message.offset()
                        left -= 1
                else:
                    consume = consumer.consume
                    while left:
                        messages = consume(min(500, left), 5)
                        left -= len(messages)
                        for message in messages:
                            message.key(), message.value(), message.offset()
        _peers.mock_check(producer, work, CONSUME)
    return sample


@dataclass
class _Record:
    """Made by hand, for the bound."""

    __slots__ = ("key", "offset", "value")
    key: bytes
    value: bytes
    offset: int


def ready_made(count: int) -> Sample:
    """The bound: objects that are there already."""
    records = [_Record(key, value, offset) for offset, (key, value) in enumerate(workload(count).pairs())]
    with timed(count) as sample:
        by_iteration(iter(records), count)
    return sample


CLAIM = Claim(
    "read",
    "the cost of reading a record and its key, value and offset; CPU time of all threads in E, wall time against peers",
    [
        E,
        Contender("iterate", lambda count: project(count, by_iteration)),
        Contender("poll(500)", lambda count: project(count, by_poll)),
        Contender("iterate, 1 KiB", lambda count: project(count, by_iteration, 1024), share=0.3),
        Contender("poll(500), 1 KiB", lambda count: project(count, by_poll, 1024), share=0.3),
        Contender(
            CONSUME,
            lambda count: confluent(count, one_by_one=False),
            "peer",
            share=_SHARE,
            needs="confluent_kafka",
        ),
        Contender("objects that are there already", ready_made, "bound", share=0.3),
        Contender(POLL, lambda count: confluent(count, one_by_one=True), "peer", share=_SHARE, needs="confluent_kafka"),
    ],
    [
        Goal("iterate", "E", 3.0),
        Goal("poll(500)", "E", 3.0),
        Goal("iterate, 1 KiB", "E", 5.0),
        Goal("poll(500), 1 KiB", "E", 5.0),
        Goal("poll(500)", CONSUME, 1 / 3, WALL),
        Goal("iterate", CONSUME, 1 / 3, WALL),
        Goal("poll(500)", POLL, 1 / 6, WALL),
        Goal("iterate", POLL, 1 / 6, WALL),
    ],
)
