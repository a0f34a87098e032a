"""Which part of a log compaction should work on: a pure function (Kafka's ``LogCleanerManager``).

A compacted log has a clean head, where every key occurs once, and a dirty rest::

    log start          first dirty           first uncleanable         end
    |---- clean --------|---- cleanable -------|---- too young, active --|

The share of cleanable bytes in the first two parts decides when it is worth while (``min.cleanable.dirty.ratio``),
``max.compaction.lag.ms`` when it must be done whatever the share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.storage.config import LONG_MAX, LogConfig
from embedkafka.storage.index import MAX_RELATIVE_OFFSET
from embedkafka.storage.retention import SegmentFacts


class CleaningPlan(NamedTuple):
    """What to clean: keys are collected from ``first_dirty_offset`` up to ``first_uncleanable_offset`` (exclusive).

    ``dirty_ratio`` tells which of several logs needs it most.
    """

    first_dirty_offset: int
    first_uncleanable_offset: int
    dirty_ratio: float


def plan(
    segments: Sequence[SegmentFacts],
    config: LogConfig,
    *,
    cleaned_offset: int | None,
    log_start_offset: int,
    last_stable_offset: int,
    now_ms: int,
) -> CleaningPlan | None:
    """Plan a cleaning; None when there is nothing to do or not enough.

    Args:
        segments: in order, the active one last, with ``first_timestamp`` of those from ``cleaned_offset`` on.
        cleaned_offset: where the last cleaning ended, from the checkpoint; None before the first.
        last_stable_offset: nothing at or behind it is cleaned.
        now_ms: wall clock, milliseconds since the epoch.
    """
    if not config.is_compacted or not segments:
        return None
    first_dirty = log_start_offset if cleaned_offset is None else cleaned_offset
    if not log_start_offset <= first_dirty <= segments[-1].end_offset:
        first_dirty = log_start_offset  # the log was cut or its start was moved since
    closed = segments[:-1]
    limit = min(last_stable_offset, segments[-1].base_offset)
    if config.min_compaction_lag_ms > 0:
        for segment in closed:
            if segment.end_offset > first_dirty and segment.largest_timestamp > now_ms - config.min_compaction_lag_ms:
                limit = min(limit, segment.base_offset)
                break
    limit = max(limit, first_dirty)
    # Whole segments only: the one that holds the limit stays out.
    first_uncleanable = next((s.base_offset for s in closed if s.end_offset > limit), segments[-1].base_offset)
    clean_bytes = sum(s.size_bytes for s in segments if s.end_offset <= first_dirty)
    cleanable = [s for s in closed if s.end_offset > first_dirty and s.end_offset <= first_uncleanable]
    cleanable_bytes = sum(s.size_bytes for s in cleanable)
    if not cleanable_bytes:
        return None
    ratio = cleanable_bytes / (clean_bytes + cleanable_bytes)
    if ratio <= config.min_cleanable_dirty_ratio and not _is_overdue(closed, config, first_dirty, now_ms):
        return None
    return CleaningPlan(first_dirty, first_uncleanable, ratio)


def _is_overdue(closed: Sequence[SegmentFacts], config: LogConfig, first_dirty: int, now_ms: int) -> bool:
    if config.max_compaction_lag_ms >= LONG_MAX:
        return False
    times = [s.first_timestamp for s in closed if s.end_offset > first_dirty and s.first_timestamp > 0]
    return bool(times) and min(times) < now_ms - config.max_compaction_lag_ms


def group(segments: Sequence[SegmentFacts], config: LogConfig, *, first_uncleanable_offset: int) -> list[list[int]]:
    """Base offsets of segments that together fit one new segment, so that cleaning does not leave ever smaller ones."""
    groups: list[list[int]] = []
    size_bytes = index_bytes = 0
    for segment in segments:
        end_offset = min(segment.end_offset, first_uncleanable_offset)
        if (
            groups
            and size_bytes + segment.size_bytes <= config.segment_bytes
            and index_bytes + segment.index_bytes <= config.segment_index_bytes
            and (not segment.size_bytes or end_offset - 1 - groups[-1][0] <= MAX_RELATIVE_OFFSET)
        ):
            groups[-1].append(segment.base_offset)
            size_bytes += segment.size_bytes
            index_bytes += segment.index_bytes
        else:
            groups.append([segment.base_offset])
            size_bytes, index_bytes = segment.size_bytes, segment.index_bytes
    return groups
