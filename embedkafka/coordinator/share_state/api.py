"""What the share coordinator is asked and answers: the state of share partitions as plain values (Kafka's APIs 83-87).

``state_epoch`` grows when the group's coordinator sets a partition up anew, ``leader_epoch`` with the partition's
leader; whoever comes with an older one is fenced.  ``start_offset`` -1 is one that ``share.auto.offset.reset`` decides
on when the partition is first read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "NO_OFFSET",
    "DeliveryState",
    "ShareState",
    "ShareStateStart",
    "ShareStateSummary",
    "ShareStateWrite",
    "StateBatch",
]

NO_OFFSET = -1
UNKNOWN_COUNT = -1


class DeliveryState:
    """Kafka's numbers for where a record stands in its delivery; what is acquired (1) is never stored."""

    AVAILABLE = 0
    ACQUIRED = 1
    ACKNOWLEDGED = 2
    ARCHIVED = 4


class StateBatch(NamedTuple):
    """Offsets, both included, whose records stand alike; ``delivery_state`` is a :class:`DeliveryState`."""

    first_offset: int
    last_offset: int
    delivery_state: int
    delivery_count: int


class ShareStateStart(NamedTuple):
    """Where a share partition begins, for :attr:`ShareState.state_epoch`."""

    state_epoch: int
    start_offset: int


class ShareState(NamedTuple):
    """A share partition as it is stored; ``batches`` are in offset order and do not overlap."""

    error_code: int = 0
    error_message: str | None = None
    state_epoch: int = 0
    start_offset: int = NO_OFFSET
    batches: Sequence[StateBatch] = ()


class ShareStateSummary(NamedTuple):
    """``delivery_complete_count``: offsets from the start on that need no delivery any more (KIP-1226), or -1."""

    error_code: int = 0
    error_message: str | None = None
    state_epoch: int = 0
    leader_epoch: int = 0
    start_offset: int = NO_OFFSET
    delivery_complete_count: int = UNKNOWN_COUNT


class ShareStateWrite(NamedTuple):
    """A change of a share partition's state: ``batches`` replace what was said of their offsets before.

    ``start_offset`` -1 leaves it as it is.
    """

    state_epoch: int
    leader_epoch: int
    start_offset: int
    delivery_complete_count: int
    batches: Sequence[StateBatch]
