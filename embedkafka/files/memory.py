"""Files that live in memory: what an engine without a path runs on.

A file is a list of blocks that never move and never shrink in place, so a view handed to a reader stays what it was
however the file grows, is cut or is removed.  Blocks double from 4 KiB to 1 MiB: small partitions stay small, large
ones are read without a copy (a range that crosses two blocks is the exception).
"""

from __future__ import annotations

import errno
import posixpath
import threading
from bisect import bisect_right

from embedkafka.files.base import Bytes, File, Files, Lock

_MIN_BLOCK_BYTES = 4096
_MAX_BLOCK_BYTES = 1 << 20


class MemoryFile(File):
    """One file's bytes.  Every opening of the same path returns the same object."""

    __slots__ = ("_blocks", "_size", "_starts")

    def __init__(self, path: str) -> None:
        self.path = path
        self._blocks: list[bytearray] = []
        self._starts: list[int] = []
        self._size = 0

    def read_at(self, position: int, size_bytes: int) -> memoryview:
        end = min(position + size_bytes, self._size)
        if position >= end:
            return memoryview(b"")
        index = bisect_right(self._starts, position) - 1
        start = self._starts[index]
        block = self._blocks[index]
        if end - start <= len(block):
            return memoryview(block)[position - start : end - start].toreadonly()
        parts = []
        while position < end:
            start, block = self._starts[index], self._blocks[index]
            parts.append(memoryview(block)[position - start : min(end - start, len(block))])
            position = start + len(block)
            index += 1
        return memoryview(b"".join(parts))

    def write_at(self, data: Bytes, position: int) -> int:
        view = memoryview(data)
        size = len(view)
        self._reserve(position + size)
        index = bisect_right(self._starts, position) - 1
        done = 0
        while done < size:
            start, block = self._starts[index], self._blocks[index]
            at = position + done - start
            count = min(size - done, len(block) - at)
            block[at : at + count] = view[done : done + count]
            done += count
            index += 1
        if position + size > self._size:
            self._size = position + size
        return size

    def _reserve(self, size_bytes: int) -> None:
        if len(self._blocks) != len(self._starts):  # an interrupt came between the two
            whole = min(len(self._blocks), len(self._starts))
            del self._blocks[whole:], self._starts[whole:]
        capacity = self._starts[-1] + len(self._blocks[-1]) if self._blocks else 0
        while capacity < size_bytes:
            # One block takes the whole of a batch where it can, so that reading the batch back needs no copy.
            block_bytes = max(_MIN_BLOCK_BYTES, min(_MAX_BLOCK_BYTES, capacity), size_bytes - capacity)
            self._blocks.append(bytearray(block_bytes))
            self._starts.append(capacity)
            capacity += block_bytes

    def sync(self) -> None:
        pass

    def truncate(self, size_bytes: int) -> None:
        if size_bytes >= self._size:
            self._reserve(size_bytes)
            self._size = size_bytes
            return
        keep = bisect_right(self._starts, size_bytes - 1) if size_bytes else 0
        del self._blocks[keep:], self._starts[keep:]
        if keep:
            # Readers may hold views of the block that is cut: they keep the old one.
            cut = size_bytes - self._starts[-1]
            self._blocks[-1] = self._blocks[-1][:cut]
        self._size = size_bytes

    def size(self) -> int:
        return self._size

    def map(self, size_bytes: int) -> memoryview:
        return self.read_at(0, size_bytes)


class MemoryFolder:
    """Names and what they stand for."""

    def __init__(self) -> None:
        self.entries: dict[str, MemoryFile | MemoryFolder] = {}


class MemoryLock(Lock):
    def __init__(self, files: MemoryFiles, path: str) -> None:
        self._files = files
        self._path = path

    def tell(self, owner: str) -> None:
        file = self._files.open(self._path, create=True)
        file.truncate(0)
        file.write_all(owner.encode(), 0)

    def release(self) -> None:
        self._files.locked.discard(self._path)


class MemoryFiles(Files):
    """A file system of objects.  Nothing touches the disk; ``/`` is the only folder at first."""

    can_map = False
    sync_waits = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.root = self._new_folder()
        self.locked: set[str] = set()

    def _new_file(self, path: str) -> MemoryFile:
        return MemoryFile(path)

    def _new_folder(self) -> MemoryFolder:
        return MemoryFolder()

    def _find(self, path: str) -> MemoryFile | MemoryFolder | None:
        found: MemoryFile | MemoryFolder | None = self.root
        for name in path.split("/"):
            if name:
                found = found.entries.get(name) if isinstance(found, MemoryFolder) else None
        return found

    def _folder(self, path: str) -> MemoryFolder:
        found = self._find(path)
        if not isinstance(found, MemoryFolder):
            raise FileNotFoundError(errno.ENOENT, "no such folder", path)
        return found

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> File:
        with self._lock:
            found = self._find(path)
            if isinstance(found, MemoryFolder):
                raise IsADirectoryError(errno.EISDIR, "is a folder", path)
            if found is None:
                if not create:
                    raise FileNotFoundError(errno.ENOENT, "no such file", path)
                folder, name = posixpath.split(path)
                found = self._folder(folder).entries[name] = self._new_file(path)
            return found

    def exists(self, path: str) -> bool:
        return self._find(path) is not None

    def size(self, path: str) -> int:
        return self.open(path).size()

    def list(self, path: str) -> list[str]:
        with self._lock:
            found = self._find(path)
            return sorted(found.entries) if isinstance(found, MemoryFolder) else []

    def list_sizes(self, path: str) -> dict[str, int]:
        with self._lock:
            found = self._find(path)
            entries = found.entries.items() if isinstance(found, MemoryFolder) else ()
            return {name: entry.size() for name, entry in entries if isinstance(entry, MemoryFile)}

    def is_dir(self, path: str) -> bool:
        return isinstance(self._find(path), MemoryFolder)

    def make_dir(self, path: str) -> None:
        with self._lock:
            if not isinstance(self._find(path), MemoryFolder):
                folder, name = posixpath.split(path)
                self._folder(folder).entries[name] = self._new_folder()

    def remove_dir(self, path: str) -> None:
        with self._lock:
            if self._folder(path).entries:
                raise OSError(errno.ENOTEMPTY, "folder is not empty", path)
            folder, name = posixpath.split(path)
            del self._folder(folder).entries[name]

    def rename(self, old: str, new: str) -> None:
        with self._lock:
            found, replaced = self._find(old), self._find(new)
            if found is None:
                raise FileNotFoundError(errno.ENOENT, "no such file", old)
            if isinstance(replaced, MemoryFolder) and replaced.entries:
                raise OSError(errno.ENOTEMPTY, "folder is not empty", new)
            folder, name = posixpath.split(new)
            target = self._folder(folder)
            old_folder, old_name = posixpath.split(old)
            del self._folder(old_folder).entries[old_name]
            target.entries[name] = found

    def unlink(self, path: str) -> None:
        with self._lock:
            found = self._find(path)
            if found is None:
                raise FileNotFoundError(errno.ENOENT, "no such file", path)
            if isinstance(found, MemoryFolder):
                raise IsADirectoryError(errno.EISDIR, "is a folder", path)
            folder, name = posixpath.split(path)
            del self._folder(folder).entries[name]

    def sync_dir(self, path: str) -> None:
        pass

    def free_bytes(self, path: str) -> int:
        return 1 << 62  # what bounds memory is log.max.total.bytes

    def lock(self, path: str, owner: str) -> MemoryLock:
        if path in self.locked:
            raise BlockingIOError(errno.EWOULDBLOCK, "locked by its owner", path)
        self.locked.add(path)
        lock = MemoryLock(self, path)
        lock.tell(owner)
        return lock

    def join(self, *parts: str) -> str:
        return posixpath.join(*parts)
