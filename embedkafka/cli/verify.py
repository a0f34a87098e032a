"""``log verify``: what is wrong in a partition's files, and where.

Checked for each segment: the file's name is not above its first offset; batches follow each other with growing offsets;
each checksum holds; no bytes are left over.  For the offset index: entries grow, and each names the last offset of the
batch that begins at its position.  For the time index: entries grow, and each names an offset of this segment with no
later timestamp before it than the one it states.  The next segment begins above the last offset of this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embedkafka.cli.segments import (
    OFFSET_ENTRY,
    TIME_ENTRY,
    PartitionFolder,
    ScanEnd,
    Segment,
    offset_entries,
    scan,
    time_entries,
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    file: Path
    position: int | None
    problem: str


@dataclass
class Verified:
    """What a verification went through."""

    segments: int = 0
    batches: int = 0
    records: int = 0
    size_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    unfinished: list[Finding] = field(default_factory=list)

    def add(self, file: Path, position: int | None, problem: str) -> None:
        """Note something wrong."""
        self.findings.append(Finding(file, position, problem))


def verify_partition(
    folder: PartitionFolder,
    result: Verified,
    *,
    may_be_unfinished: bool,
    advance: Callable[[float], None],
    indexes_may_be_missing: bool = False,
) -> None:
    """Check one partition; what is wrong is added to ``result``.

    Args:
        folder: the partition's folder.
        result: counts and findings, added to.
        may_be_unfinished: the directory is open elsewhere or was not closed: what follows the last whole batch of the
            newest segment is then work in progress (the owner's, or for recovery to cut), not damage.
        advance: told the bytes that were read.
        indexes_may_be_missing: a segment without index files is no finding.
    """
    segments = folder.segments()
    next_offset = 0
    for segment in segments:
        if segment.base_offset < next_offset:
            problem = f"begins at offset {segment.base_offset}, but the segment before goes up to {next_offset - 1}"
            result.add(segment.path, None, problem)
        before_bytes = result.size_bytes
        newest = segment is segments[-1]
        try:
            seen = _verify_log(segment, result, may_be_unfinished=newest and may_be_unfinished)
        except FileNotFoundError:
            continue  # retention was faster
        advance(result.size_bytes - before_bytes)
        next_offset = seen.last_offset + 1
        if seen.positions and _has_index(segment.offset_index, OFFSET_ENTRY.size, result, indexes_may_be_missing):
            _verify_offset_index(segment, seen, result)
        if seen.positions and _has_index(segment.time_index, TIME_ENTRY.size, result, indexes_may_be_missing):
            _verify_time_index(segment, seen, result)


@dataclass
class _Seen:
    """What a segment's log holds, to hold its indexes against."""

    last_offset: int
    positions: dict[int, int] = field(default_factory=dict)  # where each batch begins -> its last offset
    max_timestamps: list[tuple[int, int]] = field(default_factory=list)  # (last offset, largest timestamp so far)


def _verify_log(segment: Segment, result: Verified, *, may_be_unfinished: bool) -> _Seen:
    seen = _Seen(segment.base_offset - 1)
    end = ScanEnd()
    max_timestamp_ms = -1
    for batch in scan(segment.path, end):
        header = batch.header
        result.batches += 1
        if batch.problem:
            problem = f"batch of offsets {header.base_offset} to {header.last_offset}: {batch.problem}"
            result.add(segment.path, batch.position, problem)
        else:
            result.records += header.records_count
        if header.base_offset <= seen.last_offset:
            where = f"follows offset {seen.last_offset}" if seen.positions else "is below the file's name"
            result.add(segment.path, batch.position, f"offset {header.base_offset} {where}")
        seen.last_offset = max(seen.last_offset, header.last_offset)
        max_timestamp_ms = max(max_timestamp_ms, header.max_timestamp)
        seen.positions[batch.position] = header.last_offset
        seen.max_timestamps.append((header.last_offset, max_timestamp_ms))
    result.segments += 1
    result.size_bytes += end.position + end.left_bytes
    if end.problem:
        target = result.unfinished if may_be_unfinished else result.findings
        target.append(Finding(segment.path, end.position, end.problem))
    return seen


def _verify_offset_index(segment: Segment, seen: _Seen, result: Verified) -> None:
    path = segment.offset_index
    previous = (segment.base_offset - 1, -1)
    for number, (offset, position) in enumerate(offset_entries(path, segment.base_offset)):
        where = number * OFFSET_ENTRY.size
        if offset <= previous[0] or position <= previous[1]:
            result.add(path, where, f"entry ({offset}, {position}) follows ({previous[0]}, {previous[1]})")
        elif position not in seen.positions:
            result.add(path, where, f"offset {offset} is said to be at byte {position}, where no batch begins")
        elif seen.positions[position] != offset:
            last_offset = seen.positions[position]
            result.add(
                path, where, f"offset {offset} is said to be at byte {position}, but that batch ends at {last_offset}"
            )
        previous = (offset, position)


def _verify_time_index(segment: Segment, seen: _Seen, result: Verified) -> None:
    path = segment.time_index
    previous = (-1, segment.base_offset - 1)
    batches = iter(seen.max_timestamps)
    last_offset, max_timestamp_ms = next(batches)
    for number, (timestamp_ms, offset) in enumerate(time_entries(path, segment.base_offset)):
        where = number * TIME_ENTRY.size
        if timestamp_ms < previous[0] or offset < previous[1]:
            result.add(path, where, f"entry ({timestamp_ms}, {offset}) follows ({previous[0]}, {previous[1]})")
        while last_offset < offset:
            try:
                last_offset, max_timestamp_ms = next(batches)
            except StopIteration:
                result.add(path, where, f"names offset {offset}, which is not in this segment")
                return
        if max_timestamp_ms > timestamp_ms:
            problem = f"says {timestamp_ms} for offset {offset}, but a record up to there has {max_timestamp_ms}"
            result.add(path, where, problem)
        previous = (timestamp_ms, offset)


def _has_index(path: Path, entry_bytes: int, result: Verified, may_be_missing: bool) -> bool:
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        if not may_be_missing:
            result.add(path, None, "is missing")
        return False
    if size_bytes % entry_bytes:
        result.add(path, size_bytes - size_bytes % entry_bytes, f"{size_bytes % entry_bytes} bytes are left over")
    return True
