"""Linux, macOS and the BSDs: positional reads and writes on descriptors, shared read-only mappings."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import sys
import weakref

from embedkafka.files.base import Bytes, File, Files, Lock

_O_CLOEXEC = os.O_CLOEXEC


class PosixFile(File):
    """A descriptor.  It is closed when the last reference goes, see :class:`~embedkafka.files.base.Files`."""

    __slots__ = ("fd",)

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

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

    def sync(self) -> None:
        if sys.platform == "darwin":
            fcntl.fcntl(self.fd, fcntl.F_FULLFSYNC)  # fsync alone leaves the bytes in the drive's cache there
        else:
            os.fdatasync(self.fd)  # size included; only times are left out

    def truncate(self, size_bytes: int) -> None:
        os.ftruncate(self.fd, size_bytes)

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def map(self, size_bytes: int) -> memoryview:
        return memoryview(mmap.mmap(self.fd, size_bytes, access=mmap.ACCESS_READ))

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError, TypeError):  # half-built, or the interpreter is going down
            os.close(self.fd)


_locks: weakref.WeakSet[PosixLock] = weakref.WeakSet()


class PosixLock(Lock):
    """``flock`` on a file that names the owner; the kernel gives it up when the process dies.

    Such a lock belongs to the open file, which a fork shares: a child lets go of it at once, by closing and never by
    LOCK_UN, which would take it from the parent.  So neither keeps it longer than the owner wants.
    """

    def __init__(self, file: PosixFile) -> None:
        self._file: PosixFile | None = file
        _locks.add(self)

    def release(self) -> None:
        self._file = None


def _let_go_in_child() -> None:
    for lock in list(_locks):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)


class PosixFiles(Files):
    """The real file system."""

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> PosixFile:
        flags = os.O_RDONLY if read_only else os.O_RDWR
        if create:
            flags |= os.O_CREAT
        return PosixFile(path, os.open(path, flags | _O_CLOEXEC, 0o644))

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def size(self, path: str) -> int:
        return os.stat(path).st_size

    def list(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []

    def list_sizes(self, path: str) -> dict[str, int]:
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(path)

    def make_dir(self, path: str) -> None:
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise

    def remove_dir(self, path: str) -> None:
        os.rmdir(path)

    def rename(self, old: str, new: str) -> None:
        os.replace(old, new)

    def unlink(self, path: str) -> None:
        os.unlink(path)

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
        file.truncate(0)
        file.write_all(owner.encode(), 0)
        return PosixLock(file)

    def join(self, *parts: str) -> str:
        return os.path.join(*parts)
