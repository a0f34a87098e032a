"""A coordinator's shards: one per partition of its topic, found by the hash of what a key is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from embedkafka.broker.groups.groups import partition_of
from embedkafka.broker.shard import Shard

S = TypeVar("S", bound=Shard[Any, Any, Any, Any])


class Shards(Generic[S]):
    """Makes each shard at its first use.  Safe to call from any thread.

    Args:
        count: how many partitions the coordinator's topic has, or will have.
        new_shard: makes the shard of a partition; cheap, as of two threads that come at once one makes it in vain.
    """

    __slots__ = ("_made", "_new_shard", "count")

    def __init__(self, count: int, new_shard: Callable[[int], S]) -> None:
        self.count = count
        self._new_shard = new_shard
        self._made: dict[int, S] = {}

    def of(self, key: str) -> S:
        """The one that a group, a transactional id or a share partition's key belongs to; always the same."""
        return self.at(partition_of(key, self.count))

    def at(self, index: int) -> S:
        """The one of a partition."""
        shard = self._made.get(index)
        if shard is None:
            shard = self._made.setdefault(index, self._new_shard(index))  # atomic
        return shard

    def all(self) -> list[S]:
        """Every one, also those that nobody has used."""
        return [self.at(index) for index in range(self.count)]

    def in_use(self) -> list[S]:
        """Those that somebody has used since the engine was opened."""
        return list(self._made.values())

    def close(self) -> None:
        """Close those that are in use."""
        for shard in self.in_use():
            shard.close()
