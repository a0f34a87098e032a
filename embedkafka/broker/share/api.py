"""ShareFetch (78), ShareAcknowledge (79) and share groups' state (83 to 87) as plain values, a part of
:mod:`embedkafka.broker.api`.

The first two speak within a *share session*, one per group and member: ``session_epoch`` 0 opens it (a fetch only),
then each request, of either kind, carries the next number, and -1 closes it; what is still acquired in it is then
released.  After 2**31 - 1 comes 1.  A fetch names the partitions that are new in the session, or that it has
acknowledgements for; it reads from every partition of the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.coordinator.share_partition.api import (
    AcknowledgementBatch,
    AcknowledgeType,
    AcquiredRecords,
    AcquireMode,
)
from embedkafka.coordinator.share_state.api import (
    ShareState,
    ShareStateStart,
    ShareStateSummary,
    ShareStateWrite,
    StateBatch,
)
from embedkafka.model import TopicIdPartition

__all__ = [
    "AcknowledgeType",
    "AcknowledgementBatch",
    "AcquireMode",
    "AcquiredRecords",
    "ShareAcknowledgePartition",
    "ShareAcknowledgePartitionReply",
    "ShareAcknowledgeReply",
    "ShareAcknowledgeRequest",
    "ShareFetchPartition",
    "ShareFetchPartitionReply",
    "ShareFetchReply",
    "ShareFetchRequest",
    "ShareState",
    "ShareStateStart",
    "ShareStateSummary",
    "ShareStateWrite",
    "StateBatch",
    "TopicIdPartition",
]


class ShareFetchPartition(NamedTuple):
    """A partition to read from, with what became of the records that were acquired there before."""

    partition: TopicIdPartition
    acknowledgements: Sequence[AcknowledgementBatch] = ()


class ShareFetchRequest(NamedTuple):
    """``max_wait_ms`` 0 answers at once, below 0 waits until it is cancelled.

    ``max_records`` holds for the whole reply, see ``acquire_mode`` (:class:`AcquireMode`); ``batch_size`` is how many
    records one entry of :class:`AcquiredRecords` should have at most.  ``is_renew_ack`` says that there are
    acknowledgements of the type RENEW; the request then only acknowledges, with every limit 0.
    """

    group_id: str
    member_id: str
    session_epoch: int
    partitions: Sequence[ShareFetchPartition] = ()
    forgotten: Sequence[TopicIdPartition] = ()
    max_wait_ms: int = 0
    min_bytes: int = 1
    max_bytes: int = 52_428_800
    max_records: int = 500
    batch_size: int = 500
    acquire_mode: int = AcquireMode.BATCH_OPTIMIZED
    is_renew_ack: bool = False


class ShareFetchPartitionReply(NamedTuple):
    """``records`` are chunks of whole batches, in offset order; only the offsets in ``acquired`` are the reader's.

    An acquired offset without a record (compacted away) is acknowledged as GAP.  ``leader_id`` and ``leader_epoch`` are
    -1 but with NOT_LEADER_OR_FOLLOWER.
    """

    partition: TopicIdPartition
    error_code: int = 0
    error_message: str | None = None
    acknowledge_error_code: int = 0
    acknowledge_error_message: str | None = None
    records: Sequence[memoryview] = ()
    acquired: Sequence[AcquiredRecords] = ()
    leader_id: int = -1
    leader_epoch: int = -1


class ShareFetchReply(NamedTuple):
    """``partitions`` are those with records, errors, or an outcome of acknowledgements."""

    error_code: int = 0
    error_message: str | None = None
    acquisition_lock_timeout_ms: int = 0
    partitions: Sequence[ShareFetchPartitionReply] = ()


class ShareAcknowledgePartition(NamedTuple):
    partition: TopicIdPartition
    acknowledgements: Sequence[AcknowledgementBatch]


class ShareAcknowledgeRequest(NamedTuple):
    """``is_renew_ack`` says that there are acknowledgements of the type RENEW (KIP-1222)."""

    group_id: str
    member_id: str
    session_epoch: int
    partitions: Sequence[ShareAcknowledgePartition] = ()
    is_renew_ack: bool = False


class ShareAcknowledgePartitionReply(NamedTuple):
    partition: TopicIdPartition
    error_code: int = 0
    error_message: str | None = None
    leader_id: int = -1
    leader_epoch: int = -1


class ShareAcknowledgeReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    acquisition_lock_timeout_ms: int = 0
    partitions: Sequence[ShareAcknowledgePartitionReply] = ()
