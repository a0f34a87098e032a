"""A consumer's part in a group of the consumer protocol (KIP-848): it does what the coordinator tells it.

A heartbeat says what this member reads and owns; the reply says what it may own.  What it may own no more it gives up
(commit, listener), what is new it takes (listener), and the next heartbeat says so; partitions that stay are not
touched and are read on all the while.  There is nothing to wait for: whatever others have still to give up comes with a
later heartbeat, sent when the engine says that there is something to hear (``watch_group``), when topics changed, or
when the subscription did.

``UNJOINED`` --epoch 0--> ``JOINED`` --fenced--> ``UNJOINED``, where everything held is lost first.

Source: org.apache.kafka.clients.consumer.internals.{AbstractMembershipManager, ConsumerMembershipManager}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedkafka.client.consumer.group import CANNOT_JOIN, RETRY_LATER, Group, replaced
from embedkafka.client.consumer.listening import give_up, tell
from embedkafka.client.consumer.subscription import Subscription
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.consumer_membership import EmbeddedConsumerMembership, Wish
from embedkafka.errors import (
    BrokerResponseError,
    FencedInstanceIdError,
    FencedMemberEpochError,
    GroupIdNotFoundError,
    KafkaError,
    StaleMemberEpochError,
    UnknownMemberIdError,
    for_code,
)
from embedkafka.model import MemberState, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink

_FENCED = (FencedMemberEpochError, UnknownMemberIdError, GroupIdNotFoundError)


class Reconciler(Group):
    """Keeps one consumer in its group.

    Args:
        retry_backoff_ms: how long to wait before a heartbeat that a coordinator could not take yet is tried again.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        membership: EmbeddedConsumerMembership,
        subscription: Subscription,
        waker: Waker,
        metrics: ConsumerMetrics,
        *,
        retry_backoff_ms: float,
    ) -> None:
        super().__init__(link, subscription, waker, metrics, retry_backoff_ms=retry_backoff_ms)
        self._membership = membership
        self._told: set[TopicPartition] = set()
        self._wish: Wish | None = None
        self._is_unsure = False  # what the last reply said may not have been taken in: an interrupt, an error
        self._seen_version = -1

    @property
    def state(self) -> str:
        if not self._membership.is_member:
            return MemberState.UNJOINED
        is_reconciled = self._told == self._subscription.assignment.keys()
        return MemberState.STABLE if is_reconciled else MemberState.REBALANCING

    def _take_part(self, deadline_ms: float) -> bool:
        while True:
            if self._fatal is not None:
                raise self._fatal
            self._lose_all()
            if self._membership.is_member and not self._has_news():
                self.commits.auto_commit_if_due()
                return True
            if not self._membership.is_member:
                self._pause_for_retry(deadline_ms)
            if not self._may_retry():
                # Between two tries a member goes on reading what it holds.
                return self._membership.is_member
            self._converse()

    def _has_news(self) -> bool:
        """Whether a heartbeat has something to say or to hear."""
        if self._is_unsure or self._waker.group_changed or self._seen_version != self._link.metadata_version:
            return True
        return self._wish != self._wanted()

    def _wanted(self) -> Wish:
        subscription = self._subscription
        return Wish(frozenset(subscription.topics), subscription.broker_pattern)

    # Heartbeats ------------------------------------------------------------------------------------------------------

    def _converse(self) -> None:
        """A heartbeat, and one more as long as its reply changes what this member owns.

        After one that ended halfway everything is said, and so told, again.
        """
        is_full, self._is_unsure = self._is_unsure, True
        while self._heartbeat(is_full=is_full):
            if not self._reconcile():
                self._is_unsure = False
                return
            is_full = False

    def _heartbeat(self, *, is_full: bool) -> bool:
        """Send one; False where it was refused."""
        wanted = self._wanted()
        joins = not self._membership.is_member
        if joins:
            self._link.check_writable(CANNOT_JOIN)
        is_full = is_full or joins or wanted != self._wish
        self._waker.group_changed = False
        version = self._link.metadata_version
        reply = self._membership.heartbeat(wanted if is_full else None, set(self._subscription.assignment))
        self._metrics.heartbeats.add()
        if reply.error_code:
            self._receive_error(for_code(reply.error_code), reply.error_message)
            return False
        self._wish = wanted
        self._seen_version = version
        if joins:
            self._metrics.joins.add()
        if is_full:
            self._membership.watch(self._waker.group_has_changed)
        told = self._membership.assignment(reply)
        if told is not None:
            self._told = told
        return True

    def _receive_error(self, error: type[BrokerResponseError], message: str | None) -> None:
        """A heartbeat was refused: try again in the way the error asks for, or give up."""
        if issubclass(error, RETRY_LATER):
            self._retry_later()
        elif self._membership.is_member and issubclass(error, _FENCED):
            self._be_out()
        elif error is FencedInstanceIdError:
            self._be_replaced()
        else:
            raise error(message or f"group {self._membership.group_id!r}")

    def _be_out(self) -> None:
        """This member is out of the group: what it held is no longer its own."""
        self._membership.forget()
        self._wish = None
        self._told = set()
        self._is_lost = True

    def _be_replaced(self) -> None:
        self._be_out()
        self._fatal = replaced(self._membership.group_instance_id)

    def commit_refused(self, error: type[BrokerResponseError]) -> None:
        """Draw the consequences of an error that a commit met."""
        if not self._subscription.is_group_managed:
            return
        if error is FencedInstanceIdError:
            self._be_replaced()
        elif error in _FENCED:
            self._be_out()
        elif error is StaleMemberEpochError:
            self._waker.group_changed = True

    # What comes and goes ---------------------------------------------------------------------------------------------

    def _reconcile(self) -> bool:
        """Own what this member may own; True if that changed something."""
        held = set(self._subscription.assignment)
        gone, added = held - self._told, self._told - held
        if not gone and not added:
            return False
        self._metrics.rebalances.add()
        failure: KafkaError | None = None
        if gone:
            self.commits.auto_commit_now()
            try:
                give_up(self._subscription, held, gone, "on_partitions_revoked")
            except KafkaError as error:
                failure = error
        if added:
            self._subscription.replace_assignment(sorted((held - gone) | added))
            try:
                tell(self._subscription, "on_partitions_assigned", added)
            except KafkaError as error:
                failure = error
        if failure is not None:
            raise failure
        return True

    def _lose_all(self) -> None:
        if not self._is_lost:
            return
        try:
            self._give_up_all("on_partitions_lost")
        finally:
            self._is_lost = False

    def _forget(self, reason: str) -> None:
        self._membership.leave(reason)
        self._wish = None
        self._told = set()
