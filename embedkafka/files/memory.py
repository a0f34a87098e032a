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


class MemoryLock(Lock):
    def __init__(self, files: MemoryFiles, path: str) -> None:
        self._files = files
        self._path = path

    def release(self) -> None:
        self._files.locked.discard(self._path)


class MemoryFiles(Files):
    """A file system in a dict.  Nothing touches the disk; ``/`` is the only folder at first."""

    can_map = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nodes: dict[str, MemoryFile | None] = {"/": None}  # None is a folder
        self._children: dict[str, set[str]] = {"/": set()}
        self.locked: set[str] = set()

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> File:
        with self._lock:
            node = self._nodes.get(path)
            if node is None:
                if path in self._nodes:
                    raise IsADirectoryError(errno.EISDIR, "is a folder", path)
                if not create:
                    raise FileNotFoundError(errno.ENOENT, "no such file", path)
                node = self._new_file(path)
                self._add(path, node)
            return node

    def _new_file(self, path: str) -> MemoryFile:
        return MemoryFile(path)

    def _add(self, path: str, node: MemoryFile | None) -> None:
        folder, name = posixpath.split(path)
        if folder not in self._children:
            raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
        self._children[folder].add(name)
        self._nodes[path] = node
        if node is None:
            self._children.setdefault(path, set())

    def _remove(self, path: str) -> MemoryFile | None:
        folder, name = posixpath.split(path)
        self._children[folder].discard(name)
        return self._nodes.pop(path)

    def exists(self, path: str) -> bool:
        return path in self._nodes

    def size(self, path: str) -> int:
        return self.open(path).size()

    def list(self, path: str) -> list[str]:
        with self._lock:
            return sorted(self._children.get(path, ()))

    def list_sizes(self, path: str) -> dict[str, int]:
        with self._lock:
            sizes = {}
            for name in self._children.get(path, ()):
                node = self._nodes[posixpath.join(path, name)]
                if node is not None:
                    sizes[name] = node.size()
            return sizes

    def is_dir(self, path: str) -> bool:
        return path in self._children

    def make_dir(self, path: str) -> None:
        with self._lock:
            if path not in self._children:
                self._add(path, None)

    def remove_dir(self, path: str) -> None:
        with self._lock:
            if path not in self._children:
                raise FileNotFoundError(errno.ENOENT, "no such folder", path)
            if self._children[path]:
                raise OSError(errno.ENOTEMPTY, "folder is not empty", path)
            self._remove(path)
            del self._children[path]

    def rename(self, old: str, new: str) -> None:
        with self._lock:
            if old not in self._nodes:
                raise FileNotFoundError(errno.ENOENT, "no such file", old)
            if old not in self._children:
                node = self._remove(old)
                assert node is not None
                node.path = new
                self._add(new, node)
                return
            if self._children.get(new):
                raise OSError(errno.ENOTEMPTY, "folder is not empty", new)
            self._remove(old)
            self._add(new, None)
            moved = [path for path in self._nodes if path.startswith(old + "/")]
            for path in moved:
                target = new + path[len(old) :]
                node = self._nodes.pop(path)
                self._nodes[target] = node
                if node is not None:
                    node.path = target
            for path in [path for path in self._children if path == old or path.startswith(old + "/")]:
                self._children[new + path[len(old) :]] = self._children.pop(path)

    def unlink(self, path: str) -> None:
        with self._lock:
            if path in self._children:
                raise IsADirectoryError(errno.EISDIR, "is a folder", path)
            if path not in self._nodes:
                raise FileNotFoundError(errno.ENOENT, "no such file", path)
            self._remove(path)

    def sync_dir(self, path: str) -> None:
        pass

    def free_bytes(self, path: str) -> int:
        return 1 << 62  # what bounds memory is log.max.total.bytes

    def lock(self, path: str, owner: str) -> MemoryLock:
        if path in self.locked:
            raise BlockingIOError(errno.EWOULDBLOCK, "locked by its owner", path)
        self.locked.add(path)
        file = self.open(path, create=True)
        file.truncate(0)
        file.write_all(owner.encode(), 0)
        return MemoryLock(self, path)

    def join(self, *parts: str) -> str:
        return posixpath.join(*parts)
