"""A share consumer's part in its group: it says what it subscribed to, and hears which partitions it may read from.

A heartbeat is sent when the engine says that there is something to hear (``watch_group``), when topics changed, or when
the subscription did.  Nothing is given up or waited for: whoever is no longer assigned a partition stops asking it for
records, and acknowledges what it has as before.

Source: org.apache.kafka.clients.consumer.internals.ShareMembershipManager.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from embedkafka.client.consumer.group import RETRY_LATER
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.share_membership import EmbeddedShareMembership
from embedkafka.errors import FencedMemberEpochError, UnknownMemberIdError, UnknownTopicOrPartitionError, for_code
from embedkafka.model import TopicIdPartition, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedkafka.client.link import EmbeddedLink
    from embedkafka.client.share_consumer.metrics import ShareMetrics

_log = logging.getLogger(__name__)

_FENCED = (FencedMemberEpochError, UnknownMemberIdError)


class ShareGroup:
    """Keeps one share consumer in its group.

    Args:
        allow_auto_create: let the broker create topics that are subscribed to, where it does that.
        retry_backoff_ms: how long to wait before a heartbeat that a coordinator could not take yet is tried again.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        membership: EmbeddedShareMembership,
        waker: Waker,
        metrics: ShareMetrics,
        *,
        allow_auto_create: bool,
        retry_backoff_ms: float,
    ) -> None:
        self._link = link
        self._membership = membership
        self._waker = waker
        self._metrics = metrics
        self._allow_auto_create = allow_auto_create
        self._retry_backoff_ms = retry_backoff_ms
        self._unwatch: Callable[[], None] | None = None
        self._said: frozenset[str] | None = None
        self._seen_version = -1
        self.topics: frozenset[str] = frozenset()
        self.assignment: Mapping[TopicIdPartition, TopicPartition] = {}
        self.retry_at_ms = 0.0

    @property
    def group_id(self) -> str:
        return self._membership.group_id

    @property
    def member_id(self) -> str:
        return self._membership.member_id

    def subscribe(self, topics: frozenset[str]) -> None:
        """Read these topics from the next poll on."""
        self.topics = topics
        if self._unwatch is None:
            self._unwatch = self._link.engine.watch_metadata(self._waker.metadata_has_changed)

    def update(self) -> None:
        """Say and hear what there is to say and hear.

        Raises:
            BrokerResponseError: the group does not take this member (its type, its size, its rights).
        """
        self._waker.metadata_changed = False
        while self._has_news() and self._link.clock.monotonic_ms() >= self.retry_at_ms:
            self._converse()

    def _has_news(self) -> bool:
        """Whether a heartbeat has something to say or to hear."""
        return self._waker.group_changed or not self._membership.is_member or self._has_to_say()

    def _has_to_say(self) -> bool:
        return self._said != self.topics or self._seen_version != self._link.metadata_version

    def _converse(self) -> None:
        membership, waker = self._membership, self._waker
        self._create_missing()
        waker.group_changed = False
        version = self._link.metadata_version
        joins = not membership.is_member
        is_full = joins or self._has_to_say()
        reply = membership.heartbeat(self.topics if is_full else None)
        self._metrics.heartbeats.add()
        if reply.error_code:
            self._receive_error(reply.error_code, reply.error_message)
            return
        if joins:
            self._metrics.joins.add()
        if is_full:
            membership.watch(waker.group_has_changed)
        assignment = membership.assignment(reply)
        if assignment is not None:
            self.assignment = assignment
        self._said, self._seen_version = self.topics, version

    def _create_missing(self) -> None:
        for topic in self.topics:
            try:
                self._link.topic(topic, auto_create=self._allow_auto_create)
            except UnknownTopicOrPartitionError:
                _log.debug("topic %s does not exist (yet)", topic)

    def _receive_error(self, error_code: int, message: str | None) -> None:
        error = for_code(error_code)
        if issubclass(error, _FENCED) and self._membership.is_member:
            self._membership.forget()  # and joins again at once
            self.assignment = {}
        elif issubclass(error, (*RETRY_LATER, *_FENCED)):
            self.retry_at_ms = self._link.clock.monotonic_ms() + self._retry_backoff_ms
            self._said = None  # says everything then
        else:
            raise error(message or f"group {self._membership.group_id!r}")

    def leave(self) -> None:
        """Leave the group; nothing is subscribed to any more."""
        try:
            self._membership.leave()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Be woken by nothing any more."""
        self._membership.unwatch()
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        self.topics = frozenset()
        self.assignment = {}
        self._said = None
        self._seen_version = -1
