"""The demo's input: the text of Python's own ``help()``, which every Python ships."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was seen, in any order: a count and a sum of checksums, which two readers' tallies can be added up to."""

    records: int = 0
    checksum: int = 0

    def add(self, key: bytes | None, value: bytes | None) -> None:
        """Count one record."""
        self.records += 1
        self.checksum = (self.checksum + zlib.crc32(value or b"", zlib.crc32(key or b""))) & 0xFFFF_FFFF_FFFF_FFFF

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.records + other.records, (self.checksum + other.checksum) & 0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class Source:
    """Lines with the chapter each is from, and what a correct reader sees of them."""

    lines: list[tuple[bytes, bytes]]
    chapters: int
    keyed: Tally = field(default_factory=Tally)
    unkeyed: Tally = field(default_factory=Tally)

    @property
    def size_bytes(self) -> int:
        return sum(len(line) for _, line in self.lines)

    def by_chapter(self) -> dict[bytes, list[bytes]]:
        """Each chapter's lines in order."""
        found: dict[bytes, list[bytes]] = {}
        for chapter, line in self.lines:
            found.setdefault(chapter, []).append(line)
        return found


def load(repeat: int) -> Source:
    """All lines that are not blank, so many times over.

    Args:
        repeat: 1 or more.
    """
    from pydoc_data.topics import topics

    once = list(_lines(topics.items()))
    source = Source(once * repeat, len(topics))
    for chapter, line in source.lines:
        source.keyed.add(chapter, line)
        source.unkeyed.add(None, line)
    return source


def _lines(chapters: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    for chapter, body in sorted(chapters):
        for line in body.splitlines():
            if line.strip():
                yield chapter.encode(), line.encode()
