"""A data directory's files as tools see them: read only, beside a live owner, without its lock.

::

    <data>/format  .lock  catalog.sqlite
    <data>/broker-<id>/<topic>-<partition>/<20-digit base offset>.log .index .timeindex ...

A live owner appends behind our back, so the last bytes of the newest segment may be half a batch: a scan ends at the
last whole batch whose checksum holds and says how many bytes it left.  Files are read in order with plain reads rather
than mapped: an owner that recovers may shorten a file, and a mapping past the end kills the process that touches it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from embedkafka.errors import CorruptRecordError
from embedkafka.files import system_files
from embedkafka.model import TopicPartition
from embedkafka.record import BatchHeader, read_header, verify_checksum
from embedkafka.storage.checkpoints import LOG_START_FILE, read_offsets
from embedkafka.storage.names import LOG_SUFFIX, parse_partition_folder, parse_segment_file, partition_folder

LOG_OVERHEAD_BYTES = 12  # base offset (8) and length (4) precede what the length counts
HEADER_BYTES = 61
OFFSET_ENTRY = struct.Struct(">ii")  # relative offset, position
TIME_ENTRY = struct.Struct(">qi")  # timestamp in ms, relative offset
READ_BYTES = 1 << 20
MAX_BATCH_BYTES = 1 << 30  # a length beyond this is damage, not a batch; do not try to read it

_BROKER_NAME = re.compile(r"broker-(\d+)")


@dataclass(frozen=True)
class PartitionFolder:
    """One partition's folder on one broker."""

    path: Path
    broker_id: int
    topic_partition: TopicPartition

    def segments(self) -> list[Segment]:
        """Its segments in offset order; empty when the folder is gone by now."""
        try:
            names = sorted(entry.name for entry in self.path.iterdir() if _is_log(entry.name))
        except FileNotFoundError:
            return []
        return [Segment(self.path / name) for name in names]

    def identities(self) -> dict[str, int]:
        """The inode of each log file by name, to notice that files were dropped or replaced."""
        found = {}
        for segment in self.segments():
            try:
                found[segment.path.name] = segment.path.stat().st_ino
            except FileNotFoundError:
                continue
        return found


@dataclass(frozen=True)
class Segment:
    """One ``.log`` file and the indexes beside it."""

    path: Path

    @property
    def base_offset(self) -> int:
        return int(self.path.stem)

    @property
    def offset_index(self) -> Path:
        return self.path.with_suffix(".index")

    @property
    def time_index(self) -> Path:
        return self.path.with_suffix(".timeindex")


class ScannedBatch(NamedTuple):
    """A batch as it lies in the file; ``problem`` is empty when its checksum holds."""

    position: int
    header: BatchHeader
    data: bytes
    problem: str


@dataclass
class ScanEnd:
    """Where a scan stopped: ``position`` is the end of the last whole batch, ``problem`` why it went no further."""

    position: int = 0
    left_bytes: int = 0
    problem: str = ""


def partition_folders(data: Path) -> list[PartitionFolder]:
    """Every partition's folder, by broker, topic and partition number."""
    found = []
    for broker in data.iterdir():
        match = _BROKER_NAME.fullmatch(broker.name)
        if not match or not broker.is_dir():
            continue
        for folder in broker.iterdir():
            topic_partition = parse_partition_folder(folder.name)
            if topic_partition is not None and folder.is_dir():
                found.append(PartitionFolder(folder, int(match[1]), topic_partition))
    return sorted(found, key=lambda folder: (folder.broker_id, folder.topic_partition))


def partition_folder_path(data: Path, broker_id: int, topic_partition: TopicPartition) -> Path:
    """Where a broker keeps a partition, whether it is there or not."""
    return data / f"broker-{broker_id}" / partition_folder(topic_partition)


def log_start_offsets(data: Path) -> Mapping[tuple[int, TopicPartition], int]:
    """Where each broker's partitions begin where that is not at their first segment (after DeleteRecords)."""
    files = system_files()
    found: dict[tuple[int, TopicPartition], int] = {}
    for checkpoint in data.glob(f"broker-*/{LOG_START_FILE}"):
        broker_id = int(checkpoint.parent.name.removeprefix("broker-"))
        for topic_partition, offset in read_offsets(files, str(checkpoint)).items():
            found[broker_id, topic_partition] = offset
    return found


def log_end_offset(segments: Sequence[Segment]) -> int:
    """The offset after the last whole batch; 0 without segments.  Costs a scan from the last index entry on."""
    if not segments:
        return 0
    newest = segments[-1]
    end_offset = newest.base_offset
    try:
        for batch in scan(newest.path, start=position_before(newest, None)):
            if batch.problem:
                break
            end_offset = batch.header.next_offset
    except FileNotFoundError:
        return end_offset
    return end_offset


def position_before(segment: Segment, offset: int | None) -> int:
    """Where a scan for an offset may start: the last indexed batch that ends at or below it; None: the last indexed."""
    position = 0
    try:
        for last_offset, where in offset_entries(segment.offset_index, segment.base_offset):
            if offset is not None and last_offset > offset:
                break
            position = where
    except FileNotFoundError:
        return 0
    return position


def scan(path: Path, end: ScanEnd | None = None, *, start: int = 0) -> Iterator[ScannedBatch]:
    """Every whole batch of a log file from a byte position on, also those whose checksum does not hold.

    Args:
        path: a ``.log`` file.
        end: filled in once the scan is over.
        start: where a batch begins.
    """
    end = end or ScanEnd()
    end.position = start
    with path.open("rb", buffering=READ_BYTES) as file:
        file.seek(start)
        while True:
            batch = _read_batch(file, end)
            if batch is None:
                return
            yield batch
            end.position += len(batch.data)


def _read_batch(file: IO[bytes], end: ScanEnd) -> ScannedBatch | None:
    head = file.read(LOG_OVERHEAD_BYTES)
    if len(head) < LOG_OVERHEAD_BYTES:
        end.left_bytes = len(head)
        if head:
            end.problem = f"{len(head)} bytes are left, too few for a batch"
        return None
    length = struct.unpack_from(">i", head, 8)[0]
    if not HEADER_BYTES - LOG_OVERHEAD_BYTES <= length <= MAX_BATCH_BYTES:
        end.left_bytes = len(head) + _rest(file)
        end.problem = f"a batch cannot be {length} bytes long"
        return None
    body = file.read(length)
    data = head + body
    if len(body) < length:
        end.left_bytes = len(data)
        end.problem = f"the batch is cut: {len(data)} of {length + LOG_OVERHEAD_BYTES} bytes are there"
        return None
    try:
        header = read_header(data)
    except CorruptRecordError as error:
        end.left_bytes = len(data) + _rest(file)
        end.problem = reason(error)
        return None
    try:
        verify_checksum(data, 0, header)
    except CorruptRecordError as error:
        return ScannedBatch(end.position, header, data, reason(error))
    return ScannedBatch(end.position, header, data, "")


def _rest(file: IO[bytes]) -> int:
    here = file.tell()
    return file.seek(0, 2) - here


def reason(error: Exception) -> str:
    """An error's own words, without its class and code."""
    return str(error.args[0]) if error.args else type(error).__name__


def offset_entries(path: Path, base_offset: int) -> Iterator[tuple[int, int]]:
    """``(offset, position)`` pairs of an ``.index`` file; a torn last entry is left out."""
    return parse_offset_entries(path.read_bytes(), base_offset)


def parse_offset_entries(data: bytes, base_offset: int) -> Iterator[tuple[int, int]]:
    """The same out of the file's bytes."""
    for relative, position in OFFSET_ENTRY.iter_unpack(data[: len(data) // OFFSET_ENTRY.size * OFFSET_ENTRY.size]):
        yield base_offset + relative, position


def time_entries(path: Path, base_offset: int) -> Iterator[tuple[int, int]]:
    """``(timestamp_ms, offset)`` pairs of a ``.timeindex`` file; a torn last entry is left out."""
    return parse_time_entries(path.read_bytes(), base_offset)


def parse_time_entries(data: bytes, base_offset: int) -> Iterator[tuple[int, int]]:
    """The same out of the file's bytes."""
    for timestamp_ms, relative in TIME_ENTRY.iter_unpack(data[: len(data) // TIME_ENTRY.size * TIME_ENTRY.size]):
        yield timestamp_ms, base_offset + relative


def _is_log(name: str) -> bool:
    parsed = parse_segment_file(name)
    return parsed is not None and parsed[1:] == (LOG_SUFFIX, "")
