"""Which segments retention removes: a pure function (``UnifiedLog.deleteOldSegments``).

A segment goes when it lies before the log start, or, where ``cleanup.policy`` contains ``delete``, when the log
without it still holds ``retention.bytes``, or when its largest timestamp is more than ``retention.ms`` ago.  Only a run
of oldest segments goes, never one from the middle, and the log always keeps a segment to append to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.storage.config import LogConfig


class SegmentFacts(NamedTuple):
    """What planning needs to know of a segment.

    ``largest_timestamp`` is that of its records or, where they have none, when the segment was opened.
    ``first_timestamp`` is that of its first batch, -1 without one; only compaction asks for it.
    """

    base_offset: int
    end_offset: int
    size_bytes: int
    largest_timestamp: int
    index_bytes: int = 0
    first_timestamp: int = -1


class RetentionPlan(NamedTuple):
    """What to do, in this order: roll (the active segment is among those that go), raise the log start, remove."""

    roll: bool
    log_start_offset: int
    remove: tuple[int, ...]
    reasons: tuple[str, ...]


def plan(
    segments: Sequence[SegmentFacts], config: LogConfig, *, log_start_offset: int, high_watermark: int, now_ms: int
) -> RetentionPlan | None:
    """Plan retention; None when nothing is to be done.

    Args:
        segments: in order, the active one last.
        log_start_offset: the first offset that may be read.
        high_watermark: nothing at or behind it goes.
        now_ms: wall clock, milliseconds since the epoch.
    """
    reasons: list[str] = []
    excess_bytes = sum(segment.size_bytes for segment in segments) - config.retention_bytes
    for index, segment in enumerate(segments):
        is_last = index == len(segments) - 1
        if segment.end_offset > high_watermark or (is_last and not segment.size_bytes):
            break
        reason = None
        if not is_last and segment.end_offset <= log_start_offset:
            reason = f"before the log start {log_start_offset}"
        elif config.deletes_old and config.retention_bytes >= 0 and excess_bytes >= segment.size_bytes:
            reason = f"retention.bytes {config.retention_bytes}"
        elif config.deletes_old and 0 <= config.retention_ms < now_ms - segment.largest_timestamp:
            reason = f"retention.ms {config.retention_ms}"
        if reason is None:
            break
        excess_bytes -= segment.size_bytes
        reasons.append(reason)
    if not reasons:
        return None
    removed = segments[: len(reasons)]
    return RetentionPlan(
        roll=len(removed) == len(segments),
        log_start_offset=max(log_start_offset, removed[-1].end_offset),
        remove=tuple(segment.base_offset for segment in removed),
        reasons=tuple(reasons),
    )
