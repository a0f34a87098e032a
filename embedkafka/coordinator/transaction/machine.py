"""One shard's transaction coordinator: commands in, decisions out; see the package's theory of operation."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.transaction import add, describe, end, init_producer, upkeep
from embedkafka.coordinator.transaction.api import ListTransactionsRequest, TxnPartitions
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import (
    AbortTimedOut,
    Command,
    Decision,
    DescribeTransactions,
    EndTransaction,
    ExpireIds,
    InitProducer,
    LastEpoch,
    Loaded,
    MarkersWritten,
)
from embedkafka.coordinator.transaction.records import TransactionRecord
from embedkafka.coordinator.transaction.transaction import NO_EPOCH, Transaction


class TransactionMachine:
    """The transactions of one ``__transaction_state`` partition."""

    def __init__(self, config: TransactionConfig) -> None:
        self.config = config
        self._transactions: dict[str, Transaction] = {}
        self._last_epochs: dict[str, int] = {}

    def durable(self) -> Mapping[str, Transaction]:
        """What the log holds, by transactional id; comparable, not to be changed."""
        return self._transactions

    def apply(self, record: TransactionRecord) -> None:
        """Let a record that is in the log take effect."""
        if record.transaction is None:
            self._transactions.pop(record.transactional_id, None)
        else:
            self._transactions[record.transactional_id] = record.transaction

    def note(self, event: LastEpoch) -> None:
        """Let a soft change take effect."""
        if event.epoch is None or event.epoch == NO_EPOCH:
            self._last_epochs.pop(event.transactional_id, None)
        else:
            self._last_epochs[event.transactional_id] = event.epoch

    def find(self, transactional_id: str) -> Transaction | None:
        """The transaction as it is now; None where there is none."""
        return self._transactions.get(transactional_id)

    def handle(self, command: Command, now_ms: int) -> Decision:
        """Decide about a command; changes nothing.

        Args:
            command: a request, or what happened without one.
            now_ms: the wall clock, milliseconds since the epoch; stamps records and judges timeouts.
        """
        if isinstance(command, TxnPartitions):
            return add.add_partitions(command, self.find(command.transactional_id), now_ms)
        if isinstance(command, EndTransaction):
            return end.end_transaction(command, self.find(command.request.transactional_id), now_ms)
        if isinstance(command, MarkersWritten):
            return end.complete(command, self.find(command.transactional_id), now_ms)
        if isinstance(command, InitProducer):
            known = self.find(command.transactional_id)
            last_epoch = self._last_epochs.get(command.transactional_id, NO_EPOCH)
            return init_producer.init_producer(command, known, last_epoch, self.config, now_ms)
        if isinstance(command, AbortTimedOut):
            return upkeep.abort_timed_out(self._transactions, now_ms)
        if isinstance(command, ExpireIds):
            return upkeep.expire_ids(self._transactions, self.config, now_ms)
        if isinstance(command, DescribeTransactions):
            return describe.describe_transactions(command, self._transactions)
        if isinstance(command, ListTransactionsRequest):
            return describe.list_transactions(command, self._transactions, now_ms)
        assert isinstance(command, Loaded), f"not a command: {command!r}"
        return upkeep.start(self._transactions)
