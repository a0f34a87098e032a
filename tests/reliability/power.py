"""The real file system with a power switch: what a directory would hold if the power went at this moment.

Bytes are durable once their file was synced, names once their folder was.  :meth:`SwitchedFiles.cut` writes a directory
as it may be found afterwards: each file with its durable bytes, or with some of those that were written later, or with
zeros or garbage in their place.  The catalog is SQLite's, which syncs by itself and is tested by others: it is copied.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from embedkafka.files.base import Bytes
from embedkafka.files.posix import PosixFile, PosixFiles

CATALOG = "catalog.sqlite"


class SwitchedFile(PosixFile):
    """A file that tells what it does."""

    __slots__ = ("_files",)

    def __init__(self, files: SwitchedFiles, file: PosixFile) -> None:
        super().__init__(file.path, os.dup(file.fd))
        self._files = files

    def write_at(self, data: Bytes, position: int) -> int:
        self._files.about_to("write_at", self.path)
        return super().write_at(data, position)

    def truncate(self, size_bytes: int) -> None:
        self._files.about_to("truncate", self.path)
        super().truncate(size_bytes)

    def sync(self) -> None:
        self._files.about_to("sync", self.path)
        super().sync()
        self._files.synced(self)


class SwitchedFiles(PosixFiles):
    """Files that remember what is durable.  ``before`` is called ahead of every operation that changes something."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[str, str], None] = lambda operation, path: None
        self.skipped: Callable[[str, str], bool] = lambda operation, path: False
        self._bytes: dict[int, bytes] = {}  # by inode
        self._names: dict[str, dict[str, int]] = {}  # by folder
        self._pins: list[PosixFile] = []

    def close(self) -> None:
        """Let go of the files."""
        self._pins.clear()

    def about_to(self, operation: str, path: str) -> None:
        self.before(operation, path)

    def synced(self, file: PosixFile) -> None:
        if not self.skipped("sync", file.path):
            self._bytes[os.fstat(file.fd).st_ino] = bytes(file.read_at(0, file.size()))

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> PosixFile:
        is_new = create and not self.exists(path)
        if is_new:
            self.about_to("create", path)
        file = super().open(path, create=create, read_only=read_only)
        if is_new:
            # Held open until the end: the number of a removed file, whose name may come back, must not be given again.
            self._pins.append(super().open(path, read_only=True))
            self._bytes[os.fstat(file.fd).st_ino] = b""
        return SwitchedFile(self, file)

    def rename(self, old: str, new: str) -> None:
        self.about_to("rename", new)
        super().rename(old, new)

    def unlink(self, path: str) -> None:
        self.about_to("unlink", path)
        super().unlink(path)

    def make_dir(self, path: str) -> None:
        self.about_to("make_dir", path)
        super().make_dir(path)

    def sync_dir(self, path: str) -> None:
        self.about_to("sync_dir", path)
        super().sync_dir(path)
        if not self.skipped("sync_dir", path):
            self._names[path] = {entry.name: entry.inode() for entry in os.scandir(path)}

    def cut(self, source: Path, target: Path, toss: random.Random) -> None:
        """Write ``target`` as ``source`` may be found after a power cut right now."""
        target.mkdir()
        there = {entry.inode(): entry for entry in os.scandir(source)}
        names = dict(self._names.get(str(source), {}))
        how = toss.choice(("durable", "durable", "some", "all"))
        if how != "durable":  # names that were not synced may have got through, too
            for inode, entry in there.items():
                if how == "all" or toss.random() < 0.5:
                    names[entry.name] = inode
        for name, inode in names.items():
            entry = there.get(inode)
            if entry is not None and entry.is_dir():
                self.cut(Path(entry.path), target / name, toss)
            elif name.startswith(CATALOG):
                if entry is not None:
                    shutil.copy(entry.path, target / name)
            else:
                current = None if entry is None else Path(entry.path).read_bytes()
                (target / name).write_bytes(_found(self._bytes.get(inode, b""), current, toss))
        for entry in there.values():
            if entry.name.startswith(CATALOG) and not (target / entry.name).exists():
                shutil.copy(entry.path, target / entry.name)


def _found(durable: bytes, current: bytes | None, toss: random.Random) -> bytes:
    """What a file holds afterwards, given its durable bytes and those it had when the power went."""
    how = toss.choice(("dropped", "dropped", "kept", "cut", "zeros", "garbage"))
    if current is None or how == "dropped" or current == durable:
        return durable
    if how == "kept":
        return current
    if not current.startswith(durable):
        return durable  # rewritten, not appended to
    reached = toss.randint(len(durable), len(current))
    tail = {
        "cut": b"",
        "zeros": bytes(len(current) - reached),
        "garbage": toss.randbytes(len(current) - reached),
    }[how]
    return current[:reached] + tail
