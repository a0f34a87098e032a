"""Linux, macOS and the BSDs: positional reads and writes on descriptors, shared read-only mappings."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import weakref
from collections.abc import Sequence

from embedkafka.files.base import Bytes, Lock
from embedkafka.files.system import SystemFile, SystemFiles

_O_CLOEXEC = os.O_CLOEXEC


class PosixFile(SystemFile):
    """A descriptor with positional reads and writes."""

    __slots__ = ()

    def read_at(self, position: int, size_bytes: int) -> memoryview:
        data = os.pread(self.fd, size_bytes, position)
        if len(data) == size_bytes or not data:
            return memoryview(data)
        chunks = [data]
        got = len(data)
        while got < size_bytes and (data := os.pread(self.fd, size_bytes - got, position + got)):
            chunks.append(data)
            got += len(data)
        return memoryview(b"".join(chunks))

    def write_at(self, data: Bytes, position: int) -> int:
        return os.pwrite(self.fd, data, position)

    def write_together(self, parts: Sequence[Bytes], position: int) -> None:
        if len(parts) == 1:
            written, size_bytes = self.write_at(parts[0], position), len(parts[0])
        else:
            written, size_bytes = os.pwritev(self.fd, parts, position), sum(map(len, parts))
        if written < size_bytes:  # no space, or a signal
            self.write_all(memoryview(b"".join(parts))[written:], position + written)

    def sync(self) -> None:
        if sys.platform == "darwin":
            fcntl.fcntl(self.fd, fcntl.F_FULLFSYNC)  # fsync alone leaves the bytes in the drive's cache there
        else:
            os.fdatasync(self.fd)  # size included; only times are left out


_locks: weakref.WeakSet[PosixLock] = weakref.WeakSet()


class PosixLock(Lock):
    """``flock`` on a file that names the owner; the kernel gives it up when the process dies.

    Such a lock belongs to the open file, which a fork shares.  The owner unlocks it, so that a child born a moment ago
    does not hold it on; a child only closes its descriptor, because unlocking would take the lock from the parent.
    """

    def __init__(self, file: PosixFile) -> None:
        self._file: PosixFile | None = file
        _locks.add(self)

    def tell(self, owner: str) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.write_all(owner.encode(), 0)

    def release(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file.fd, fcntl.LOCK_UN)
        self.forget()

    def forget(self) -> None:
        """Close without unlocking."""
        self._file = None


def _let_go_in_child() -> None:
    for lock in list(_locks):
        lock.forget()


os.register_at_fork(after_in_child=_let_go_in_child)


class PosixFiles(SystemFiles):
    """The real file system of a POSIX machine."""

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> PosixFile:
        flags = os.O_RDONLY if read_only else os.O_RDWR
        if create:
            flags |= os.O_CREAT
        return PosixFile(path, os.open(path, flags | _O_CLOEXEC, 0o644))

    def list_sizes(self, path: str) -> dict[str, int]:
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def sync_dir(self, path: str) -> None:
        folder = PosixFile(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | _O_CLOEXEC))
        os.fsync(folder.fd)

    def free_bytes(self, path: str) -> int:
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def lock(self, path: str, owner: str) -> PosixLock:
        file = self.open(path, create=True)
        try:
            fcntl.flock(file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(errno.EWOULDBLOCK, "locked by its owner", path) from None
        lock = PosixLock(file)
        lock.tell(owner)
        return lock
