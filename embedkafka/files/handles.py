"""One bounded cache of open files and mappings for a whole engine.

A partition has three files per segment, and an engine may have thousands of partitions, while the usual limit is 256
to 1,024 descriptors per process.  So nothing above keeps a file open: it keeps a :class:`Handle`, which opens on use,
and the cache closes what has not been used for a while.

Replacement is second chance (the "clock" approximation of LRU): using a handle sets one flag and takes no lock, which
keeps an append to an open file free of the cache.  Closing is dropping a reference, so whoever is inside a write
or still reads a mapping is not disturbed.

A mapping costs a descriptor too (CPython duplicates it) for as long as any view of it lives, so views that readers
keep are counted, and while too many are alive reads fall back to copying.
"""

from __future__ import annotations

import errno
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from embedkafka.files.base import Bytes, File, Files

DEFAULT_MAX_OPEN_FILES = 128
SMALL_READ_BYTES = 64 * 1024  # measured: copying this much costs about as much as a new mapping and its page faults


def default_max_open_files() -> int:
    """Half of the process's descriptor limit, at most 1,000: the rest is the program's own."""
    if sys.platform == "win32":
        return DEFAULT_MAX_OPEN_FILES
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1000 if soft == resource.RLIM_INFINITY else max(16, min(1000, soft // 2))


class Handle:
    """A file that is open only while it is needed."""

    __slots__ = ("_file", "_mapping", "_read_only", "_retired", "_used", "cache", "path")

    def __init__(self, cache: HandleCache, path: str, read_only: bool) -> None:
        self.path = path
        self.cache = cache
        self._read_only = read_only
        self._file: File | None = None
        self._mapping: memoryview | None = None
        self._retired = False
        self._used = False

    def file(self) -> File:
        """The open file.  Hold it only for the duration of a call."""
        self._used = True
        return self._file or self.cache._open(self)

    def write_all(self, data: Bytes, position: int) -> None:
        """Write everything at ``position``, continuing after short writes."""
        self._used = True
        (self._file or self.cache._open(self)).write_all(data, position)

    def write_together(self, parts: Sequence[Bytes], position: int) -> None:
        """Write parts one behind the other from ``position`` on."""
        self._used = True
        (self._file or self.cache._open(self)).write_together(parts, position)

    def view(self, position: int, end_position: int, *, file_bytes: int) -> memoryview:
        """Bytes ``[position, end_position)``, without a copy where that pays.

        Args:
            position: first byte.
            end_position: one past the last byte, at most ``file_bytes``.
            file_bytes: how much of the file is valid; a new mapping covers all of it.
        """
        mapping = self._mapping
        if mapping is not None and end_position <= len(mapping):
            self._used = True
            return mapping[position:end_position]
        if end_position - position > SMALL_READ_BYTES or (end_position == file_bytes and file_bytes > SMALL_READ_BYTES):
            mapping = self.cache._map(self, file_bytes)
            if mapping is not None:
                return mapping[position:end_position]
        return self.file().read_at(position, end_position - position)

    def release(self) -> None:
        """Let go of file and mapping; the next use opens again.  Readers keep the views they have."""
        self.cache._release(self)

    def rename(self, path: str) -> None:
        """Give the file another name; nobody finds it missing in between."""
        self.cache._rename(self, path)

    def retire(self) -> None:
        """Let go for good: the name is about to be removed or to mean another file, so opening it is an error."""
        self.cache._release(self)
        self._retired = True

    @property
    def is_mapped(self) -> bool:
        """Whether a mapping of the file is alive anywhere, so that it must not be shortened."""
        return self.cache._is_mapped(self.path)


class HandleCache:
    """Open files and mappings, at most ``max_open_files`` of them together.

    Args:
        files: the file system.
        max_open_files: descriptors used at once, 4 or more.
        read_mode: ``mmap`` or ``pread``, which suits network drives, where a lost connection kills a process that reads
            a mapping, and Windows, where a mapped file cannot be removed.
    """

    def __init__(self, files: Files, max_open_files: int = DEFAULT_MAX_OPEN_FILES, *, read_mode: str = "mmap") -> None:
        if read_mode not in ("mmap", "pread"):
            raise ValueError(f"log.read.mode is 'mmap' or 'pread', not {read_mode!r}")
        self.files = files
        self.max_open_files = max(4, max_open_files)
        self._may_map = read_mode == "mmap" and files.can_map
        self._lock = threading.Lock()
        # In the order they were opened.  An interrupt may lose a handle from here; it is released all the same.
        self._open_handles: dict[Handle, None] = {}
        self._live_mappings: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

    def handle(self, path: str, *, read_only: bool = False) -> Handle:
        """A handle on a file that may not be there yet; nothing is opened."""
        return Handle(self, path, read_only)

    @property
    def open_count(self) -> int:
        """Descriptors held now, at most: handles with a file or a mapping, and mappings alive anywhere."""
        return len(self._open_handles) + len(self._live_mappings)

    def close(self) -> None:
        """Drop everything.  Views that readers hold stay valid until they let go."""
        with self._lock:
            for handle in list(self._open_handles):
                self._let_go(handle)

    def _open(self, handle: Handle) -> File:
        with self._lock:
            file = handle._file
            if file is None:
                _check_alive(handle)
                self._shrink(self.max_open_files - 1)
                try:
                    file = self.files.open(handle.path, read_only=handle._read_only)
                except OSError as error:
                    if error.errno not in (errno.EMFILE, errno.ENFILE):
                        raise
                    self._shrink(self.open_count // 2)  # the program itself needs more than we left it
                    file = self.files.open(handle.path, read_only=handle._read_only)
                self._open_handles[handle] = None
                handle._used = False  # the use that opens it does not count, or all would look alike
                handle._file = file
            return file

    def _map(self, handle: Handle, file_bytes: int) -> memoryview | None:
        """A mapping of the file's first ``file_bytes`` bytes; None where reading is the better way."""
        if not self._may_map:
            return None
        with self._lock:
            mapping = handle._mapping
            if mapping is not None and len(mapping) >= file_bytes:
                return mapping
            _check_alive(handle)
            handle._mapping = mapping = None
            self._shrink(self.max_open_files - 1)
            if len(self._live_mappings) >= self.max_open_files * 3 // 4:
                return None  # readers hold on to that many
            file = handle._file or self.files.open(handle.path, read_only=True)
            mapping = file.map(file_bytes)
            self._live_mappings[mapping.obj] = handle.path
            self._open_handles[handle] = None
            handle._used = False
            handle._mapping = mapping
            return mapping

    def _shrink(self, limit: int) -> None:
        turns = 2 * len(self._open_handles)  # by then every flag has been taken down once
        while turns and self._open_handles and self.open_count > limit:
            turns -= 1
            handle = next(iter(self._open_handles))
            if handle._used:
                handle._used = False
                del self._open_handles[handle]
                self._open_handles[handle] = None
            else:
                self._let_go(handle)

    def _rename(self, handle: Handle, path: str) -> None:
        with self._lock:
            self._let_go(handle)  # Windows does not rename an open file
            self.files.rename(handle.path, path)
            handle.path = path

    def _is_mapped(self, path: str) -> bool:
        with self._lock:
            return path in self._live_mappings.values()

    def _release(self, handle: Handle) -> None:
        with self._lock:
            self._let_go(handle)

    def _let_go(self, handle: Handle) -> None:
        self._open_handles.pop(handle, None)
        handle._file = None
        handle._mapping = None


def _check_alive(handle: Handle) -> None:
    if handle._retired:
        raise FileNotFoundError(errno.ENOENT, "removed or replaced", handle.path)
