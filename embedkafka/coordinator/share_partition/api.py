"""What readers of a share partition give and get: acknowledgements, and the offsets that were acquired for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["AcknowledgeType", "AcknowledgementBatch", "AcquireMode", "AcquiredRecords"]


class AcknowledgeType:
    """Kafka's numbers (``org.apache.kafka.clients.consumer.AcknowledgeType``)."""

    GAP = 0  # no record has this offset, or none that may be seen
    ACCEPT = 1
    RELEASE = 2
    REJECT = 3
    RENEW = 4  # keep it, with a new lock (KIP-1222)


class AcquireMode:
    """How many records one fetch acquires (KIP-1206)."""

    BATCH_OPTIMIZED = 0  # whole producer batches, the last of which may exceed ``max_records``
    RECORD_LIMIT = 1  # never more than ``max_records``


class AcknowledgementBatch(NamedTuple):
    """What became of the records from ``first_offset`` to ``last_offset``, both included.

    ``types`` holds one :class:`AcknowledgeType` for all of them, or one for each offset.
    """

    first_offset: int
    last_offset: int
    types: Sequence[int]


class AcquiredRecords(NamedTuple):
    """Offsets, both included, that are the reader's until the lock ends; ``delivery_count`` begins with 1."""

    first_offset: int
    last_offset: int
    delivery_count: int
