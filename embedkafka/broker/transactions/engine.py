"""The engine as the transactions see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from embedkafka.broker.internal_topic import InternalLog, InternalTopic
from embedkafka.broker.shards import partition_of
from embedkafka.broker.topic import CONSUMER_OFFSETS, TRANSACTION_STATE
from embedkafka.broker.transactions.host import transaction_config
from embedkafka.broker.transactions.markers import write_markers
from embedkafka.broker.transactions.transactions import Transactions
from embedkafka.clock import Clock
from embedkafka.coordinator.transaction.api import TxnMarker
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


class EngineHost:
    """See :class:`embedkafka.broker.transactions.host.TransactionsHost`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topics = engine.topics
        self._state = InternalTopic(
            engine,
            TRANSACTION_STATE,
            partition_count=engine.config.integer("transaction.state.log.num.partitions"),
            load_buffer_bytes=engine.config.integer("transaction.state.log.load.buffer.size"),
            log=InternalLog,
        )

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
        return self._state.partition_count()

    def state_partitions_in_use(self) -> list[int]:
        return self._state.partitions_in_use()

    def state_log(self, partition: int, create: bool) -> InternalLog | None:
        return self._state.log(partition, create)

    def write_markers(self, marker: TxnMarker) -> Mapping[TopicPartition, int]:
        return write_markers(self._engine, marker)


def open_transactions(engine: Engine) -> Transactions:
    """The coordinator of an engine's transactions."""
    return Transactions(EngineHost(engine), transaction_config(engine.config), read_only=engine.read_only)
