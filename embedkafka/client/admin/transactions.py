"""Transactions: list, describe, and end those that hang (KIP-664)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

from embedkafka.broker.api import ListTransactionsRequest, TxnMarker
from embedkafka.client.admin.base import AdminBase
from embedkafka.client.admin.values import FromName
from embedkafka.errors import for_code
from embedkafka.model import TopicPartition

_TOOLS_SLACK_MS = 5 * 60_000  # what kafka-transactions.sh --find-hanging adds to the longest timeout


class TransactionState(FromName, str, Enum):
    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"
    DEAD = "Dead"
    PREPARE_EPOCH_FENCE = "PrepareEpochFence"
    UNKNOWN = "Unknown"


class TransactionListing(NamedTuple):
    transactional_id: str
    producer_id: int
    state: TransactionState


class TransactionDescription(NamedTuple):
    coordinator_id: int
    state: TransactionState
    producer_id: int
    producer_epoch: int
    transaction_timeout_ms: int
    transaction_start_time_ms: int
    topic_partitions: set[TopicPartition]


class ProducerState(NamedTuple):
    producer_id: int
    producer_epoch: int
    last_sequence: int
    last_timestamp: int
    coordinator_epoch: int
    current_transaction_start_offset: int


class PartitionProducerState(NamedTuple):
    active_producers: list[ProducerState]


class AbortTransactionSpec(NamedTuple):
    """``coordinator_epoch`` -1 leaves that check out."""

    topic_partition: TopicPartition
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int = -1


class TransactionAdmin(AdminBase):
    def list_transactions(
        self,
        broker_ids: Iterable[int] | None = None,
        producer_id_filters: Iterable[int] | None = None,
        state_filters: Iterable[TransactionState | str] | None = None,
        duration_filter_ms: float | None = None,
        transactional_id_pattern: str | None = None,
    ) -> dict[int, list[TransactionListing]]:
        """Transactional ids with their states, by the broker that coordinates them.

        Args:
            broker_ids: only those coordinated by these brokers.
            producer_id_filters: only those with these producer ids.
            state_filters: only those in these states.
            duration_filter_ms: only those whose transaction began longer ago, milliseconds.
            transactional_id_pattern: only those that this regular expression matches as a whole (KIP-1152).

        Raises:
            InvalidRegularExpressionError: the pattern is none.
        """
        request = ListTransactionsRequest(
            [TransactionState.value_for(state) for state in state_filters or ()],
            list(producer_id_filters or ()),
            -1 if duration_filter_ms is None else int(duration_filter_ms),
            transactional_id_pattern,
        )
        self._link.check_usable()
        ports = self._link.engine.ports
        found = {}
        for broker_id in ports if broker_ids is None else broker_ids:
            reply = ports[broker_id].list_transactions(self._link.context, request)
            if reply.error_code:
                raise for_code(reply.error_code)(transactional_id_pattern)
            found[broker_id] = [
                TransactionListing(each.transactional_id, each.producer_id, TransactionState(each.state))
                for each in reply.transactions
            ]
        return found

    def describe_transactions(self, transactional_ids: Iterable[str]) -> dict[str, TransactionDescription]:
        """Transactions by their ids.

        Raises:
            TransactionalIdNotFoundError: there is no such id.
        """
        described = {}
        for transactional_id in transactional_ids:
            self._link.check_usable()
            port = self._link.transaction_coordinator_port(transactional_id)
            (one,) = port.describe_transactions(self._link.context, [transactional_id])
            if one.error_code:
                raise for_code(one.error_code)(repr(transactional_id))
            described[transactional_id] = TransactionDescription(
                port.broker_id,
                TransactionState(one.state),
                one.producer_id,
                one.producer_epoch,
                one.timeout_ms,
                one.start_ms,
                set(one.partitions),
            )
        return described

    def describe_producers(
        self, partitions: Iterable[TopicPartition], broker_id: int | None = None
    ) -> dict[TopicPartition, PartitionProducerState]:
        """Who writes to partitions, and whose transaction is open there.

        Args:
            broker_id: ask this replica's broker instead of the leader's.
        """
        found = {}
        for partition in partitions:
            self._link.check_usable()
            port = self._link.leader_port(partition) if broker_id is None else self._link.engine.ports[broker_id]
            (one,) = port.describe_producers(self._link.context, [partition])
            if one.error_code:
                raise for_code(one.error_code)(one.error_message or str(partition))
            found[partition] = PartitionProducerState([ProducerState(*producer) for producer in one.producers])
        return found

    def abort_transaction(self, spec: AbortTransactionSpec) -> None:
        """End a transaction that hangs in a partition, past its coordinator: its records are as if aborted.

        Raises:
            InvalidProducerEpochError: the epoch is older than the producer's in the partition.
            UnknownTopicOrPartitionError: there is no such partition.
        """
        self._link.check_usable()
        marker = TxnMarker(spec.producer_id, spec.producer_epoch, False, [spec.topic_partition], spec.coordinator_epoch)
        (result,) = self._link.leader_port(spec.topic_partition).write_txn_markers(self._link.context, [marker])
        for partition, error_code in result.error_codes.items():
            if error_code:
                raise for_code(error_code)(str(partition))

    def find_hanging_transactions(
        self, broker_ids: Iterable[int] | None = None, max_transaction_timeout_ms: float = 900_000
    ) -> list[dict[str, Any]]:
        """Transactions that are open for longer than any may be, one dict each.

        Args:
            max_transaction_timeout_ms: the broker's ``transaction.max.timeout.ms``; five minutes are added.
        """
        listed = [each for broker in self.list_transactions(broker_ids).values() for each in broker]
        now_ms = self._link.clock.now_ms()
        hanging = []
        for name, one in self.describe_transactions(sorted({each.transactional_id for each in listed})).items():
            age_ms = now_ms - one.transaction_start_time_ms
            if one.state in _IDLE or one.transaction_start_time_ms < 0:
                continue
            if age_ms < max_transaction_timeout_ms + _TOOLS_SLACK_MS:
                continue
            hanging.append(
                {
                    "transactional_id": name,
                    "producer_id": one.producer_id,
                    "producer_epoch": one.producer_epoch,
                    "state": one.state.value,
                    "age_ms": age_ms,
                    "coordinator_id": one.coordinator_id,
                    "topic_partitions": sorted(one.topic_partitions),
                }
            )
        return hanging


_IDLE = (
    TransactionState.EMPTY,
    TransactionState.COMPLETE_COMMIT,
    TransactionState.COMPLETE_ABORT,
    TransactionState.DEAD,
)
