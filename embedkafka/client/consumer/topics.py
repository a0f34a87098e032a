"""What a subscription means now: topics come, go and grow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from embedkafka.client.consumer.subscription import Subscription, SubscriptionKind
from embedkafka.client.consumer.waker import Waker
from embedkafka.errors import UnknownTopicOrPartitionError
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

_log = logging.getLogger(__name__)

_NEVER_LOOKED = -1


class SubscribedTopics:
    """Keeps a subscription in step with the topics there are.

    The engine wakes a waiting consumer when topics change; otherwise a number says at each poll whether they did.

    Args:
        allow_auto_create: let the broker create topics that are subscribed to by name, where it does that.
        hide_internal: patterns do not match internal topics.
        assign_all: the consumer has no group: it gets every partition.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        subscription: Subscription,
        waker: Waker,
        *,
        allow_auto_create: bool,
        hide_internal: bool,
        assign_all: bool,
    ) -> None:
        self._link = link
        self._subscription = subscription
        self._waker = waker
        self._allow_auto_create = allow_auto_create
        self._hide_internal = hide_internal
        self._assign_all = assign_all
        self._version = _NEVER_LOOKED
        self._unwatch: Callable[[], None] | None = None

    def watch(self) -> None:
        """The subscription is new: look at the next poll, and be woken by changes."""
        self._version = _NEVER_LOOKED
        if self._unwatch is None:
            self._unwatch = self._link.engine.watch_metadata(self._waker.metadata_has_changed)

    def unwatch(self) -> None:
        self._version = _NEVER_LOOKED
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def update(self) -> None:
        """Take notice of changes; cheap when there are none."""
        # Before the look, and also where there is nothing to do: creating a topic further down raises the flag too, and
        # a flag that nobody lowers makes every wait return at once.
        self._waker.metadata_changed = False
        if self._version == self._link.metadata_version:
            return
        subscription = self._subscription
        if subscription.kind is SubscriptionKind.PATTERN:
            self._match()
        elif subscription.kind is SubscriptionKind.BROKER_PATTERN:
            pass  # the coordinator matches, and tells
        elif subscription.kind is SubscriptionKind.ASSIGNED:
            self._create_missing({partition.topic for partition in subscription.assignment})
        else:
            self._create_missing(subscription.topics)
        self._version = self._link.metadata_version
        if subscription.is_group_managed and self._assign_all:
            counts = self._link.partitions(subscription.topics)
            subscription.replace_assignment(
                TopicPartition(topic, partition) for topic in sorted(counts) for partition in range(counts[topic])
            )

    def _create_missing(self, topics: Iterable[str]) -> None:
        for topic in topics:
            try:
                self._link.topic(topic, auto_create=self._allow_auto_create)
            except UnknownTopicOrPartitionError:
                _log.warning("topic %s does not exist (yet)", topic)

    def _match(self) -> None:
        pattern = self._subscription.pattern
        assert pattern is not None
        self._subscription.topics = {topic for topic in self.visible() if pattern.match(topic)}

    def visible(self) -> set[str]:
        """All topics but those that are hidden, read afresh."""
        return {topic.topic for topic in self._link.topics() if not (topic.is_internal and self._hide_internal)}
