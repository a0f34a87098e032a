"""The folder that holds the logs' folders, whose names all become durable with one sync.

A thousand new partitions that are flushed or closed one after the other need it once, not a thousand times.
"""

from __future__ import annotations

import threading

from embedkafka.files import Files


class ParentFolder:
    """Counts the folders made in it and remembers up to which one a sync has come."""

    __slots__ = ("_files", "_lock", "_made", "_synced", "path")

    def __init__(self, files: Files, path: str) -> None:
        self.path = path
        self._files = files
        self._lock = threading.Lock()
        self._made = 0
        self._synced = 0

    def made(self) -> int:
        """Note a new folder; returns the number to give to :meth:`sync`."""
        with self._lock:
            self._made += 1
            return self._made

    def sync(self, number: int) -> None:
        """Return once the folder with this number is durable; raises OSError when the sync fails."""
        with self._lock:
            if number > self._synced:
                made = self._made
                self._files.sync_dir(self.path)
                self._synced = made
