"""What the transaction coordinator is asked and answers: Kafka's APIs 24-28, 65 and 66 as plain values.

They are part of :mod:`embedkafka.broker.api`, which everyone else imports.  ``transaction_version`` says how the client
speaks: 2 is KIP-890's protocol, 0 and 1 the one before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from embedkafka.coordinator.api import OffsetToCommit
from embedkafka.model import TopicPartition

__all__ = [
    "DescribedTransaction",
    "EndTxnReply",
    "EndTxnRequest",
    "ListTransactionsReply",
    "ListTransactionsRequest",
    "ListedTransaction",
    "TxnMarker",
    "TxnMarkerResult",
    "TxnOffsetCommitRequest",
    "TxnPartitions",
    "TxnPartitionsResult",
]


class TxnPartitions(NamedTuple):
    """Partitions to add to a transaction; ``verify_only`` asks whether they are in it."""

    transactional_id: str
    producer_id: int
    producer_epoch: int
    partitions: Collection[TopicPartition]
    verify_only: bool = False
    transaction_version: int = 0


class TxnPartitionsResult(NamedTuple):
    transactional_id: str
    error_codes: Mapping[TopicPartition, int]


class EndTxnRequest(NamedTuple):
    """``committed`` False aborts."""

    transactional_id: str
    producer_id: int
    producer_epoch: int
    committed: bool
    transaction_version: int = 2


class EndTxnReply(NamedTuple):
    """What the producer goes on with; version 2 only, else -1."""

    error_code: int = 0
    producer_id: int = -1
    producer_epoch: int = -1


class TxnMarker(NamedTuple):
    """``coordinator_epoch`` -1 leaves that check out."""

    producer_id: int
    producer_epoch: int
    committed: bool
    partitions: Collection[TopicPartition]
    coordinator_epoch: int = -1
    transaction_version: int = 0


class TxnMarkerResult(NamedTuple):
    producer_id: int
    error_codes: Mapping[TopicPartition, int]


class TxnOffsetCommitRequest(NamedTuple):
    """Offsets that count once the transaction is committed; see ``OffsetCommitRequest`` for the member."""

    transactional_id: str
    group_id: str
    producer_id: int
    producer_epoch: int
    offsets: Mapping[TopicPartition, OffsetToCommit]
    generation_id: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    transaction_version: int = 2


class ListTransactionsRequest(NamedTuple):
    """Empty filters let everything through; a duration below 0 (milliseconds) does, too."""

    states: Collection[str] = ()
    producer_ids: Collection[int] = ()
    duration_ms: int = -1
    transactional_id_pattern: str | None = None


class ListedTransaction(NamedTuple):
    transactional_id: str
    producer_id: int
    state: str


class ListTransactionsReply(NamedTuple):
    error_code: int = 0
    unknown_states: Sequence[str] = ()
    transactions: Sequence[ListedTransaction] = ()


class DescribedTransaction(NamedTuple):
    """``partitions`` are those that have no marker yet."""

    transactional_id: str
    error_code: int = 0
    state: str = ""
    timeout_ms: int = 0
    start_ms: int = -1
    producer_id: int = -1
    producer_epoch: int = -1
    partitions: Collection[TopicPartition] = ()
