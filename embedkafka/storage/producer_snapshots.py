"""The ``.snapshot`` files of a partition's folder: the state of its producers at some offsets.

One is written when a segment is rolled, for the new segment's base offset, and one at a clean close, for the end of the
log.  Opening reads the newest and replays what lies behind it, which is nothing after a clean close.  Where that one is
damaged, the one before it serves.

A log that no producer with an id has ever written to has no snapshot at all; nothing is replayed then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from embedkafka.files import Files
from embedkafka.storage.names import SNAPSHOT_SUFFIX, segment_name
from embedkafka.storage.producer_state import ProducerEntry, ProducerState, decode_snapshot

_log = logging.getLogger(__name__)


class ProducerSnapshots:
    """The snapshots of one log, by the offset that they stand for.

    Args:
        folder: the partition's folder.
    """

    __slots__ = ("_files", "_folder", "_unsynced", "offsets")

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._unsynced: set[int] = set()
        self.offsets: set[int] = set()

    def note(self, names: Mapping[str, int]) -> None:
        """Take note of what is in the folder: its names and sizes."""
        self.offsets = {
            int(name[:20])
            for name in names
            if len(name) == 20 + len(SNAPSHOT_SUFFIX) and name.endswith(SNAPSHOT_SUFFIX) and name[:20].isdigit()
        }

    def newest(self, start_offset: int, end_offset: int) -> tuple[int, list[ProducerEntry]] | None:
        """The newest readable snapshot from ``start_offset`` to ``end_offset``: its offset and entries."""
        for offset in sorted(self.offsets, reverse=True):
            if start_offset <= offset <= end_offset:
                try:
                    return offset, decode_snapshot(self._files.read_bytes(self._path(offset)))
                except ValueError as error:
                    _log.warning("%s: %s", self._path(offset), error)
        return None

    def write(self, state: ProducerState) -> bool:
        """Write the state at its end offset; False where that file is there already."""
        offset = state.end_offset
        if offset in self.offsets:
            return False
        file = self._files.open(self._path(offset), create=True)
        file.truncate(0)
        file.write_all(state.encode(), 0)  # half of it would be found damaged, and the one before would serve
        self._unsynced.add(offset)
        self.offsets.add(offset)
        return True

    def sync(self) -> None:
        """Make what was written durable; the folder is synced by the caller."""
        for offset in sorted(self._unsynced):
            if offset in self.offsets:
                self._files.open(self._path(offset)).sync()
            self._unsynced.discard(offset)

    @property
    def is_durable(self) -> bool:
        """Whether there is nothing to sync."""
        return not self._unsynced

    def remove(self, offsets: Iterable[int]) -> None:
        """Remove those of these offsets that there are."""
        unwanted = self.offsets.intersection(offsets)
        self._files.unlink_all(self._path(offset) for offset in unwanted)
        self.offsets -= unwanted

    def remove_after(self, offset: int) -> bool:
        """Remove those behind an offset, which a cut has made untrue; True when there were any."""
        untrue = [found for found in self.offsets if found > offset]
        self.remove(untrue)
        return bool(untrue)

    def _path(self, offset: int) -> str:
        return self._files.join(self._folder, segment_name(offset) + SNAPSHOT_SUFFIX)
