"""Reading a topic beside a live owner: no lock, no change, whole batches whose checksum holds.

The owner may meanwhile append, roll, drop old segments and swap in compacted ones.  So a reader remembers the offset it
has come to and looks up the file again whenever the one it was in is gone or has been replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from embedkafka.cli.catalog import Partition, read_topics
from embedkafka.cli.exits import CliError, ExitCode, not_found
from embedkafka.cli.segments import PartitionFolder, ScanEnd, Segment, position_before, scan
from embedkafka.cli.session import Session
from embedkafka.clock import SystemClock
from embedkafka.errors import CorruptRecordError
from embedkafka.record import decode_batch

LOOK_EVERY_MS = 100


class SeenRecord(NamedTuple):
    """A record with where it lies; the fields that a ``ConsumerRecord`` has under the same names."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


@dataclass(frozen=True)
class Start:
    """Where to begin in each partition: an offset, so many records before the end, or the end itself."""

    offset: int = 0
    from_end: bool = False

    def of(self, partition: Partition) -> int:
        """The offset this means in one partition, within what is there."""
        wanted = partition.log_end_offset + self.offset if self.from_end else self.offset
        return min(max(wanted, partition.log_start_offset), partition.log_end_offset)


def parse_start(offset: str) -> Start:
    """``--offset``: a number; negative counts from the end."""
    try:
        number = int(offset)
    except ValueError:
        raise CliError(f"--offset takes a number, not {offset!r}", "", ExitCode.USAGE) from None
    return Start(number, from_end=number < 0)


class PartitionTail:
    """A place in one partition's log, moving forward.

    Args:
        folder: the partition's folder; it need not exist yet.
        offset: where to begin.
    """

    def __init__(self, folder: PartitionFolder, offset: int) -> None:
        self._folder = folder
        self._next_offset = offset
        self._place: tuple[Path, int, int] | None = None  # file, its inode, where in it the next batch begins
        self.unfinished = ""

    def read(self) -> Iterator[SeenRecord]:
        """The records from here to the end that is there now.

        Raises:
            CorruptRecordError: damage in a segment that is not the newest, so not work in progress.
        """
        while True:
            segments = self._folder.segments()
            current = [segment for segment in segments if segment.base_offset <= self._next_offset] or segments
            if not current:
                return
            segment = current[-1] if current is not segments else segments[0]
            try:
                yield from self._read_segment(segment, newest=segment == segments[-1])
            except FileNotFoundError:
                self._place = None
                continue  # dropped or replaced while we looked: list again
            later = [other for other in segments if other.base_offset > segment.base_offset]
            if not later:
                return
            self._next_offset = max(self._next_offset, later[0].base_offset)
            self._place = None

    def _read_segment(self, segment: Segment, *, newest: bool) -> Iterator[SeenRecord]:
        inode = segment.path.stat().st_ino
        start = 0
        if self._place is not None and self._place[:2] == (segment.path, inode):
            start = self._place[2]
        elif self._next_offset > segment.base_offset:
            start = position_before(segment, self._next_offset)
        end = ScanEnd()
        problem = ""
        for batch in scan(segment.path, end, start=start):
            if batch.problem:
                problem = batch.problem
                break
            if batch.header.next_offset > self._next_offset:
                if not batch.header.is_control:
                    yield from self._records(batch.data)
                self._next_offset = batch.header.next_offset
            self._place = (segment.path, inode, batch.position + len(batch.data))
        problem = problem or end.problem
        if problem and not newest:
            raise CorruptRecordError(f"{segment.path}: byte {end.position}: {problem}")
        self.unfinished = f"{segment.path}: byte {end.position}: {problem}" if problem else ""

    def _records(self, data: bytes) -> Iterator[SeenRecord]:
        topic, partition = self._folder.topic_partition
        for record in decode_batch(data):
            if record.offset >= self._next_offset:
                yield SeenRecord(
                    topic, partition, record.offset, record.timestamp, record.key, record.value, record.headers
                )


def read_beside(
    session: Session, topic: str, partition: int | None, *, start: Start, wait_ms: float
) -> Iterator[SeenRecord]:
    """A topic's records, partition by partition, without owning the directory.

    Args:
        session: names the directory; is told of a tail that is not a whole batch.
        topic: which topic.
        partition: one partition only; None for all.
        start: where to begin in each.
        wait_ms: how long to wait for the next record at the end; 0 ends there, infinity waits until interrupted.

    Raises:
        CliError: no such topic or partition.
        CorruptRecordError: damage.
    """
    data = session.existing_data()
    tails = [PartitionTail(found.folder, start.of(found)) for found in _partitions(data, topic, partition)]
    clock = SystemClock()
    idle_since_ms = clock.monotonic_ms()
    while True:
        for tail in tails:
            for record in tail.read():
                yield record
                idle_since_ms = clock.monotonic_ms()
        if clock.monotonic_ms() - idle_since_ms >= wait_ms:
            break
        session.out.flush()
        condition = threading.Condition()
        with condition:
            clock.wait(condition, lambda: False, LOOK_EVERY_MS)
    for tail in tails:
        if tail.unfinished:
            session.out.warn(f"{tail.unfinished} (being written, or left by a crash)")


def _partitions(data: Path, topic: str, partition: int | None) -> list[Partition]:
    topics = {found.name: found for found in read_topics(data)}
    if topic not in topics:
        raise not_found("topic", topic, (name for name, found in topics.items() if not found.is_internal))
    partitions = topics[topic].partitions
    if partition is not None:
        if partition >= len(partitions):
            last = len(partitions) - 1
            raise CliError(f"{topic} has no partition {partition}", f"it has 0 to {last}", ExitCode.NOT_FOUND)
        return [partitions[partition]]
    return partitions
