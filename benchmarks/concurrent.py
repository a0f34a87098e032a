"""A producing and a consuming thread at once take little longer than one after the other."""

from __future__ import annotations

import threading
import zlib
from typing import Any

from benchmarks._data import Workload, workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, engine, producer, reader

AT_ONCE = "producer and consumer at once"
SERIAL = "one after the other"


def _produce(client: Any, work: Workload) -> None:
    send = client.send
    for key, value in work.pairs():
        send(TOPIC, value=value, key=key)
    client.flush()


def _consume(client: Any, work: Workload, checksums: list[int]) -> None:
    poll, left = client.poll, work.count
    while left > 0:
        for records in poll(timeout_ms=1000, max_records=500).values():
            left -= len(records)
            checksums.append(sum(zlib.crc32(record.value) for record in records))


def _measure(count: int, *, at_once: bool) -> Sample:
    work, checksums = workload(count), list[int]()
    with (
        fresh_directory() as directory,
        engine(directory) as kafka,
        producer(kafka) as sender,
        reader(kafka) as receiver,
        timed(count) as sample,
    ):
        if at_once:
            thread = threading.Thread(target=_produce, args=(sender, work))
            thread.start()
            _consume(receiver, work, checksums)
            thread.join()
        else:
            _produce(sender, work)
            _consume(receiver, work, checksums)
    assert sum(checksums) == work.checksum(), "what came out is not what went in"
    return sample


CLAIM = Claim(
    "concurrent",
    "producing and consuming the same records on two threads; wall time",
    [
        Contender(AT_ONCE, lambda count: _measure(count, at_once=True)),
        Contender(SERIAL, lambda count: _measure(count, at_once=False), "bound"),
    ],
    [Goal(AT_ONCE, SERIAL, 1.5, WALL)],
)
