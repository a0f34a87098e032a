"""The states of a transaction, and from which of them each may follow.

::

    Empty ──────────────┬──> Ongoing ──┬──> PrepareCommit ──> CompleteCommit ──┐
      ^                 │      ^  │    │                                       │
      │   (new epoch)   │      └──┘    └──> PrepareAbort ───> CompleteAbort ───┤
      │                 │  (partitions        ^                                │
      │                 │   added)            │ (KIP-890: an abort without     │
      │                 └─────────────────────┘  a write)                      │
      └────────────────────────────────────────────────────────────────────────┘
                             (init; begin the next; expire)

Ongoing may also follow CompleteCommit and CompleteAbort directly, and so may PrepareAbort.  The numbers are those of
``TransactionLogValue``, the names those that admin clients see (``org.apache.kafka.coordinator.transaction
.TransactionState``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class TransactionState(Enum):
    """A number in the log, a name for people."""

    EMPTY = (0, "Empty")
    ONGOING = (1, "Ongoing")
    PREPARE_COMMIT = (2, "PrepareCommit")
    PREPARE_ABORT = (3, "PrepareAbort")
    COMPLETE_COMMIT = (4, "CompleteCommit")
    COMPLETE_ABORT = (5, "CompleteAbort")
    DEAD = (6, "Dead")
    PREPARE_EPOCH_FENCE = (7, "PrepareEpochFence")

    def __init__(self, number: int, shown: str) -> None:
        self.number = number
        self.shown = shown

    @property
    def is_prepared(self) -> bool:
        """Decided, and markers are on their way."""
        return self in (TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)

    @property
    def is_idle(self) -> bool:
        """No transaction is open."""
        return self in (TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT)


BY_NUMBER: Mapping[int, TransactionState] = {state.number: state for state in TransactionState}

_IDLE = frozenset({TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT})

PREDECESSORS: Mapping[TransactionState, frozenset[TransactionState]] = {
    TransactionState.EMPTY: _IDLE,
    TransactionState.ONGOING: _IDLE | {TransactionState.ONGOING},
    TransactionState.PREPARE_COMMIT: frozenset({TransactionState.ONGOING}),
    TransactionState.PREPARE_ABORT: _IDLE | {TransactionState.ONGOING, TransactionState.PREPARE_EPOCH_FENCE},
    TransactionState.COMPLETE_COMMIT: frozenset({TransactionState.PREPARE_COMMIT}),
    TransactionState.COMPLETE_ABORT: frozenset({TransactionState.PREPARE_ABORT}),
    TransactionState.DEAD: _IDLE,
    # Passed within one decision: the epoch is raised and the transaction aborted by one record.
    TransactionState.PREPARE_EPOCH_FENCE: frozenset({TransactionState.ONGOING}),
}
"""For each state those it may follow; an id without a transaction yet begins with Empty.  Dead is a tombstone."""
