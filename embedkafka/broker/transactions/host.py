"""What the transaction coordinator's shell needs of the engine, and the settings it reads there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from embedkafka.broker.shard import ShardLog
from embedkafka.clock import Clock
from embedkafka.coordinator.transaction.api import TxnMarker
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.model import TopicPartition


class StateLog(ShardLog, Protocol):
    """One partition of ``__transaction_state``.

    Batches are appended with the shard's lock held, and possibly a producer's lane: so appending wakes nobody.
    """

    def wake_readers(self) -> None:
        """Let those who read the topic look again.  Called without a lock held."""


class TransactionsHost(Protocol):
    """The engine as the transactions see it."""

    @property
    def clock(self) -> Clock: ...

    def next_producer_id(self) -> int:
        """An id that no producer has had.  Called without a lock held.

        Raises:
            BrokerResponseError: it could not be reserved.
        """

    def offsets_partition_of(self, group_id: str) -> TopicPartition:
        """The partition of ``__consumer_offsets`` that holds a group."""

    def partition_exists(self, topic_partition: TopicPartition) -> bool: ...

    def state_partition_count(self) -> int:
        """How many partitions ``__transaction_state`` has, or will have once it is created."""

    def state_partitions_in_use(self) -> list[int]:
        """Partitions of ``__transaction_state`` that had records when the engine was opened."""

    def state_log(self, partition: int, create: bool) -> StateLog | None:
        """A partition of ``__transaction_state``; ``create`` makes the topic.  Called without a lock held.

        Returns:
            None where the topic does not exist and ``create`` is False.
        """

    def write_markers(self, marker: TxnMarker) -> Mapping[TopicPartition, int]:
        """Write a marker into each of its partitions, and let the groups know; error codes.  Without a lock held."""


def transaction_config(settings: Any) -> TransactionConfig:
    """The coordinator's part of the broker's settings.

    Args:
        settings: anything that gives values by Kafka's dotted names.
    """
    return TransactionConfig(
        max_timeout_ms=settings["transaction.max.timeout.ms"],
        abort_timed_out_interval_ms=settings["transaction.abort.timed.out.transaction.cleanup.interval.ms"],
        id_expiration_ms=settings["transactional.id.expiration.ms"],
        remove_expired_interval_ms=settings["transaction.remove.expired.transaction.cleanup.interval.ms"],
    )
