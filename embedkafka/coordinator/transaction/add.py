"""AddPartitionsToTxn (24) and AddOffsetsToTxn (25): a transaction begins with its first partition.

Version 4 of the request also asks whether partitions are in a transaction already: the leader of a partition asks so
before it appends for a client of version 1 (KIP-890).  For a client of version 2 the leader adds the partition itself.
"""

from __future__ import annotations

from embedkafka.coordinator.transaction.api import TxnPartitions, TxnPartitionsResult
from embedkafka.coordinator.transaction.decision import Decision
from embedkafka.coordinator.transaction.records import TransactionRecord
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.errors import (
    ConcurrentTransactionsError,
    InvalidProducerIdMappingError,
    InvalidRequestError,
    ProducerFencedError,
    TransactionAbortableError,
)


def add_partitions(request: TxnPartitions, known: Transaction | None, now_ms: int) -> Decision:
    """Add partitions, or verify that they are there; all of them or none."""
    error_code = _error(request, known)
    if error_code:
        return _answer(request, error_code)
    assert known is not None
    partitions = frozenset(request.partitions)
    is_open = known.state is TransactionState.ONGOING
    if request.verify_only:
        inside = known.partitions if is_open else frozenset()
        codes = {each: 0 if each in inside else TransactionAbortableError.errno for each in request.partitions}
        return Decision(reply=TxnPartitionsResult(request.transactional_id, codes))
    if is_open and partitions <= known.partitions:
        return _answer(request, 0)
    added = known.to(
        TransactionState.ONGOING,
        now_ms,
        partitions=known.partitions | partitions,
        start_ms=known.start_ms if is_open else now_ms,
        client_version=request.transaction_version,
    )
    return Decision(
        reply=TxnPartitionsResult(request.transactional_id, dict.fromkeys(request.partitions, 0)),
        records=[TransactionRecord(request.transactional_id, added)],
        watch_timeouts=True,
    )


def _error(request: TxnPartitions, known: Transaction | None) -> int:
    if not request.transactional_id:
        return InvalidRequestError.errno
    if known is None or request.producer_id != known.producer_id:
        return InvalidProducerIdMappingError.errno
    if request.producer_epoch != known.producer_epoch:
        return ProducerFencedError.errno
    return ConcurrentTransactionsError.errno if known.state.is_prepared else 0


def _answer(request: TxnPartitions, error_code: int) -> Decision:
    codes = dict.fromkeys(request.partitions, error_code)
    return Decision(reply=TxnPartitionsResult(request.transactional_id, codes))
