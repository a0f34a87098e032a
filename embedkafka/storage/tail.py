"""The last batches of a log, kept in memory to serve readers at the head without touching a file.

Only ever replaced or appended to, never shifted in place, so a reader that has taken the list needs no lock: positions
that it has found stay where they are.
"""

from __future__ import annotations

from bisect import bisect_right


class Tail:
    """Consecutive batches up to the end of the log.

    Args:
        limit_bytes: how many bytes to keep; the last batch is always kept.  0 keeps nothing.
    """

    __slots__ = ("_entries", "limit_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        # (base offset, next offset, bytes ever added before this batch, the batch)
        self._entries: list[tuple[int, int, int, memoryview]] = []

    def add(self, base_offset: int, next_offset: int, batch: memoryview) -> None:
        """Add the batch that the log now ends with.  One that does not follow the last starts anew."""
        if not self.limit_bytes:
            return
        entries = self._entries
        if not entries:
            entries.append((base_offset, next_offset, 0, batch))
            return
        _, end_offset, start, last = entries[-1]
        if end_offset != base_offset:
            self._entries = [(base_offset, next_offset, 0, batch)]
            return
        start += len(last)
        entries.append((base_offset, next_offset, start, batch))
        if start + len(batch) - entries[0][2] > self.limit_bytes:
            # Half of it goes at once: the cost per batch stays flat.
            keep_from = start + len(batch) - self.limit_bytes // 2
            index = len(entries) - 1
            while index and entries[index - 1][2] >= keep_from:
                index -= 1
            self._entries = entries[index:]

    def holds(self, offset: int) -> bool:
        """Whether a batch that holds this offset, or one before it, is kept."""
        entries = self._entries
        return bool(entries) and offset >= entries[0][0]

    def read(self, offset: int, max_bytes: int, max_offset: int, min_one_batch: bool) -> list[memoryview] | None:
        """Batches from the one that holds ``offset``; None when that one is no longer kept.

        Args:
            offset: the first offset wanted.
            max_bytes: stop before exceeding this.
            max_offset: stop before the batch that reaches beyond this offset (exclusive).
            min_one_batch: return the first batch also when it is larger than ``max_bytes``.
        """
        entries = self._entries
        if not entries or offset < entries[0][0]:
            return None
        index = bisect_right(entries, (offset + 1,)) - 1  # a shorter tuple sorts first
        if entries[index][1] <= offset:
            return None  # the end of the log, or an append that was not published
        first = index
        start = entries[first][2]
        chunks: list[memoryview] = []
        for _, next_offset, position, batch in entries[first:] if first else entries:
            if next_offset > max_offset:
                break
            if position + len(batch) - start > max_bytes and (chunks or not min_one_batch):
                break
            chunks.append(batch)
        return chunks

    def clear(self) -> None:
        """Forget everything, as after truncation."""
        self._entries = []

    @property
    def size_bytes(self) -> int:
        """Bytes kept."""
        entries = self._entries
        return entries[-1][2] + len(entries[-1][3]) - entries[0][2] if entries else 0
