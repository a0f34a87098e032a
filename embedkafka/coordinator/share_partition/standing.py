"""How an offset of a share partition stands, and what may follow what.

::

               acquire                 accept
    Available ─────────> Acquired ──────────────> Acknowledged
        ^   │               │ │
        │   │               │ │  reject, gap; or given back with no delivery left
        └───┼───────────────┘ └─────────────────> Archived
            │  given back: release, lock ended, session closed
            └───────────────────────────────────> Hidden
               no record that may be seen

The numbers are Kafka's (``RecordState``) but for Hidden, which is never stored: the log itself says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from embedkafka.coordinator.share_partition.api import AcknowledgeType
from embedkafka.coordinator.share_state.api import DeliveryState

AVAILABLE = DeliveryState.AVAILABLE
ACQUIRED = DeliveryState.ACQUIRED
ACKNOWLEDGED = DeliveryState.ACKNOWLEDGED
ARCHIVED = DeliveryState.ARCHIVED
HIDDEN = -1

NAMES: Mapping[int, str] = {
    AVAILABLE: "Available",
    ACQUIRED: "Acquired",
    ACKNOWLEDGED: "Acknowledged",
    ARCHIVED: "Archived",
    HIDDEN: "Hidden",
}
"""Kafka's, but for the last."""

PREDECESSORS: Mapping[int, frozenset[int]] = {
    AVAILABLE: frozenset({ACQUIRED}),
    ACQUIRED: frozenset({AVAILABLE, ACQUIRED}),  # the second one is a lock that is renewed
    ACKNOWLEDGED: frozenset({ACQUIRED}),
    ARCHIVED: frozenset({ACQUIRED}),
    HIDDEN: frozenset({AVAILABLE}),
}
"""For each state those it may follow; an offset that nobody was given yet is available."""

IS_DONE: Mapping[int, bool] = {AVAILABLE: False, ACQUIRED: False, ACKNOWLEDGED: True, ARCHIVED: True, HIDDEN: True}
"""Whether a record needs no delivery any more."""

AFTER_ACKNOWLEDGEMENT: Mapping[int, int] = {
    AcknowledgeType.GAP: ARCHIVED,
    AcknowledgeType.ACCEPT: ACKNOWLEDGED,
    AcknowledgeType.RELEASE: AVAILABLE,
    AcknowledgeType.REJECT: ARCHIVED,
    AcknowledgeType.RENEW: ACQUIRED,
}


class Standing(NamedTuple):
    """``delivery_count`` with the delivery under way; owner and end of the lock (monotonic ms) where it is acquired."""

    state: int
    delivery_count: int
    member_id: str = ""
    locked_until_ms: float = 0.0


NOT_DELIVERED = Standing(AVAILABLE, 0)
