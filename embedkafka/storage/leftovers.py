"""What an interrupted deletion or compaction leaves in a partition's folder, and how it is finished or undone.

``LogLoader.removeTempFilesAndCollectSwapFiles`` and ``completeSwapOperations``:

* ``.deleted``: was to be removed; removed.
* ``.cleaned``: a compaction had not finished writing; removed, the old segments are all there.
* ``.swap``: a compaction was written and synced, and was replacing the old segments: those within its range of offsets
  are removed and it takes its place.
"""

from __future__ import annotations

import logging

from embedkafka.files import HandleCache
from embedkafka.storage.names import (
    CLEANED_SUFFIX,
    DELETED_SUFFIX,
    LOG_SUFFIX,
    SEGMENT_SUFFIXES,
    SWAP_SUFFIX,
    parse_segment_file,
    segment_name,
)
from embedkafka.storage.segment import UNKNOWN, Segment, SegmentState

_log = logging.getLogger(__name__)


def clean_up(handles: HandleCache, folder: str) -> bool:
    """Finish or undo; True when names in the folder were changed."""
    files = handles.files
    names = files.list(folder)
    parsed = [(name, found) for name in names if (found := parse_segment_file(name)) and found[2]]
    for name, (_, _, state) in parsed:
        if state in (DELETED_SUFFIX, CLEANED_SUFFIX):
            _log.info("%s: removing leftover %s", folder, name)
            files.unlink(files.join(folder, name))
    swaps = sorted(
        base_offset for _, (base_offset, kind, state) in parsed if (kind, state) == (LOG_SUFFIX, SWAP_SUFFIX)
    )
    for base_offset in swaps:
        _complete_swap(handles, folder, base_offset)
    for name, (base_offset, kind, state) in parsed:
        # An index whose log file has already taken its place; without one at its side, the loader removes it.
        if state == SWAP_SUFFIX and kind != LOG_SUFFIX and base_offset not in swaps:
            files.rename(files.join(folder, name), files.join(folder, segment_name(base_offset) + kind))
    return bool(parsed)


def _complete_swap(handles: HandleCache, folder: str, base_offset: int) -> None:
    files = handles.files
    stem = files.join(folder, segment_name(base_offset))
    size_bytes = files.size(stem + LOG_SUFFIX + SWAP_SUFFIX)
    state = SegmentState(size_bytes, UNKNOWN, UNKNOWN, UNKNOWN, 0, 0, 0)
    swapped = Segment(handles, folder, base_offset, created_ms=0, state=state, suffix=SWAP_SUFFIX)
    next_offset = swapped.next_offset()
    swapped.release()
    for name in files.list(folder):
        parsed = parse_segment_file(name)
        if parsed and not parsed[2] and base_offset <= parsed[0] < max(next_offset, base_offset + 1):
            files.unlink(files.join(folder, name))
    for suffix in SEGMENT_SUFFIXES:
        if files.exists(stem + suffix + SWAP_SUFFIX):
            files.rename(stem + suffix + SWAP_SUFFIX, stem + suffix)
    _log.info("%s: completed the replacement of offsets %d to %d", folder, base_offset, next_offset)
