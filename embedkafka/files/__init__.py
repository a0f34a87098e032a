"""The only door to the file system: an interface, its implementations, and the cache of open files."""

from __future__ import annotations

import sys

from embedkafka.files.base import Bytes, File, Files, Lock
from embedkafka.files.handles import DEFAULT_MAX_OPEN_FILES, Handle, HandleCache, default_max_open_files
from embedkafka.files.memory import MemoryFiles

__all__ = [
    "DEFAULT_MAX_OPEN_FILES",
    "Bytes",
    "File",
    "Files",
    "Handle",
    "HandleCache",
    "Lock",
    "MemoryFiles",
    "default_max_open_files",
    "system_files",
]


def system_files() -> Files:
    """The file system of this machine."""
    if sys.platform == "win32":
        from embedkafka.files.windows import WindowsFiles

        return WindowsFiles()
    from embedkafka.files.posix import PosixFiles

    return PosixFiles()
