"""Files that forget and fail: memory files with a power switch, for tests of what survives.

What a real disk promises is modelled without any luck: bytes are durable only once their file was synced, and a
name (made, changed or removed) only once its folder was.  :meth:`FaultyFiles.power_cut` returns the files as they may
be found afterwards; the choice among the many possibilities is the caller's:

* unsynced bytes are dropped, kept, zeros or garbage, or kept up to a number of bytes in the order they were written;
* unsynced changes of names are dropped, kept, the first so many of them kept, or each one by the toss of a coin.

Errors are injected by :class:`Fault` rules, and space by ``capacity_bytes``.  ``skipped_sync`` leaves out one sync by
its number, which shows whether anything depends on it.
"""

from __future__ import annotations

import errno
import os
import posixpath
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from embedkafka.files.base import Bytes, File
from embedkafka.files.memory import MemoryFile, MemoryFiles, MemoryFolder


class Unsynced(Enum):
    """What becomes of bytes or names that were not synced."""

    DROPPED = "dropped"
    KEPT = "kept"
    ZEROS = "zeros"  # the file has grown, its blocks were not written
    GARBAGE = "garbage"  # ... or hold what was there before
    RANDOM = "random"  # each by the toss of a coin
    FIRST = "first"  # names only: the first so many changes of a folder, as a journal keeps them


@dataclass
class Fault:
    """Makes an operation fail.

    ``operation`` is a method's name, ``path_part`` occurs in the path.  The first ``after`` matching calls succeed, the
    next ``times`` (None: all) raise ``OSError(code)``.
    """

    operation: str
    code: int = errno.EIO
    path_part: str = ""
    after: int = 0
    times: int | None = 1
    seen: int = field(default=0, init=False)

    def applies(self, operation: str, path: str) -> bool:
        """Count a call; True when it has to fail."""
        if operation != self.operation or self.path_part not in path:
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)


class FaultyFile(MemoryFile):
    """A file that knows which of its bytes are durable."""

    __slots__ = ("durable", "files", "pending")

    def __init__(self, path: str, files: FaultyFiles) -> None:
        super().__init__(path)
        self.files = files
        self.durable = b""
        # (number of the write in the whole file system, position, bytes); a truncation has None for bytes
        self.pending: list[tuple[int, int, bytes | None]] = []

    def write_at(self, data: Bytes, position: int) -> int:
        self.files.check("write_at", self.path)
        room = self.files.room_for(max(0, position + len(data) - self.size()))
        count = min(len(data), self.files.max_write_bytes, room + max(0, self.size() - position))
        if not count and len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        taken = bytes(memoryview(data)[:count])
        self.pending.append((self.files.next_number(), position, taken))
        return super().write_at(taken, position)

    def truncate(self, size_bytes: int) -> None:
        self.files.check("truncate", self.path)
        self.pending.append((self.files.next_number(), size_bytes, None))
        super().truncate(size_bytes)

    def sync(self) -> None:
        self.files.check("sync", self.path)
        if self.files.counts_sync("sync", self.path):
            self.durable = bytes(self.read_at(0, self.size()))
            self.pending.clear()

    def after_power_cut(self, bytes_kept: Unsynced, last_number: int | None, toss: random.Random) -> bytes:
        """What the file holds afterwards."""
        content = bytearray(self.durable)
        for number, position, data in self.pending:
            if last_number is not None:
                kept = Unsynced.KEPT if number <= last_number else Unsynced.DROPPED
            else:
                kept = bytes_kept
            if kept is Unsynced.RANDOM:
                kept = toss.choice((Unsynced.DROPPED, Unsynced.KEPT, Unsynced.ZEROS, Unsynced.GARBAGE))
            if kept is Unsynced.DROPPED:
                continue
            if data is None:
                content[position:] = bytes(max(0, position - len(content)))
                continue
            if kept is Unsynced.ZEROS:
                data = bytes(len(data))
            elif kept is Unsynced.GARBAGE:
                data = toss.randbytes(len(data))
            if len(content) < position:
                content += bytes(position - len(content))
            content[position : position + len(data)] = data
        return bytes(content)


class FaultyFolder(MemoryFolder):
    """A folder that knows which of its names are durable.

    A change is one or two names that are set or (None) removed together: renaming is one step on a disk, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.durable: dict[str, MemoryFile | MemoryFolder] = {}
        self.pending: list[dict[str, MemoryFile | MemoryFolder | None]] = []

    def after_power_cut(self, names_kept: Unsynced, toss: random.Random) -> dict[str, MemoryFile | MemoryFolder]:
        """The names afterwards."""
        names = dict(self.durable)
        first = toss.randint(0, len(self.pending))
        for number, change in enumerate(self.pending):
            if (
                names_kept is Unsynced.KEPT
                or (names_kept is Unsynced.FIRST and number < first)
                or (names_kept is Unsynced.RANDOM and toss.random() < 0.5)
            ):
                for name, entry in change.items():
                    if entry is None:
                        names.pop(name, None)
                    else:
                        names[name] = entry
        return names


class FaultyFiles(MemoryFiles):
    """Memory files with a power switch and injected errors."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self.capacity_bytes: int | None = None
        self.max_write_bytes = 1 << 62  # a smaller number makes writes short
        self.syncs: list[tuple[str, str]] = []
        self.skipped_sync: int | None = None
        self.before: Callable[[str, str], None] = lambda operation, path: None
        self._number = 0

    # Called by the files ---------------------------------------------------------------------------------------------

    def check(self, operation: str, path: str) -> None:
        """Give the test a look, then raise what the rules say."""
        self.before(operation, path)
        for fault in self.faults:
            if fault.applies(operation, path):
                raise OSError(fault.code, os.strerror(fault.code), path)

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def room_for(self, size_bytes: int) -> int:
        """How many of so many more bytes fit."""
        if self.capacity_bytes is None:
            return size_bytes
        return max(0, min(size_bytes, self.capacity_bytes - self.used_bytes()))

    def counts_sync(self, operation: str, path: str) -> bool:
        """Note a sync; False for the one to be left out."""
        self.syncs.append((operation, path))
        return len(self.syncs) - 1 != self.skipped_sync

    def used_bytes(self) -> int:
        """Bytes in all files that have a name."""
        return _size_of(self.root)

    def unsynced_numbers(self) -> list[int]:
        """The numbers of all writes that are not durable, in the order they were made; for ``last_number``."""
        return sorted(number for file in _files_in(self.root) for number, _, _ in file.pending)

    # The power switch ------------------------------------------------------------------------------------------------

    def power_cut(
        self,
        *,
        unsynced_bytes: Unsynced = Unsynced.DROPPED,
        unsynced_names: Unsynced = Unsynced.DROPPED,
        last_number: int | None = None,
        seed: int = 0,
    ) -> FaultyFiles:
        """The files as they are found when the power is back; these here go on as if nothing had happened.

        Args:
            last_number: keep unsynced writes up to this number and drop the rest; takes the place of
                ``unsynced_bytes``.
            seed: of garbage and coins.
        """
        toss = random.Random(seed)
        found = FaultyFiles()

        def restore(source: FaultyFolder, target: FaultyFolder) -> None:
            for name, entry in source.after_power_cut(unsynced_names, toss).items():
                if isinstance(entry, FaultyFolder):
                    folder = FaultyFolder()
                    restore(entry, folder)
                    target.entries[name] = target.durable[name] = folder
                elif isinstance(entry, FaultyFile):
                    file = FaultyFile(entry.path, found)
                    file.durable = entry.after_power_cut(unsynced_bytes, last_number, toss)
                    MemoryFile.write_at(file, file.durable, 0)
                    target.entries[name] = target.durable[name] = file

        assert isinstance(self.root, FaultyFolder)
        assert isinstance(found.root, FaultyFolder)
        restore(self.root, found.root)
        return found

    # Files -----------------------------------------------------------------------------------------------------------

    def _new_file(self, path: str) -> FaultyFile:
        return FaultyFile(path, self)

    def _new_folder(self) -> FaultyFolder:
        return FaultyFolder()

    def open(self, path: str, *, create: bool = False, read_only: bool = False) -> File:
        self.check("open", path)
        is_new = create and not self.exists(path)
        if is_new:
            self.check("create", path)
            if self.capacity_bytes is not None and self.used_bytes() >= self.capacity_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        file = super().open(path, create=create, read_only=read_only)
        file.path = path  # rules go by the name that it has now
        if is_new:
            self._note(path)
        return file

    def make_dir(self, path: str) -> None:
        self.check("make_dir", path)
        if not self.exists(path):
            super().make_dir(path)
            self._note(path)

    def remove_dir(self, path: str) -> None:
        self.check("remove_dir", path)
        super().remove_dir(path)
        self._note(path)

    def rename(self, old: str, new: str) -> None:
        self.check("rename", new)
        super().rename(old, new)
        self._note(old, new)

    def unlink(self, path: str) -> None:
        self.check("unlink", path)
        super().unlink(path)
        self._note(path)

    def sync_dir(self, path: str) -> None:
        self.check("sync_dir", path)
        if self.counts_sync("sync_dir", path):
            folder = self._folder(path)
            assert isinstance(folder, FaultyFolder)
            folder.durable = dict(folder.entries)
            folder.pending.clear()

    def _note(self, *paths: str) -> None:
        """Remember a change of names, all in one folder, that is not durable yet."""
        folder = self._folder(posixpath.dirname(paths[0]))
        assert isinstance(folder, FaultyFolder)
        names = [posixpath.basename(path) for path in paths]
        folder.pending.append({name: folder.entries.get(name) for name in names})

    def free_bytes(self, path: str) -> int:
        return 1 << 62 if self.capacity_bytes is None else max(0, self.capacity_bytes - self.used_bytes())


def _files_in(folder: MemoryFolder) -> list[FaultyFile]:
    found: list[FaultyFile] = []
    for entry in folder.entries.values():
        if isinstance(entry, MemoryFolder):
            found += _files_in(entry)
        elif isinstance(entry, FaultyFile):
            found.append(entry)
    return found


def _size_of(folder: MemoryFolder) -> int:
    return sum(file.size() for file in _files_in(folder))
