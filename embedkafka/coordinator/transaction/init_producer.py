"""InitProducerId (22) of a transactional producer: a new epoch, by which everyone who came before is fenced.

A transaction that is open is aborted first; the producer is told CONCURRENT_TRANSACTIONS and asks again. A producer
that gives the id and epoch it has goes on after an error of its own (KIP-360) and is fenced itself where another one
has come meanwhile.
"""

from __future__ import annotations

from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import Decision, InitProducer, InitProducerReply, LastEpoch
from embedkafka.coordinator.transaction.records import TransactionRecord
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import (
    HIGHEST_EPOCH,
    NO_EPOCH,
    NO_ID,
    Transaction,
    is_epoch_exhausted,
)
from embedkafka.errors import (
    BrokerResponseError,
    ConcurrentTransactionsError,
    InvalidRequestError,
    InvalidTransactionTimeoutError,
    ProducerFencedError,
)


def init_producer(
    command: InitProducer, known: Transaction | None, last_epoch: int, config: TransactionConfig, now_ms: int
) -> Decision:
    """Give a producer its id and epoch.

    Args:
        known: the id's transaction as it is now; None where the id is new.
        last_epoch: before the last bump, -1 where that is not known.
    """
    if not command.transactional_id:
        return _refused(InvalidRequestError)
    if not 0 < command.timeout_ms <= config.max_timeout_ms:
        return _refused(InvalidTransactionTimeoutError)
    if known is None:
        if command.fresh_producer_id == NO_ID:
            return Decision(needs_producer_id=True)
        begun = Transaction(command.fresh_producer_id, 0, TransactionState.EMPTY, command.timeout_ms, now_ms)
        return _granted(command, begun, NO_EPOCH)
    if command.producer_id != NO_ID and not _may_resume(command, known):
        return _refused(ProducerFencedError)
    if known.state.is_prepared:
        return _refused(ConcurrentTransactionsError)
    if known.state is TransactionState.ONGOING:
        return fence_and_abort(command.transactional_id, known, now_ms, ConcurrentTransactionsError.errno)
    return _next_epoch(command, known, last_epoch, now_ms)


def fence_and_abort(transactional_id: str, known: Transaction, now_ms: int, error_code: int) -> Decision:
    """Abort an open transaction over its producer's head: the epoch is raised, so it cannot write any more."""
    fenced = known.to(TransactionState.PREPARE_EPOCH_FENCE, now_ms, producer_epoch=known.producer_epoch + 1)
    assert fenced.producer_epoch <= HIGHEST_EPOCH
    return Decision(
        reply=InitProducerReply(error_code),
        records=[TransactionRecord(transactional_id, fenced.to(TransactionState.PREPARE_ABORT, now_ms))],
        events=[LastEpoch(transactional_id, NO_EPOCH)],
        prepared=[transactional_id],
    )


def _may_resume(command: InitProducer, known: Transaction) -> bool:
    """Whether the given producer id is this transaction's; of its own last id, only the last epoch is believed."""
    if command.producer_id == known.producer_id:
        return True
    return command.producer_id == known.previous_producer_id and is_epoch_exhausted(command.producer_epoch)


def _next_epoch(command: InitProducer, known: Transaction, last_epoch: int, now_ms: int) -> Decision:
    is_resuming = command.producer_id != NO_ID
    is_current = command.producer_id == known.producer_id and command.producer_epoch == known.producer_epoch
    if known.is_epoch_exhausted and (is_current or not is_resuming):
        if command.fresh_producer_id == NO_ID:
            return Decision(needs_producer_id=True)
        rotated = _emptied(known, command, now_ms, producer_id=command.fresh_producer_id, producer_epoch=0)
        rotated = rotated._replace(previous_producer_id=known.producer_id)
        return _granted(command, rotated, known.producer_epoch if is_resuming else NO_EPOCH)
    if is_current or not is_resuming:
        bumped = _emptied(
            known, command, now_ms, producer_id=known.producer_id, producer_epoch=known.producer_epoch + 1
        )
        return _granted(command, bumped, known.producer_epoch if is_resuming else NO_EPOCH)
    if command.producer_epoch == last_epoch != NO_EPOCH:
        # The same request again: the reply to the first one was lost.
        same = _emptied(known, command, now_ms, producer_id=known.producer_id, producer_epoch=known.producer_epoch)
        return _granted(command, same, last_epoch)
    return _refused(ProducerFencedError)


def _emptied(
    known: Transaction, command: InitProducer, now_ms: int, *, producer_id: int, producer_epoch: int
) -> Transaction:
    return known.to(
        TransactionState.EMPTY,
        now_ms,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        timeout_ms=command.timeout_ms,
        partitions=frozenset(),
        start_ms=-1,
        next_producer_id=NO_ID,
    )


def _granted(command: InitProducer, transaction: Transaction, last_epoch: int) -> Decision:
    return Decision(
        reply=InitProducerReply(0, transaction.producer_id, transaction.producer_epoch),
        records=[TransactionRecord(command.transactional_id, transaction)],
        events=[LastEpoch(command.transactional_id, last_epoch)],
    )


def _refused(error: type[BrokerResponseError]) -> Decision:
    return Decision(reply=InitProducerReply(error.errno))
