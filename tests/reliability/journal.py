"""What a child process saw acknowledged, kept where ``kill -9`` cannot reach it.

The child appends fixed-size entries with one ``write`` each; the page cache outlives the process.  Beside it lies a
small shared mapping with counters and with the phase every thread is in, which the parent reads after its death.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple


class Event(IntEnum):
    """What an entry says."""

    ACKNOWLEDGED = 1  # a send's future was done: thread, sequence -> partition, offset
    COMMITTING = 2  # a commit of this offset is about to be called
    COMMITTED = 3  # that call returned
    DELETING = 4  # records below this offset are about to be deleted


class Entry(NamedTuple):
    event: Event
    topic: int
    partition: int
    thread: int
    sequence: int
    offset: int


_ENTRY = struct.Struct(">BBHIQq")


class Journal:
    """Appends entries; safe from any thread."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(
        self, event: Event, topic: int, partition: int, offset: int, *, thread: int = 0, sequence: int = 0
    ) -> None:
        os.write(self._descriptor, _ENTRY.pack(event, topic, partition, thread, sequence, offset))


def read_journal(path: Path) -> Iterator[Entry]:
    data = path.read_bytes()
    assert len(data) % _ENTRY.size == 0, "a journal entry was torn, so the harness itself is wrong"
    for event, *rest in _ENTRY.iter_unpack(data):
        yield Entry(Event(event), *rest)


PHASES = ("idle", "append", "roll", "index", "compaction", "commit")
MAX_THREADS = 64
_COUNTER = struct.Struct("<Q")
_SENT, _ACKNOWLEDGED, _COMMITTED, _PHASES = 0, 8 * MAX_THREADS, 16 * MAX_THREADS, 24 * MAX_THREADS
_SIZE = 25 * MAX_THREADS


class Board:
    """Counters and phases of one life, in a shared mapping: one slot and one writer a thread."""

    def __init__(self, path: Path) -> None:
        with open(path, "a+b") as file:
            file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._next_slot = 0

    def close(self) -> None:
        self._map.close()

    def add_sent(self, thread: int) -> None:
        self._add(_SENT + 8 * thread)

    def add_acknowledged(self, thread: int) -> None:
        self._add(_ACKNOWLEDGED + 8 * thread)

    def add_committed(self, partition: int) -> None:
        """Partitions have slots here, so that of two members at once one may go uncounted."""
        self._add(_COMMITTED + 8 * partition)

    def enter(self, phase: int) -> int:
        """Note that the calling thread is in a phase now, besides those it was in; returns what to leave it with."""
        slot = _PHASES + self._slot()
        before = self._map[slot]
        self._map[slot] = before | 1 << phase
        return before

    def leave(self, before: int) -> None:
        self._map[_PHASES + self._slot()] = before

    @property
    def sent(self) -> int:
        return sum(self._counters(_SENT))

    @property
    def acknowledged(self) -> int:
        return sum(self._counters(_ACKNOWLEDGED))

    @property
    def committed_partitions(self) -> int:
        """How many have a commit of this life."""
        return sum(count > 0 for count in self._counters(_COMMITTED))

    @property
    def phases(self) -> set[str]:
        """What threads are doing, or were when they died."""
        threads = self._map[_PHASES : _PHASES + MAX_THREADS]
        return {phase for number, phase in enumerate(PHASES) if any(mask >> number & 1 for mask in threads)}

    def _slot(self) -> int:
        slot: int | None = getattr(self._local, "slot", None)
        if slot is None:
            with self._lock:
                slot = self._local.slot = self._next_slot
                self._next_slot += 1
            assert slot < MAX_THREADS
        return slot

    def _add(self, position: int) -> None:
        (value,) = _COUNTER.unpack_from(self._map, position)
        _COUNTER.pack_into(self._map, position, value + 1)

    def _counters(self, start: int) -> list[int]:
        return [value for (value,) in _COUNTER.iter_unpack(self._map[start : start + 8 * MAX_THREADS])]
