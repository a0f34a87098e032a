"""A consumer's part in its group, whatever the group's protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from embedkafka.client.consumer.commits import Commits
from embedkafka.client.consumer.listening import give_up
from embedkafka.client.consumer.subscription import Subscription
from embedkafka.client.consumer.waker import Waker
from embedkafka.errors import (
    BrokerResponseError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    NotCoordinatorError,
)

if TYPE_CHECKING:
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink

CANNOT_JOIN = "no group can take members; assign() partitions instead of subscribing"

RETRY_LATER = (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)


class Group(ABC):
    """:class:`~embedkafka.client.consumer.coordinator.GroupCoordinator` for the classic protocol,
    :class:`~embedkafka.client.consumer.reconciler.Reconciler` for the consumer protocol (KIP-848).

    Args:
        retry_backoff_ms: how long to wait before a request that a coordinator could not take yet is tried again.
    """

    commits: Commits  # set by whoever builds both: they need each other

    def __init__(
        self,
        link: EmbeddedLink,
        subscription: Subscription,
        waker: Waker,
        metrics: ConsumerMetrics,
        *,
        retry_backoff_ms: float,
    ) -> None:
        self._link = link
        self._subscription = subscription
        self._waker = waker
        self._metrics = metrics
        self._retry_backoff_ms = retry_backoff_ms
        self._retry_at_ms = 0.0
        self._is_lost = False  # what is held is not this member's own any more
        self._fatal: BrokerResponseError | None = None

    @property
    @abstractmethod
    def state(self) -> str:
        """One of :class:`~embedkafka.model.MemberState`."""

    @property
    def keeps_reading(self) -> bool:
        """Whether the partitions held may be read while others are waited for."""
        return False

    def has_reply(self) -> bool:
        """Whether the next :meth:`poll` can take a step that the last one could not."""
        return False

    def poll(self, deadline_ms: float) -> bool:
        """Take every step that can be taken until ``deadline_ms``; True once this member may read.

        Raises:
            FencedInstanceIdError: another consumer with the same ``group_instance_id`` took this one's place.
            BrokerResponseError: the group does not take this member.
            KafkaError: the rebalance listener raised.
        """
        self.commits.run_callbacks()
        if not self._subscription.is_group_managed:
            self.commits.auto_commit_if_due()
            return True
        return self._take_part(deadline_ms)

    @abstractmethod
    def _take_part(self, deadline_ms: float) -> bool:
        """The same, for a consumer that subscribed."""

    @abstractmethod
    def _forget(self, reason: str) -> None:
        """Leave the group, and be as if never joined."""

    def leave(self, reason: str, *, tell: bool) -> None:
        """Give up every partition and leave the group.

        Args:
            tell: call the listener; kafka-python does when a consumer is closed, not when it unsubscribes.

        Raises:
            KafkaError: the listener raised; the group is left all the same.
        """
        try:
            if tell and self._subscription.is_group_managed:
                self._give_up_all("on_partitions_lost" if self._is_lost else "on_partitions_revoked")
        finally:
            self._is_lost = False
            self._forget(reason)

    def _give_up_all(self, method: str) -> None:
        held = set(self._subscription.assignment)
        if held:
            give_up(self._subscription, held, held, method)

    def _retry_later(self) -> None:
        self._retry_at_ms = self._link.clock.monotonic_ms() + self._retry_backoff_ms

    def _pause_for_retry(self, deadline_ms: float) -> None:
        """Wait until it may be tried again, or ``deadline_ms``."""
        left_ms = self._retry_at_ms - self._link.clock.monotonic_ms()
        if left_ms > 0:
            self._link.pause(left_ms, deadline_ms)

    def _may_retry(self) -> bool:
        return self._link.clock.monotonic_ms() >= self._retry_at_ms


def replaced(group_instance_id: str | None) -> FencedInstanceIdError:
    """The error of a static member that a younger one has taken the place of."""
    return FencedInstanceIdError(f"another consumer with group_instance_id {group_instance_id!r} took this one's place")
