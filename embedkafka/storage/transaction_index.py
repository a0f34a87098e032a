"""The aborted transactions whose markers lie in one segment (Kafka's ``TransactionIndex``).

``<base>.txnindex`` exists once a segment has one: 34 bytes an entry (``AbortedTxn``), big-endian, in order of markers::

    0   version             int16  0
    2   producer id         int64
    10  first offset        int64  of the transaction, which may lie in an earlier segment
    18  last offset         int64  of the abort marker
    26  last stable offset  int64  just after the abort

The last stable offset tells a search when to stop: transactions that were aborted later begin at or behind it.

Entries are written before the last stable offset moves past their transaction, so a reader who sees a batch of one that
was aborted finds it here.  They are kept in memory, too: there are few.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from embedkafka.errors import KafkaStorageError
from embedkafka.files import Handle
from embedkafka.storage.names import TXN_INDEX_SUFFIX

ENTRY = struct.Struct(">hqqqq")
_VERSION = 0


class AbortedTransaction(NamedTuple):
    """A transaction, the offset of the marker that aborted it, and the last stable offset just after."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class TransactionIndex:
    """The entries of one segment.

    Args:
        handle: the file, which need not exist.
        stored_count: how many whole entries it holds.
    """

    __slots__ = ("_entries", "_stored_count", "_unsynced", "handle")

    suffix = TXN_INDEX_SUFFIX

    def __init__(self, handle: Handle, stored_count: int = 0) -> None:
        self.handle = handle
        self._stored_count = stored_count
        self._entries: tuple[AbortedTransaction, ...] | None = None if stored_count else ()
        self._unsynced = False

    @property
    def entries(self) -> tuple[AbortedTransaction, ...]:
        """In order of their markers; read at the first use.

        Raises:
            KafkaStorageError: an entry of another version.
        """
        entries = self._entries
        if entries is None:
            entries = self._entries = self._read()
        return entries

    def _read(self) -> tuple[AbortedTransaction, ...]:
        content = self.handle.file().read_at(0, self._stored_count * ENTRY.size)
        found = []
        for version, *fields in ENTRY.iter_unpack(content):
            if version != _VERSION:
                raise KafkaStorageError(f"{self.handle.path}: expected entries of version 0, found {version}")
            found.append(AbortedTransaction(*fields))
        return tuple(found)

    @property
    def has_file(self) -> bool:
        return bool(self._stored_count)

    def append(self, entry: AbortedTransaction, *, in_memory: bool = False) -> bool:
        """Add an entry; one that is there already, as after an interrupt, is not added again.

        Args:
            in_memory: do not write it, as for a reader beside a live owner.

        Returns:
            Whether a file was made, whose name is to be made durable.
        """
        entries = self.entries
        if entries and entries[-1].last_offset >= entry.last_offset:
            return False
        if in_memory:
            self._entries = (*entries, entry)
            return False
        is_new = not entries
        if is_new:
            self.handle.cache.files.open(self.handle.path, create=True)
        self._unsynced = True
        self.handle.write_all(ENTRY.pack(_VERSION, *entry), len(entries) * ENTRY.size)
        self._stored_count = len(entries) + 1
        self._entries = (*entries, entry)
        return is_new

    def between(self, start_offset: int, end_offset: int) -> tuple[list[AbortedTransaction], bool]:
        """Transactions that overlap a range of offsets (its end exclusive), and whether no later segment has any."""
        found = []
        for entry in self.entries:
            if entry.last_offset >= start_offset and entry.first_offset < end_offset:
                found.append(entry)
            if entry.last_stable_offset >= end_offset:
                return found, True
        return found, False

    def truncate_to(self, offset: int) -> None:
        """Forget transactions whose markers lie at ``offset`` or behind it."""
        kept = tuple(entry for entry in self.entries if entry.last_offset < offset)
        if not kept:
            self.clear()
        elif len(kept) < len(self.entries):
            self.handle.file().truncate(len(kept) * ENTRY.size)
            self._unsynced = True
            self._stored_count = len(kept)
            self._entries = kept

    def clear(self) -> None:
        """Forget everything, unread, as before the segment is scanned."""
        if self._stored_count:
            self.handle.release()
            self.handle.cache.files.unlink_all([self.handle.path])
        self._stored_count = 0
        self._entries = ()

    def rename(self, path: str) -> None:
        """Give the file, if there is one, another name."""
        if self.has_file:
            self.handle.rename(path)
        else:
            self.handle.path = path

    def sync(self) -> None:
        """Make what was added durable."""
        if self._unsynced:
            if self.has_file:
                self.handle.file().sync()
            self._unsynced = False
