"""What POSIX and Windows have in common: descriptors, and names as :mod:`os` handles them."""

from __future__ import annotations

import contextlib
import mmap
import os

from embedkafka.files.base import File, Files


class SystemFile(File):
    """A descriptor.  It is closed when the last reference goes, see :class:`~embedkafka.files.base.Files`."""

    __slots__ = ("fd",)

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    def truncate(self, size_bytes: int) -> None:
        os.ftruncate(self.fd, size_bytes)

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def map(self, size_bytes: int) -> memoryview:
        return memoryview(mmap.mmap(self.fd, size_bytes, access=mmap.ACCESS_READ))

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError, TypeError):  # half-built, or the interpreter is going down
            os.close(self.fd)


class SystemFiles(Files):
    """The real file system, as far as it is the same everywhere."""

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def size(self, path: str) -> int:
        return os.stat(path).st_size

    def list(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []

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

    def join(self, *parts: str) -> str:
        return os.path.join(*parts)
