"""What is known of one transactional id: the value of its record in ``__transaction_state``."""

from __future__ import annotations

from typing import Any, NamedTuple

from embedkafka.coordinator.transaction.state import PREDECESSORS, TransactionState
from embedkafka.model import TopicPartition

NO_ID = -1
NO_EPOCH = -1
HIGHEST_EPOCH = 32_767
LAST_USABLE_EPOCH = HIGHEST_EPOCH - 1  # the highest one is the coordinator's own: it fences the last producer


class Transaction(NamedTuple):
    """A producer and the transaction it is in, or was in last.  Never changed; times are milliseconds.

    Attributes:
        partitions: written to, and without a marker as far as the log knows; empty when no transaction is open.
        start_ms: when the transaction began, -1 before the first.
        previous_producer_id: before the last change of the id, -1.
        next_producer_id: takes over when the transaction is complete, because the epochs of this one are used up; -1.
        client_version: 2 where the client speaks KIP-890's protocol, else 0 or 1.
    """

    producer_id: int
    producer_epoch: int
    state: TransactionState
    timeout_ms: int
    update_ms: int
    partitions: frozenset[TopicPartition] = frozenset()
    start_ms: int = -1
    previous_producer_id: int = NO_ID
    next_producer_id: int = NO_ID
    client_version: int = 0

    @property
    def is_epoch_exhausted(self) -> bool:
        """Whether the next producer needs another id."""
        return is_epoch_exhausted(self.producer_epoch)

    @property
    def has_epoch_bump(self) -> bool:
        """Whether the client has its epoch raised with every transaction (KIP-890)."""
        return bumps_epoch(self.client_version)

    def to(self, state: TransactionState, now_ms: int, **changes: Any) -> Transaction:
        """This transaction in another state."""
        assert self.state in PREDECESSORS[state], f"{state.shown} may not follow {self.state.shown}"
        return self._replace(state=state, update_ms=now_ms, **changes)


def is_epoch_exhausted(epoch: int) -> bool:
    return epoch >= LAST_USABLE_EPOCH


def bumps_epoch(transaction_version: int) -> bool:
    """Whether a client of this version has its epoch raised with every transaction (KIP-890)."""
    return transaction_version >= 2
