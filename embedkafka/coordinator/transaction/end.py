"""EndTxn (26) and what follows it: the decision, and the completion once the markers are written.

With version 2 (KIP-890) the epoch grows with the decision.  So a request that comes again, because its reply was
lost, carries the epoch before the current one; it is answered like the first.
"""

from __future__ import annotations

from embedkafka.coordinator.transaction.api import EndTxnReply, EndTxnRequest
from embedkafka.coordinator.transaction.decision import Decision, EndTransaction, LastEpoch, MarkersWritten
from embedkafka.coordinator.transaction.records import TransactionRecord
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import LAST_USABLE_EPOCH, NO_ID, Transaction, bumps_epoch
from embedkafka.errors import (
    ConcurrentTransactionsError,
    InvalidProducerIdMappingError,
    InvalidRequestError,
    InvalidTxnStateError,
    ProducerFencedError,
)


def end_transaction(command: EndTransaction, known: Transaction | None, now_ms: int) -> Decision:
    """Commit or abort.  The reply tells a client of version 2 which id and epoch it goes on with."""
    request = command.request
    if not request.transactional_id:
        return _refused(InvalidRequestError.errno)
    if known is None:
        return _refused(InvalidProducerIdMappingError.errno)
    is_retry = _is_retry(request, known)
    if request.producer_id != known.producer_id and not is_retry:
        return _refused(InvalidProducerIdMappingError.errno)
    if not is_retry and not _has_current_epoch(request, known):
        return _refused(ProducerFencedError.errno)
    if known.state is TransactionState.ONGOING:
        return _prepare(command, known, now_ms)
    if known.state.is_prepared:
        agrees = request.committed is (known.state is TransactionState.PREPARE_COMMIT)
        return _refused((ConcurrentTransactionsError if agrees else InvalidTxnStateError).errno)
    return _end_again(command, known, now_ms, is_retry=is_retry)


def _has_current_epoch(request: EndTxnRequest, known: Transaction) -> bool:
    """The producer's own epoch; while version 2 prepares, the current one is the next producer's already."""
    if request.producer_epoch != known.producer_epoch:
        return False
    return not (bumps_epoch(request.transaction_version) and known.has_epoch_bump and known.state.is_prepared)


def _is_retry(request: EndTxnRequest, known: Transaction) -> bool:
    """Whether version 2 has raised the epoch for this very request before."""
    if not known.has_epoch_bump or not bumps_epoch(request.transaction_version):
        return False
    if known.state is TransactionState.EMPTY or known.state is TransactionState.ONGOING:
        return False
    if request.producer_id == known.producer_id:
        return request.producer_epoch + 1 == known.producer_epoch
    return (
        request.producer_id == known.previous_producer_id
        and request.producer_epoch == LAST_USABLE_EPOCH
        and known.producer_epoch == 0
    )


def _end_again(command: EndTransaction, known: Transaction, now_ms: int, *, is_retry: bool) -> Decision:
    """No transaction is open: a retry is told what it missed; version 2 may abort one that nothing was written in."""
    request = command.request
    result = TransactionState.COMPLETE_COMMIT if request.committed else TransactionState.COMPLETE_ABORT
    if bumps_epoch(request.transaction_version):
        if is_retry:
            return _accepted(request, known) if known.state is result else _refused(InvalidTxnStateError.errno)
        if not request.committed:
            return _prepare(command, known, now_ms)
    elif known.state is result:
        return _accepted(request, known)
    return _refused(InvalidTxnStateError.errno)


def _prepare(command: EndTransaction, known: Transaction, now_ms: int) -> Decision:
    """The record that decides.  The reply is what the completion will make true."""
    request = command.request
    next_producer_id = NO_ID
    epoch = known.producer_epoch
    events = []
    if bumps_epoch(request.transaction_version):
        if known.is_epoch_exhausted:
            if command.fresh_producer_id == NO_ID:
                return Decision(needs_producer_id=True)
            next_producer_id = command.fresh_producer_id
        epoch += 1
        events.append(LastEpoch(request.transactional_id, known.producer_epoch))
    prepared = known.to(
        TransactionState.PREPARE_COMMIT if request.committed else TransactionState.PREPARE_ABORT,
        now_ms,
        producer_epoch=epoch,
        next_producer_id=next_producer_id,
        start_ms=known.start_ms if known.state is TransactionState.ONGOING else now_ms,
        client_version=request.transaction_version,
    )
    return Decision(
        reply=_reply(request, *_after(prepared)),
        records=[TransactionRecord(request.transactional_id, prepared)],
        events=events,
        prepared=[request.transactional_id],
    )


def complete(command: MarkersWritten, known: Transaction | None, now_ms: int) -> Decision:
    """The record after the markers; nothing where somebody else has completed that transaction."""
    if known is None or not known.state.is_prepared:
        return Decision()
    if (command.producer_id, command.producer_epoch) != (known.producer_id, known.producer_epoch):
        return Decision()
    producer_id, producer_epoch = _after(known)
    committed = known.state is TransactionState.PREPARE_COMMIT
    completed = known.to(
        TransactionState.COMPLETE_COMMIT if committed else TransactionState.COMPLETE_ABORT,
        now_ms,
        partitions=frozenset(),
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        previous_producer_id=known.producer_id if producer_id != known.producer_id else known.previous_producer_id,
        next_producer_id=NO_ID,
    )
    return Decision(records=[TransactionRecord(command.transactional_id, completed)])


def _after(prepared: Transaction) -> tuple[int, int]:
    """Producer id and epoch once the transaction is complete."""
    if prepared.next_producer_id != NO_ID:
        return prepared.next_producer_id, 0
    return prepared.producer_id, prepared.producer_epoch


def _accepted(request: EndTxnRequest, known: Transaction) -> Decision:
    return Decision(reply=_reply(request, known.producer_id, known.producer_epoch))


def _reply(request: EndTxnRequest, producer_id: int, producer_epoch: int) -> EndTxnReply:
    return EndTxnReply(0, producer_id, producer_epoch) if bumps_epoch(request.transaction_version) else EndTxnReply()


def _refused(error_code: int) -> Decision:
    return Decision(reply=EndTxnReply(error_code))
