"""A share session with one broker: which partitions it knows of, and the number that each request carries.

A request names only what is new.  The session opens with the first fetch; when the broker has forgotten it, or the
numbers disagree, the next fetch opens another, and what was held in the old one is held no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import (
    AcknowledgementBatch,
    AcquiredRecords,
    RequestContext,
    ShareAcknowledgePartition,
    ShareAcknowledgeReply,
    ShareAcknowledgeRequest,
    ShareFetchPartition,
    ShareFetchReply,
    ShareFetchRequest,
)
from embedkafka.client.share_consumer.in_flight import RELEASE, RENEW, Sent
from embedkafka.errors import InvalidShareSessionEpochError
from embedkafka.model import TopicIdPartition

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort

_OPENING, _CLOSING = 0, -1
_LAST_EPOCH = 2**31 - 1
_ONE = tuple((type_,) for type_ in range(5))

_new = tuple.__new__  # what a NamedTuple's own constructor calls, without the detour

Acknowledged = Mapping[TopicIdPartition, Sequence[Sent]]


class ShareSession:
    """One member's conversation with one leader of partitions."""

    def __init__(self, port: BrokerPort, context: RequestContext, group_id: str, member_id: str) -> None:
        self._port = port
        self._context = context
        self._group_id = group_id
        self._member_id = member_id
        self._epoch = _OPENING
        self._known: set[TopicIdPartition] = set()
        self._is_unsure = False  # whether the broker has heard the last acknowledgements

    @property
    def is_open(self) -> bool:
        return self._epoch != _OPENING

    def fetch(
        self,
        wanted: Collection[TopicIdPartition],
        complete: Callable[[ShareFetchReply], None],
        *,
        max_wait_ms: int,
        min_bytes: int,
        max_bytes: int,
        max_records: int,
        acquire_mode: int,
    ) -> Any:
        """Ask for records of ``wanted``; gives back what can be cancelled while it waits, or None."""
        new = [ShareFetchPartition(key) for key in wanted if key not in self._known]
        forgotten = (
            [key for key in self._known if key not in wanted] if len(self._known) + len(new) > len(wanted) else ()
        )
        request = ShareFetchRequest(
            self._group_id,
            self._member_id,
            self._next_epoch(),
            new,
            forgotten,
            max_wait_ms=max_wait_ms,
            min_bytes=min_bytes,
            max_bytes=max_bytes,
            max_records=max_records,
            batch_size=max_records,
            acquire_mode=acquire_mode,
        )
        self._known.update(wanted)
        self._known.difference_update(forgotten)
        return self._port.share_fetch(self._context, request, complete)

    def acknowledge(self, acknowledged: Acknowledged) -> ShareAcknowledgeReply:
        """Say what became of records, and hear at once how that went."""
        renews = any(RENEW in sent.types for sents in acknowledged.values() for sent in sents)
        partitions = [
            ShareAcknowledgePartition(key, [sent.batch() for sent in sents]) for key, sents in acknowledged.items()
        ]
        return self._acknowledge(partitions, renews)

    def acknowledge_one(self, key: TopicIdPartition, offset: int, type_: int) -> ShareAcknowledgeReply:
        """The same for one record, which many programs commit at a time."""
        batch = _new(AcknowledgementBatch, (offset, offset, _ONE[type_]))
        return self._acknowledge((_new(ShareAcknowledgePartition, (key, (batch,))),), False)

    def release(self, key: TopicIdPartition, acquired: Sequence[AcquiredRecords]) -> None:
        """Give back what a fetch has brought and nobody wants; where the broker refuses, its lock ends some time."""
        if self.is_open:
            batches = [AcknowledgementBatch(first, last, _ONE[RELEASE]) for first, last, _ in acquired]
            self._acknowledge([ShareAcknowledgePartition(key, batches)], False)

    def _acknowledge(self, partitions: Sequence[ShareAcknowledgePartition], renews: bool) -> ShareAcknowledgeReply:
        try:
            reply = self._ask(self._epoch, partitions, renews)
        except BaseException:
            self._is_unsure = True  # an interrupt: the broker may have heard it
            raise
        if self._is_unsure:
            self._is_unsure = False
            if reply.error_code == InvalidShareSessionEpochError.errno:  # it has, and counted on
                self._next_epoch()
                reply = self._ask(self._epoch, partitions, renews)
        self._next_epoch()
        return reply

    def _ask(self, epoch: int, partitions: Sequence[ShareAcknowledgePartition], renews: bool) -> ShareAcknowledgeReply:
        request = _new(ShareAcknowledgeRequest, (self._group_id, self._member_id, epoch, partitions, renews))
        return self._port.share_acknowledge(self._context, request)

    def close(self) -> None:
        """End the session: what is still held goes to others at once."""
        if self.is_open:
            self._ask(_CLOSING, (), False)
            self.reset()

    def reset(self) -> None:
        """The broker does not know this session: the next fetch opens another."""
        self._epoch = _OPENING
        self._known.clear()
        self._is_unsure = False

    def _next_epoch(self) -> int:
        epoch = self._epoch
        self._epoch = 1 if epoch == _LAST_EPOCH else epoch + 1
        return epoch
