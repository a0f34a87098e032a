"""DescribeTransactions (65) and ListTransactions (66)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from embedkafka.coordinator.patterns import compile_pattern
from embedkafka.coordinator.transaction.api import (
    DescribedTransaction,
    ListedTransaction,
    ListTransactionsReply,
    ListTransactionsRequest,
)
from embedkafka.coordinator.transaction.decision import Decision, DescribeTransactions
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.errors import InvalidRegularExpressionError, InvalidRequestError, TransactionalIdNotFoundError

_STATES = frozenset(state.shown for state in TransactionState)


def describe_transactions(command: DescribeTransactions, transactions: Mapping[str, Transaction]) -> Decision:
    """The reply is a list, in the order asked."""
    return Decision(reply=[_describe(each, transactions.get(each)) for each in command.transactional_ids])


def _describe(transactional_id: str, known: Transaction | None) -> DescribedTransaction:
    if not transactional_id:
        return DescribedTransaction(transactional_id, InvalidRequestError.errno)
    if known is None:
        return DescribedTransaction(transactional_id, TransactionalIdNotFoundError.errno)
    return DescribedTransaction(
        transactional_id,
        state=known.state.shown,
        timeout_ms=known.timeout_ms,
        start_ms=known.start_ms,
        producer_id=known.producer_id,
        producer_epoch=known.producer_epoch,
        partitions=sorted(known.partitions),
    )


def list_transactions(
    request: ListTransactionsRequest, transactions: Mapping[str, Transaction], now_ms: int
) -> Decision:
    """Every transactional id that passes the filters (KIP-994, KIP-1152), by name."""
    try:
        pattern = compile_pattern(request.transactional_id_pattern) if request.transactional_id_pattern else None
    except re.error:
        return Decision(reply=ListTransactionsReply(InvalidRegularExpressionError.errno))
    listed = [
        ListedTransaction(transactional_id, known.producer_id, known.state.shown)
        for transactional_id, known in sorted(transactions.items())
        if (not request.states or known.state.shown in request.states)
        and (not request.producer_ids or known.producer_id in request.producer_ids)
        and (request.duration_ms < 0 or now_ms - known.start_ms > request.duration_ms)
        and (pattern is None or pattern.fullmatch(transactional_id))
    ]
    unknown = [state for state in request.states if state not in _STATES]
    return Decision(reply=ListTransactionsReply(0, unknown, listed))
