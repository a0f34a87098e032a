"""The file system as the storage layer sees it: the smallest interface that a log needs.

Everything above asks a :class:`Files` and never ``os``.  That makes an in-memory engine and a power-cut simulation
implementations instead of branches, and lets a test count and refuse every single call.

What an implementation promises:

* A write is visible to every reader at once and durable only after :meth:`File.sync`.
* A created, renamed or removed name is durable only after :meth:`Files.sync_dir` of its folder.
* Closing happens by reference: a file or mapping lives as long as somebody holds it.  Dropping the last reference
  closes it, so a reader never loses bytes under its hands and a writer never writes into a reused descriptor.
* Errors are ``OSError`` with the usual ``errno``; what they mean for a log is decided above.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

Bytes = bytes | bytearray | memoryview


class File(ABC):
    """One open file.  Positions are absolute bytes; there is no cursor."""

    __slots__ = ("__weakref__", "path")

    path: str

    @abstractmethod
    def read_at(self, position: int, size_bytes: int) -> memoryview:
        """Read up to ``size_bytes`` bytes at ``position``; shorter only at the end of the file."""

    @abstractmethod
    def write_at(self, data: Bytes, position: int) -> int:
        """Write at ``position`` and return how many bytes were taken, which may be fewer than given."""

    @abstractmethod
    def sync(self) -> None:
        """Return once what was written is durable.  After an error nothing is known; do not try again."""

    @abstractmethod
    def truncate(self, size_bytes: int) -> None:
        """Cut or extend (with zeros) to ``size_bytes``."""

    @abstractmethod
    def size(self) -> int:
        """Size in bytes."""

    @abstractmethod
    def map(self, size_bytes: int) -> memoryview:
        """Map the first ``size_bytes`` bytes (1 or more, at most the size of the file) read-only."""

    def write_all(self, data: Bytes, position: int) -> None:
        """Write everything at ``position``, continuing after short writes."""
        written = self.write_at(data, position)
        if written == len(data):
            return
        view = memoryview(data)
        while written < len(view):
            written += self.write_at(view[written:], position + written)

    def write_together(self, parts: Sequence[Bytes], position: int) -> None:
        """Write parts one behind the other from ``position`` on, with as few calls as the system allows."""
        for part in parts:
            self.write_all(part, position)
            position += len(part)


class Lock(ABC):
    """Exclusive ownership of a path, held until :meth:`release` or the end of the process."""

    @abstractmethod
    def tell(self, owner: str) -> None:
        """Let the file say this of its owner from now on."""

    @abstractmethod
    def release(self) -> None:
        """Give it up.  Does nothing in a forked child, which never owned it."""


class Files(ABC):
    """A file system.  Paths are absolute strings in the implementation's own syntax."""

    can_map: bool = True  # False: File.map is not worth calling, read_at does not copy anyway
    sync_waits: bool = True  # False: syncing costs nothing, so that doing it from several threads gains nothing

    @abstractmethod
    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> File:
        """Open a file.

        Args:
            path: where.
            create: make an empty file where there is none.
            read_only: ask for reading only, so that a tool can look at files it may not write.

        Raises:
            FileNotFoundError: not there, and ``create`` is False.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """True for a file or a folder."""

    @abstractmethod
    def size(self, path: str) -> int:
        """A file's size in bytes."""

    @abstractmethod
    def list(self, path: str) -> list[str]:
        """Names in a folder, sorted; empty for one that is not there."""

    @abstractmethod
    def list_sizes(self, path: str) -> dict[str, int]:
        """Files of a folder by name with their sizes in bytes; folders are left out.  Empty when it is not there."""

    @abstractmethod
    def is_dir(self, path: str) -> bool:
        """True for a folder."""

    @abstractmethod
    def make_dir(self, path: str) -> None:
        """Make a folder (not its parents); nothing happens when it is there."""

    @abstractmethod
    def remove_dir(self, path: str) -> None:
        """Remove an empty folder."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Rename a file or folder, replacing a file at ``new`` in one step."""

    @abstractmethod
    def unlink(self, path: str) -> None:
        """Remove a file's name; bytes stay for those who hold it open."""

    @abstractmethod
    def sync_dir(self, path: str) -> None:
        """Return once the names in this folder are durable."""

    @abstractmethod
    def free_bytes(self, path: str) -> int:
        """Bytes that an unprivileged user can still write on the device of ``path``."""

    @abstractmethod
    def lock(self, path: str, owner: str) -> Lock:
        """Own ``path`` exclusively and write ``owner`` into it.

        Raises:
            BlockingIOError: somebody else has it; ``filename`` is the path (read it for the owner).
        """

    @abstractmethod
    def join(self, *parts: str) -> str:
        """Join path parts."""

    def parent(self, path: str) -> str:
        """The folder that holds ``path``."""
        import os.path

        return os.path.dirname(path)

    def read_bytes(self, path: str) -> bytes:
        """A small file's whole content."""
        file = self.open(path, read_only=True)
        return bytes(file.read_at(0, file.size()))

    def write_atomically(self, path: str, data: Bytes, *, sync_folder: bool = True) -> None:
        """Replace a small file so that after a power cut it holds either the old bytes or the new, never a mixture.

        Args:
            sync_folder: make it the new ones for sure; False leaves that to a later sync of the folder.
        """
        temporary = path + ".tmp"
        file = self.open(temporary, create=True)
        file.truncate(0)
        file.write_all(data, 0)
        file.sync()
        del file  # Windows does not rename an open file
        self.rename(temporary, path)
        if sync_folder:
            self.sync_dir(self.parent(path))

    def make_dirs(self, path: str) -> None:
        """Make a folder and its parents, each durable in the one above."""
        missing = []
        while not self.exists(path):
            missing.append(path)
            path = self.parent(path)
        for folder in reversed(missing):
            self.make_dir(folder)
            self.sync_dir(self.parent(folder))

    def remove_tree(self, path: str) -> None:
        """Remove a folder and everything below it."""
        for name in self.list(path):
            child = self.join(path, name)
            if self.is_dir(child):
                self.remove_tree(child)
            else:
                self.unlink(child)
        self.remove_dir(path)

    def unlink_all(self, paths: Iterable[str]) -> None:
        """Remove those of these files that are there."""
        for path in paths:
            try:
                self.unlink(path)
            except FileNotFoundError:
                continue
