"""The commands of the transaction machine that are not requests of a client, and what it answers to any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.coordinator.transaction.api import EndTxnRequest, ListTransactionsRequest, TxnPartitions
from embedkafka.coordinator.transaction.records import TransactionRecord


class InitProducer(NamedTuple):
    """InitProducerId of a transactional producer; -1 for id and epoch of one that has none.

    ``fresh_producer_id`` is an id that nobody had before; -1 until the machine asks for one.
    """

    transactional_id: str
    timeout_ms: int
    producer_id: int = -1
    producer_epoch: int = -1
    fresh_producer_id: int = -1


class EndTransaction(NamedTuple):
    """``fresh_producer_id`` as in :class:`InitProducer`."""

    request: EndTxnRequest
    fresh_producer_id: int = -1


class MarkersWritten(NamedTuple):
    """Every partition of a prepared transaction has its marker; the epoch says which transaction it was."""

    transactional_id: str
    producer_id: int
    producer_epoch: int


class DescribeTransactions(NamedTuple):
    transactional_ids: Sequence[str]


class AbortTimedOut(NamedTuple):
    """Abort transactions that are open for longer than they may."""


class ExpireIds(NamedTuple):
    """Forget transactional ids that were not used for ``transactional.id.expiration.ms``."""


class Loaded(NamedTuple):
    """The machine has been fed its log: what is prepared has to be completed, what is open may time out."""


Command = (
    InitProducer
    | TxnPartitions
    | EndTransaction
    | MarkersWritten
    | DescribeTransactions
    | ListTransactionsRequest
    | AbortTimedOut
    | ExpireIds
    | Loaded
)


class LastEpoch(NamedTuple):
    """Soft: the epoch that a producer had before its last bump; None forgets the id."""

    transactional_id: str
    epoch: int | None


class InitProducerReply(NamedTuple):
    error_code: int = 0
    producer_id: int = -1
    producer_epoch: int = -1


class Decision(NamedTuple):
    """What to do about a command, in this order: append and apply ``records``, note ``events``, answer.

    Attributes:
        prepared: transactional ids whose markers have to be written now.
        needs_producer_id: nothing was decided; ask again with a fresh producer id.
        watch_timeouts: a transaction is open: ask with :class:`AbortTimedOut` after the interval.
    """

    reply: object = None
    records: Sequence[TransactionRecord] = ()
    events: Sequence[LastEpoch] = ()
    prepared: Sequence[str] = ()
    needs_producer_id: bool = False
    watch_timeouts: bool = False
