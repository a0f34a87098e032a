"""Which partition a record goes to when ``send`` is not told.

The default is Java's: a key's murmur2 hash; without a key, one partition until a full batch or so has gone there, then
another (KIP-794).  The compiled send path does that itself.  A class here, or a program's own, is called for every
record with kafka-python's arguments.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from typing import Any, Protocol

from embedkafka.record import murmur2


class Cluster(Protocol):
    """What a partitioner may ask; kafka-python's ClusterMetadata has these methods."""

    def topics(self) -> set[str]:
        """Every topic the producer knows."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Every partition of a topic; None for an unknown one."""

    def available_partitions_for_topic(self, topic: str) -> set[int] | None:
        """The partitions that have a leader now; None for an unknown topic."""


class Partitioner(ABC):
    """Chooses partitions; kafka-python's interface."""

    @abstractmethod
    def partition(
        self,
        topic: str,
        key: Any,
        serialized_key: bytes | None,
        value: Any,
        serialized_value: bytes | None,
        cluster: Any,
    ) -> int:
        """The partition's number.

        Args:
            topic: where the record goes.
            key: as the program gave it.
            serialized_key: its bytes, or None.
            value: as the program gave it.
            serialized_value: its bytes, or None.
            cluster: see :class:`Cluster`.
        """


class DefaultPartitioner(Partitioner):
    """Java's default.  The producer knows it and never calls it; called directly, it spreads null keys evenly."""

    def __init__(self) -> None:
        self._next = itertools.count()

    def partition(
        self,
        topic: str,
        key: Any,
        serialized_key: bytes | None,
        value: Any,
        serialized_value: bytes | None,
        cluster: Any,
    ) -> int:
        partitions = sorted(cluster.partitions_for_topic(topic) or ())
        if not partitions:
            raise ValueError(f"topic {topic!r} is not known")
        if serialized_key is None:
            return int(partitions[next(self._next) % len(partitions)])
        return int(partitions[(murmur2(serialized_key) & 0x7FFFFFFF) % len(partitions)])


class RoundRobinPartitioner(Partitioner):
    """Every record to the next partition, whatever its key, as Java's class of that name does."""

    def __init__(self) -> None:
        self._next: dict[str, itertools.count[int]] = {}

    def partition(
        self,
        topic: str,
        key: Any,
        serialized_key: bytes | None,
        value: Any,
        serialized_value: bytes | None,
        cluster: Any,
    ) -> int:
        partitions = sorted(cluster.available_partitions_for_topic(topic) or cluster.partitions_for_topic(topic) or ())
        if not partitions:
            raise ValueError(f"topic {topic!r} is not known")
        counter = self._next.setdefault(topic, itertools.count())
        return int(partitions[next(counter) % len(partitions)])
