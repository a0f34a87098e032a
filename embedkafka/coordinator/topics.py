"""The topics there are at one moment, as a group coordinator needs to know them (Kafka's metadata image)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.patterns import compile_pattern


class Topic(NamedTuple):
    name: str
    topic_id: UUID
    partition_count: int


class Topics:
    """Immutable; what is asked of it more than once is computed once.

    Args:
        topics: every topic, internal ones included.
        version: changes whenever a topic comes, goes or grows.
    """

    __slots__ = ("_by_id", "_by_name", "_hashes", "_matches", "version")

    def __init__(self, topics: Iterable[Topic] = (), version: int = 0) -> None:
        self.version = version
        self._by_name = {topic.name: topic for topic in topics}
        self._by_id = {topic.topic_id: topic for topic in self._by_name.values()}
        self._hashes: dict[frozenset[str], int] = {}
        self._matches: dict[str, frozenset[str]] = {}

    def named(self, name: str) -> Topic | None:
        return self._by_name.get(name)

    def with_id(self, topic_id: UUID) -> Topic | None:
        return self._by_id.get(topic_id)

    def existing(self, names: Iterable[str]) -> list[Topic]:
        """Those of the named topics that exist."""
        return [self._by_name[name] for name in names if name in self._by_name]

    def matching(self, pattern: str) -> frozenset[str]:
        """The topics whose whole name the regular expression matches, internal ones too, as in Kafka.

        Raises:
            re.error: it is none.
        """
        found = self._matches.get(pattern)
        if found is None:
            matches = compile_pattern(pattern).fullmatch
            found = self._matches[pattern] = frozenset(name for name in self._by_name if matches(name))
        return found

    def hash_of(self, names: frozenset[str]) -> int:
        """64 bits that change when one of the named topics comes, goes, grows or is made anew; 0 where none exists.

        Kafka (KIP-1101) takes XXH3 for it.  Nobody compares the two: a coordinator that finds a hash it would not have
        made bumps the group's epoch once.
        """
        found = self._hashes.get(names)
        if found is None:
            found = self._hashes[names] = _hash(sorted(self.existing(names)))
        return found


NO_TOPICS = Topics()


def _hash(topics: list[Topic]) -> int:
    if not topics:
        return 0
    digest = blake2b(digest_size=8)
    for topic in topics:
        digest.update(f"{topic.name}\0{topic.partition_count}\0".encode())
        digest.update(topic.topic_id.bytes)
    return int.from_bytes(digest.digest(), "big", signed=True)
