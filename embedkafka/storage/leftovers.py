"""What an interrupted deletion or compaction leaves in a partition's folder, and how it is finished or undone.

``LogLoader.removeTempFilesAndCollectSwapFiles`` and ``completeSwapOperations``:

* ``.deleted``: was to be removed; removed.
* ``.cleaned``: a compaction had not finished writing; removed, with indexes that were already renamed to ``.swap``.
  The old segments are all there.
* ``.swap``: a compaction was written and synced, and was replacing the old segments: those within its range of offsets
  are removed and it takes its place.  The old names are durably gone before a new one loses its suffix, as otherwise a
  power cut could bring them back beside it.
"""

from __future__ import annotations

import logging

from embedkafka.files import HandleCache
from embedkafka.storage.names import (
    CLEANED_SUFFIX,
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
    found = [parsed for name in files.list(folder) if (parsed := parse_segment_file(name)) and parsed[2]]
    unfinished = {base_offset for base_offset, kind, state in found if (kind, state) == (LOG_SUFFIX, CLEANED_SUFFIX)}
    swaps = sorted(base_offset for base_offset, kind, state in found if (kind, state) == (LOG_SUFFIX, SWAP_SUFFIX))
    for base_offset, kind, state in found:
        path = files.join(folder, segment_name(base_offset) + kind)
        if state != SWAP_SUFFIX or base_offset in unfinished:
            _log.info("%s: removing leftover %s", folder, path + state)
            files.unlink(path + state)
        elif base_offset not in swaps:
            files.rename(path + state, path)  # its log file has already taken its place
    for base_offset in swaps:
        if base_offset not in unfinished:
            _complete_swap(handles, folder, base_offset)
    return bool(found)


def _complete_swap(handles: HandleCache, folder: str, base_offset: int) -> None:
    files = handles.files
    stem = files.join(folder, segment_name(base_offset))
    size_bytes = files.size(stem + LOG_SUFFIX + SWAP_SUFFIX)
    state = SegmentState(size_bytes, UNKNOWN, UNKNOWN, UNKNOWN, 0, 0, 0)
    swapped = Segment(handles, folder, base_offset, created_ms=0, state=state, suffix=SWAP_SUFFIX)
    end_offset = max(swapped.next_offset(), base_offset + 1)
    swapped.release()
    for name in files.list(folder):
        parsed = parse_segment_file(name)
        if parsed and not parsed[2] and base_offset <= parsed[0] < end_offset:
            files.unlink(files.join(folder, name))
    files.sync_dir(folder)
    for suffix in reversed(SEGMENT_SUFFIXES):
        if files.exists(stem + suffix + SWAP_SUFFIX):
            files.rename(stem + suffix + SWAP_SUFFIX, stem + suffix)
    _log.info("%s: completed the replacement of offsets %d to %d", folder, base_offset, end_offset)
