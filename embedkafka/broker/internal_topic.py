"""The topic that a coordinator keeps its records in, and each partition of it as a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from embedkafka.broker.partition import Partition
from embedkafka.model import TopicPartition
from embedkafka.storage.log import AppendOrigin

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


class InternalLog:
    """One partition of an internal topic as its coordinator reads and writes it."""

    __slots__ = ("_load_buffer_bytes", "_partition")

    def __init__(self, partition: Partition, load_buffer_bytes: int) -> None:
        self._partition = partition
        self._load_buffer_bytes = load_buffer_bytes

    def append(self, batch: bytearray) -> None:
        """Append one batch; returns when it is committed, with one replica at once.  Wakes nobody."""
        self._partition.append(batch, origin=AppendOrigin.COORDINATOR)

    def read_all(self) -> Iterator[memoryview]:
        """Every batch there is now."""
        return self._partition.read_all(chunk_bytes=self._load_buffer_bytes)

    def wake_readers(self) -> None:
        """Let those who read the topic look again."""
        self._partition.wake_readers()


L = TypeVar("L", bound=InternalLog)


class InternalTopic(Generic[L]):
    """An internal topic, which comes into being when its coordinator first writes.

    Args:
        partition_count: how many partitions it gets.
        load_buffer_bytes: about how much to read at a time.
        log: makes a partition's log.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        partition_count: int,
        load_buffer_bytes: int,
        log: Callable[[Partition, int], L],
    ) -> None:
        self._topics = engine.topics
        self._store = engine.store
        self._name = name
        self._partition_count = partition_count
        self._load_buffer_bytes = load_buffer_bytes
        self._log = log

    def partition_count(self) -> int:
        """Fixed once the topic has its entry in the catalog; until then what the setting says."""
        entry = self._topics.catalog.topic(self._name)
        return self._partition_count if entry is None else len(entry.replicas)

    def partitions_in_use(self) -> list[int]:
        """The partitions that hold records on the disk."""
        has_folder = self._store.has_folder
        return [number for number in range(self.partition_count()) if has_folder(TopicPartition(self._name, number))]

    def log(self, partition: int, create: bool) -> L | None:
        """A partition's log; None where there is no topic and ``create`` is False."""
        if create:
            self._topics.ensure_internal(self._name)
        found = self._topics.partition(TopicPartition(self._name, partition))
        return None if found is None else self._log(found, self._load_buffer_bytes)
