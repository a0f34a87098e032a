"""Where records wait that ``send`` accepted and no batch holds yet, so that every reader in the process can have them.

A producer's lane (its open batch for one partition) is *dirty* from its first record until somebody seals it.  It joins
this set once per batch, not per record.  Whoever reads a partition first seals that partition's lanes, so a reader
finds them here instead of asking every producer.

Nobody is missed, whatever the threads do in between:

* a sender adds its lane and then looks for parked readers; a reader parks and then seals once more.  Whichever comes
  second sees the other;
* a lane leaves the set only after it was sealed, so that a second reader waits for the first one's sealing (at the
  lane's lock) instead of finding an empty set and an old log;
* a record that comes while the lane is being sealed finds the flag down, and its sender adds the lane again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

from embedkafka.model import TopicPartition


class Lane(Protocol):
    """One producer's open batch for one partition."""

    is_dirty: bool
    """Whether the lane is in the set and not being sealed from here."""

    def seal(self) -> None:
        """Hand what the lane holds to the partition.  Never raises: an error goes to the records' futures."""


class Unsealed:
    """The dirty lanes of an engine by partition, and the partitions at which readers are parked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[TopicPartition, dict[Lane, None]] = {}
        self._parked: dict[TopicPartition, int] = {}

    def add(self, topic_partition: TopicPartition, lane: Lane) -> bool:
        """Take in a lane that has got its first record.

        Returns:
            True when a reader is parked at the partition: the sender then seals the lane, and yields once.
        """
        with self._lock:
            self._lanes.setdefault(topic_partition, {})[lane] = None
            lane.is_dirty = True
            return topic_partition in self._parked

    def has_parked(self, topic_partition: TopicPartition) -> bool:
        """Whether a reader is parked at the partition."""
        return topic_partition in self._parked

    def has_any(self, topic_partitions: Iterable[TopicPartition]) -> bool:
        """Whether :meth:`seal` would have something to do."""
        lanes = self._lanes
        return bool(lanes) and any(topic_partition in lanes for topic_partition in topic_partitions)

    def seal(self, topic_partitions: Iterable[TopicPartition]) -> None:
        """Seal every lane of these partitions; costs next to nothing where none is dirty."""
        if not self._lanes:
            return
        for topic_partition in topic_partitions:
            if topic_partition in self._lanes:
                self._seal(topic_partition)

    def seal_all(self) -> None:
        """Seal every lane."""
        for topic_partition in list(self._lanes):
            self._seal(topic_partition)

    def _seal(self, topic_partition: TopicPartition) -> None:
        with self._lock:
            lanes = list(self._lanes.get(topic_partition, ()))
            for lane in lanes:
                lane.is_dirty = False
        for lane in lanes:
            lane.seal()
        with self._lock:
            left = self._lanes.get(topic_partition, {})
            for lane in lanes:
                if not lane.is_dirty:
                    left.pop(lane, None)
            if not left:
                self._lanes.pop(topic_partition, None)

    def discard(self, topic_partition: TopicPartition, lane: Lane) -> None:
        """Forget a lane whose producer is closed."""
        with self._lock:
            lane.is_dirty = False
            left = self._lanes.get(topic_partition, {})
            left.pop(lane, None)
            if not left:
                self._lanes.pop(topic_partition, None)

    def park(self, topic_partitions: Iterable[TopicPartition]) -> None:
        """A reader is about to wait at these partitions; it seals and reads once more before it does."""
        with self._lock:
            for topic_partition in topic_partitions:
                self._parked[topic_partition] = self._parked.get(topic_partition, 0) + 1

    def unpark(self, topic_partitions: Iterable[TopicPartition]) -> None:
        """The reader waits no longer."""
        with self._lock:
            for topic_partition in topic_partitions:
                count = self._parked.get(topic_partition, 0) - 1
                if count > 0:
                    self._parked[topic_partition] = count
                else:
                    self._parked.pop(topic_partition, None)
