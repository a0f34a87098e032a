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
    parse_offset_entries,
    parse_time_entries,
    scan,
)

MAX_ATTEMPTS = 10  # how often a partition may change while it is looked at


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

    def take(self, other: Verified) -> None:
        """Add what another verification went through."""
        self.segments += other.segments
        self.batches += other.batches
        self.records += other.records
        self.size_bytes += other.size_bytes
        self.findings += other.findings
        self.unfinished += other.unfinished

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
    for attempt in range(MAX_ATTEMPTS):
        before = folder.identities()
        found = Verified()
        _verify_segments(folder, found, may_be_unfinished, indexes_may_be_missing, _nothing if attempt else advance)
        # Segments that were dropped or compacted meanwhile look wrong without being so.
        if not found.findings or folder.identities() == before or attempt == MAX_ATTEMPTS - 1:
            break
    result.take(found)


def _nothing(size_bytes: float) -> None:
    pass


def _verify_segments(
    folder: PartitionFolder,
    result: Verified,
    may_be_unfinished: bool,
    indexes_may_be_missing: bool,
    advance: Callable[[float], None],
) -> None:
    segments = folder.segments()
    next_offset = 0
    for segment in segments:
        if segment.base_offset < next_offset:
            problem = f"begins at offset {segment.base_offset}, but the segment before goes up to {next_offset - 1}"
            result.add(segment.path, None, problem)
        unfinished = may_be_unfinished and segment is segments[-1]
        before_bytes = result.size_bytes
        try:
            # Indexes first: a live owner appends to the log before it appends to them.
            offset_index = _read_index(segment.offset_index, OFFSET_ENTRY.size, result, unfinished)
            time_index = _read_index(segment.time_index, TIME_ENTRY.size, result, unfinished)
            seen = _verify_log(segment, result, may_be_unfinished=unfinished)
        except FileNotFoundError:
            continue  # retention was faster
        advance(result.size_bytes - before_bytes)
        next_offset = seen.last_offset + 1
        if not seen.positions:
            continue
        for path, data in ((segment.offset_index, offset_index), (segment.time_index, time_index)):
            if data is None and not indexes_may_be_missing:
                result.add(path, None, "is missing")
        _verify_offset_index(segment, offset_index or b"", seen, result)
        _verify_time_index(segment, time_index or b"", seen, result)


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
    last_problem: Finding | None = None
    for batch in scan(segment.path, end):
        header = batch.header
        result.batches += 1
        if last_problem:
            result.findings.append(last_problem)
            last_problem = None
        if batch.problem:
            problem = f"batch of offsets {header.base_offset} to {header.last_offset}: {batch.problem}"
            last_problem = Finding(segment.path, batch.position, problem)
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
    target = result.unfinished if may_be_unfinished else result.findings
    if last_problem:  # nothing follows it, so it may be in the middle of being written
        target.append(last_problem)
    if end.problem:
        target.append(Finding(segment.path, end.position, end.problem))
    return seen


def _verify_offset_index(segment: Segment, data: bytes, seen: _Seen, result: Verified) -> None:
    path = segment.offset_index
    previous = (segment.base_offset - 1, -1)
    for number, (offset, position) in enumerate(parse_offset_entries(data, segment.base_offset)):
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


def _verify_time_index(segment: Segment, data: bytes, seen: _Seen, result: Verified) -> None:
    path = segment.time_index
    previous = (-1, segment.base_offset - 1)
    batches = iter(seen.max_timestamps)
    last_offset, max_timestamp_ms = next(batches)
    for number, (timestamp_ms, offset) in enumerate(parse_time_entries(data, segment.base_offset)):
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


def _read_index(path: Path, entry_bytes: int, result: Verified, may_be_unfinished: bool) -> bytes | None:
    """An index's bytes; None where there is no index."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    left = len(data) % entry_bytes
    if left and not may_be_unfinished:
        result.add(path, len(data) - left, f"{left} bytes are left over")
    return data
