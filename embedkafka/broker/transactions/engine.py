"""The engine as the transactions see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from embedkafka.broker.groups.groups import partition_of
from embedkafka.broker.partition import Partition
from embedkafka.broker.topic import CONSUMER_OFFSETS, TRANSACTION_STATE
from embedkafka.broker.transactions.host import transaction_config
from embedkafka.broker.transactions.markers import write_markers
from embedkafka.broker.transactions.transactions import Transactions
from embedkafka.clock import Clock
from embedkafka.coordinator.transaction.api import TxnMarker
from embedkafka.model import TopicPartition
from embedkafka.storage.log import AppendOrigin

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


class EngineStateLog:
    """One partition of ``__transaction_state`` as the coordinator reads and writes it."""

    __slots__ = ("_load_buffer_bytes", "_partition")

    def __init__(self, partition: Partition, load_buffer_bytes: int) -> None:
        self._partition = partition
        self._load_buffer_bytes = load_buffer_bytes

    def append(self, batch: bytearray) -> None:
        """Append one batch; returns when it is committed, with one replica at once."""
        self._partition.append(batch, origin=AppendOrigin.COORDINATOR)

    def read_all(self) -> Iterator[memoryview]:
        """Every batch there is now."""
        return self._partition.read_all(chunk_bytes=self._load_buffer_bytes)

    def wake_readers(self) -> None:
        """Let those who read the topic look again."""
        self._partition.wake_readers()


class EngineHost:
    """See :class:`embedkafka.broker.transactions.host.TransactionsHost`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topics = engine.topics
        self._config = engine.config
        self._load_buffer_bytes = engine.config.integer("transaction.state.log.load.buffer.size")

    @property
    def clock(self) -> Clock:
        return self._engine.clock

    def next_producer_id(self) -> int:
        return self._engine.producer_ids.next_id()

    def offsets_partition_of(self, group_id: str) -> TopicPartition:
        topic = self._topics.ensure_internal(CONSUMER_OFFSETS)
        return TopicPartition(CONSUMER_OFFSETS, partition_of(group_id, len(topic.partitions)))

    def partition_exists(self, topic_partition: TopicPartition) -> bool:
        return self._topics.partition(topic_partition) is not None

    def state_partition_count(self) -> int:
        """Fixed once ``__transaction_state`` has its entry in the catalog; until then what the setting says."""
        entry = self._topics.catalog.topic(TRANSACTION_STATE)
        return self._config.integer("transaction.state.log.num.partitions") if entry is None else len(entry.replicas)

    def state_partitions_in_use(self) -> list[int]:
        store = self._engine.store
        numbers = range(self.state_partition_count())
        return [number for number in numbers if store.has_folder(TopicPartition(TRANSACTION_STATE, number))]

    def state_log(self, partition: int, create: bool) -> EngineStateLog | None:
        if create:
            self._topics.ensure_internal(TRANSACTION_STATE)
        found = self._topics.partition(TopicPartition(TRANSACTION_STATE, partition))
        return None if found is None else EngineStateLog(found, self._load_buffer_bytes)

    def write_markers(self, marker: TxnMarker) -> Mapping[TopicPartition, int]:
        return write_markers(self._engine, marker)


def open_transactions(engine: Engine) -> Transactions:
    """The coordinator of an engine's transactions."""
    return Transactions(EngineHost(engine), transaction_config(engine.config), read_only=engine.read_only)
