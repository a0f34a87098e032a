"""A coordinator's shards: one per partition of its topic, found by the hash of what a key is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

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


@lru_cache(maxsize=4096)
def partition_of(key: str, partition_count: int) -> int:
    """The partition of a coordinator's topic that holds a key: Java's ``Utils.abs(key.hashCode()) % count``."""
    value = 0
    encoded = key.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    signed = value - (1 << 32) if value >= 1 << 31 else value
    return 0 if signed == -(1 << 31) else abs(signed) % partition_count
