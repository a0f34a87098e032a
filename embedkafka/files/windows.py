"""Windows, written from its documentation.  Nobody has run this yet: treat it as untested.

What differs from POSIX:

* There is no positional read or write for Python's descriptors, so a lock guards seek and access.
* A folder cannot be synced; names are durable by NTFS's journal.
* An open or mapped file can be neither renamed nor removed, so ``log.read.mode=pread`` is the one to use, and what
  cannot be removed at once is left to the next opening.
* Ownership is a byte-range lock, which ends with the process.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading

from embedkafka.files.base import Bytes, Lock
from embedkafka.files.system import SystemFile, SystemFiles

_BINARY: int = getattr(os, "O_BINARY", 0)
_NO_INHERIT: int = getattr(os, "O_NOINHERIT", 0)
_LOCKED_BYTE = 1 << 30  # far behind the pid, so that others can read it


class WindowsFile(SystemFile):
    """A descriptor and a lock around its cursor."""

    __slots__ = ("_lock",)

    def __init__(self, path: str, fd: int) -> None:
        super().__init__(path, fd)
        self._lock = threading.Lock()

    def read_at(self, position: int, size_bytes: int) -> memoryview:
        with self._lock:
            os.lseek(self.fd, position, os.SEEK_SET)
            chunks = []
            while size_bytes and (data := os.read(self.fd, size_bytes)):
                chunks.append(data)
                size_bytes -= len(data)
        return memoryview(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def write_at(self, data: Bytes, position: int) -> int:
        with self._lock:
            os.lseek(self.fd, position, os.SEEK_SET)
            return os.write(self.fd, data)

    def sync(self) -> None:
        os.fsync(self.fd)


class WindowsLock(Lock):
    def __init__(self, file: WindowsFile) -> None:
        self._file: WindowsFile | None = file

    def tell(self, owner: str) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.write_all(owner.encode(), 0)

    def release(self) -> None:
        self._file = None  # closing gives the lock up


class WindowsFiles(SystemFiles):
    """The real file system on Windows."""

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> WindowsFile:
        flags = (os.O_RDONLY if read_only else os.O_RDWR) | _BINARY | _NO_INHERIT
        if create:
            flags |= os.O_CREAT
        return WindowsFile(path, os.open(path, flags, 0o644))

    def list_sizes(self, path: str) -> dict[str, int]:
        try:
            with os.scandir(path) as entries:
                # Not the size from the folder: NTFS updates that one late.
                return {entry.name: os.stat(entry.path).st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def sync_dir(self, path: str) -> None:
        pass

    def free_bytes(self, path: str) -> int:
        return shutil.disk_usage(path).free

    def lock(self, path: str, owner: str) -> WindowsLock:
        file = self.open(path, create=True)
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file.fd, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(file.fd, msvcrt.LK_NBLCK, 1)
            except OSError:
                raise BlockingIOError(errno.EWOULDBLOCK, "locked by its owner", path) from None
        lock = WindowsLock(file)
        lock.tell(owner)
        return lock
