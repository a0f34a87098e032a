"""Replies of the transaction coordinator that carry an error of the shell: it is closed, its log cannot be used."""

from __future__ import annotations

from typing import Any

from embedkafka.coordinator.transaction.api import (
    DescribedTransaction,
    EndTxnReply,
    ListTransactionsReply,
    ListTransactionsRequest,
    TxnPartitions,
    TxnPartitionsResult,
)
from embedkafka.coordinator.transaction.decision import (
    Command,
    DescribeTransactions,
    EndTransaction,
    InitProducer,
    InitProducerReply,
)


def error_reply(command: Command, error_code: int) -> Any:
    """The command's own reply with this error in it; None for what nobody waits for."""
    if isinstance(command, InitProducer):
        return InitProducerReply(error_code)
    if isinstance(command, TxnPartitions):
        return TxnPartitionsResult(command.transactional_id, dict.fromkeys(command.partitions, error_code))
    if isinstance(command, EndTransaction):
        return EndTxnReply(error_code)
    if isinstance(command, DescribeTransactions):
        return [DescribedTransaction(each, error_code) for each in command.transactional_ids]
    if isinstance(command, ListTransactionsRequest):
        return ListTransactionsReply(error_code)
    return None
