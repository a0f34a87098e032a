"""Where events go: a list, and for a process that will be killed a file that outlives it."""

from __future__ import annotations

import itertools
import os
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path

from reliability.history.events import Event

_LENGTH = struct.Struct(">I")
TICKS_PER_LIFE = 1_000_000_000


class Recorder:
    """Counts ticks and keeps events; safe from any thread.

    Args:
        path: a file to append to with one ``write`` per event, which ``kill -9`` does not tear.
        life: of the process; ticks of a later life are greater than those of the ones before.
    """

    def __init__(self, path: Path | None = None, *, life: int = 0) -> None:
        self.events: list[Event] = []
        self.is_stopped = False
        self._ticks = itertools.count(life * TICKS_PER_LIFE)
        self._descriptor = None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def tick(self) -> int:
        return next(self._ticks)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def stop(self) -> None:
        """Keep nothing from now on: those who still run have died."""
        self.is_stopped = True

    def go_on(self) -> None:
        """Keep events again, of the next life."""
        self.is_stopped = False

    def add(self, event: Event) -> None:
        if self.is_stopped:
            return
        if self._descriptor is None:
            self.events.append(event)
        else:
            data = pickle.dumps(event)
            os.write(self._descriptor, _LENGTH.pack(len(data)) + data)


def read_events(path: Path) -> Iterator[Event]:
    """What recorders have appended to a file."""
    data = path.read_bytes()
    position = 0
    while position < len(data):
        (length,) = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        assert position + length <= len(data), "an event was torn, so the harness itself is wrong"
        yield pickle.loads(data[position : position + length])
        position += length
