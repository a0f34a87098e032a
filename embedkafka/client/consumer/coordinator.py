"""A consumer's part in its group: joins, assigns when it leads, tells the listener, leaves.

The dance of the classic protocol, as steps that ``poll`` drives; a step whose reply is not there yet is taken up by the
next ``poll``, so that two members polled in turn by one thread get along:

``UNJOINED`` --join--> ``JOINING`` --everyone joined--> ``SYNCING`` --leader's assignment--> ``STABLE`` --disturbed-->
``UNJOINED``

Before a join offsets are committed and partitions given up: with an eager assignor all of them, with a cooperative one
only those of topics no longer subscribed to; what moves is given up after the sync, and a second join hands it to its
new owner (KIP-429).  The engine tells a member when its group changes (``watch_group``): there is no heartbeat thread.

Source: org.apache.kafka.clients.consumer.internals.{AbstractCoordinator, ConsumerCoordinator}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from embedkafka.broker.api import JoinGroupReply, SyncGroupReply
from embedkafka.client.assignors import RebalanceProtocol
from embedkafka.client.consumer.assigning import Assigning, subscribed_topics
from embedkafka.client.consumer.group import CANNOT_JOIN, RETRY_LATER, Group, replaced
from embedkafka.client.consumer.listening import give_up, tell
from embedkafka.client.consumer.subscription import Subscription, SubscriptionKind
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.membership import EmbeddedMembership
from embedkafka.errors import (
    BrokerResponseError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    MemberIdRequiredError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from embedkafka.model import MemberState, TopicPartition
from embedkafka.protocol.consumer.assignment import decode_assignment

if TYPE_CHECKING:
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink


class _Step(Enum):
    UNJOINED = "unjoined"
    JOINING = "joining"
    SYNCING = "syncing"
    STABLE = "stable"


class _Pending:
    """A join or sync under way; a reply to one that was given up stays in an object nobody looks at."""

    __slots__ = ("_notify", "reply")

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self.reply: JoinGroupReply | SyncGroupReply | None = None

    def complete(self, reply: JoinGroupReply | SyncGroupReply) -> None:
        self.reply = reply
        self._notify()


class GroupCoordinator(Group):
    """Keeps one consumer in its group.

    Args:
        commits: what commits before partitions are given up; it reports refused commits to :meth:`commit_refused`.
        retry_backoff_ms: how long to wait before a join that a coordinator could not take yet is tried again.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        membership: EmbeddedMembership,
        subscription: Subscription,
        waker: Waker,
        assigning: Assigning,
        metrics: ConsumerMetrics,
        *,
        retry_backoff_ms: float,
    ) -> None:
        super().__init__(link, subscription, waker, metrics, retry_backoff_ms=retry_backoff_ms)
        self._membership = membership
        self._assigning = assigning
        self._step = _Step.UNJOINED
        self._prepared = False
        self._pending = _Pending(waker.notify)
        self._joined_topics: frozenset[str] = frozenset()
        self._led_counts: Mapping[str, int] | None = None

    # Being a member --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        if self._step is _Step.STABLE:
            return MemberState.STABLE
        return MemberState.UNJOINED if self._step is _Step.UNJOINED else MemberState.REBALANCING

    @property
    def keeps_reading(self) -> bool:
        """Whether the partitions held may be read while others are waited for: a cooperative rebalance (KIP-429)."""
        return (
            self._step in (_Step.JOINING, _Step.SYNCING)
            and self._assigning.protocol is RebalanceProtocol.COOPERATIVE
            and bool(self._subscription.assignment)
        )

    def has_reply(self) -> bool:
        """Whether the next :meth:`poll` can take a step that the last one could not."""
        return self._pending.reply is not None and self._step in (_Step.JOINING, _Step.SYNCING)

    def _take_part(self, deadline_ms: float) -> bool:
        while True:
            if self._fatal is not None:
                raise self._fatal
            if self._step is _Step.STABLE:
                if self._waker.group_changed:
                    self._look_at_group()
                if self._step is _Step.STABLE and not self._has_new_subscription():
                    self.commits.auto_commit_if_due()
                    return True
                self._step = _Step.UNJOINED
            if not self._advance(deadline_ms):
                return False

    def _advance(self, deadline_ms: float) -> bool:
        """One step of the dance; False when its reply does not come before the deadline."""
        if self._step is _Step.UNJOINED:
            self._pause_for_retry(deadline_ms)
            if not self._may_retry():
                return False
            self._prepare()
            self._send_join()
            return True
        pending = self._pending
        if pending.reply is None:
            left_ms = deadline_ms - self._link.clock.monotonic_ms()
            if left_ms > 0:
                self._await(pending, left_ms)
            if pending.reply is None:
                return False
        if isinstance(pending.reply, JoinGroupReply):
            self._receive_join(pending.reply)
        elif isinstance(pending.reply, SyncGroupReply):
            self._receive_sync(pending.reply)
        return True

    def _await(self, pending: _Pending, left_ms: float) -> None:
        timeout_ms = None if left_ms == float("inf") else left_ms
        waker = self._waker
        waker.group_changed = waker.metadata_changed = False
        waker.wait(lambda: pending.reply is not None, timeout_ms)

    def _look_at_group(self) -> None:
        """The group is said to have changed; a heartbeat tells how."""
        self._waker.group_changed = False
        error = for_code(self._membership.heartbeat())
        self._metrics.heartbeats.add()
        if error is RebalanceInProgressError:
            self._step = _Step.UNJOINED
        elif error in (UnknownMemberIdError, IllegalGenerationError):
            self._lose(keep_member_id=error is IllegalGenerationError)
        elif error is FencedInstanceIdError:
            self._be_fenced()

    def _lose(self, *, keep_member_id: bool) -> None:
        """This member is out of the group, or a generation behind: what it held is no longer its own."""
        self._membership.forget(keep_member_id=keep_member_id)
        self._is_lost = True
        self._prepared = False
        self._step = _Step.UNJOINED

    def _be_fenced(self) -> None:
        self._lose(keep_member_id=False)
        self._fatal = replaced(self._membership.group_instance_id)
        raise self._fatal

    def _has_new_subscription(self) -> bool:
        if self._joined_topics != self._subscription.topics:
            return True
        return self._led_counts is not None and self._link.partitions(self._led_counts) != self._known(self._led_counts)

    @staticmethod
    def _known(counts: Mapping[str, int]) -> dict[str, int]:
        return {topic: count for topic, count in counts.items() if count}

    def commit_refused(self, error: type[BrokerResponseError]) -> None:
        """Draw the consequences of an error that a commit met: join again, or be no member any more."""
        if error is RebalanceInProgressError:
            if self._step is _Step.STABLE:
                self._step = _Step.UNJOINED
        elif error in (UnknownMemberIdError, IllegalGenerationError):
            if self._subscription.is_group_managed:
                self._lose(keep_member_id=error is IllegalGenerationError)
        elif error is FencedInstanceIdError:
            self._be_fenced()

    # Before the join -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Once per rebalance: commit, and tell the listener what is given up."""
        if self._prepared:
            return
        self._prepared = True
        if self._is_lost:
            self._is_lost = False
            self._give_up_all("on_partitions_lost")
            return
        held = set(self._subscription.assignment)
        if held:
            self.commits.auto_commit_now()
        if self._assigning.protocol is RebalanceProtocol.EAGER:
            tell(self._subscription, "on_partitions_revoked", held)
        else:
            foreign = {partition for partition in held if partition.topic not in self._subscription.topics}
            if foreign:
                give_up(self._subscription, held, foreign, "on_partitions_revoked")

    def _send_join(self) -> None:
        self._link.check_writable(CANNOT_JOIN)
        topics = self._subscription.topics
        self._joined_topics = frozenset(topics)
        self._led_counts = None
        self._waker.group_changed = False
        self._membership.unwatch()
        self._pending = pending = _Pending(self._waker.notify)
        self._step = _Step.JOINING
        self._metrics.joins.add()
        self._membership.join(self._assigning.subscriptions(topics), pending.complete)

    # After the join --------------------------------------------------------------------------------------------------

    def _receive_join(self, reply: JoinGroupReply) -> None:
        if reply.error_code:
            self._receive_error(for_code(reply.error_code), reply.member_id)
            return
        self._membership.joined(reply)
        self._pending = pending = _Pending(self._waker.notify)
        assignments: Mapping[str, bytes] = {}
        if reply.leader == reply.member_id and reply.members:
            assignments = self._lead(reply)
        self._step = _Step.SYNCING
        self._membership.sync(assignments, pending.complete)

    def _lead(self, reply: JoinGroupReply) -> dict[str, bytes]:
        """Decide everyone's partitions; from now on watch all topics of the group for new partitions."""
        topics = subscribed_topics(reply.members)
        counts = self._link.partitions(topics)
        self._led_counts = {topic: counts.get(topic, 0) for topic in topics}
        if reply.skip_assignment:
            return {}
        return self._assigning.assign(reply.protocol_name, reply.members, counts)

    def _receive_sync(self, reply: SyncGroupReply) -> None:
        if reply.error_code:
            self._receive_error(for_code(reply.error_code), "")
            return
        self._metrics.rebalances.add()
        self._prepared = False
        self._step = _Step.STABLE
        self._membership.watch(self._waker.group_has_changed)
        assignment = decode_assignment(reply.assignment)
        assigned = set(assignment.partitions())
        if any(not self._wants(partition.topic) for partition in assigned):
            self._step = _Step.UNJOINED  # the subscription changed meanwhile
            return
        assignor = self._assigning.by_name(self._membership.protocol_name)
        assignor.on_assignment(assignment, self._membership.generation_id)
        self.commits.restart_interval()
        if self._assigning.protocol is RebalanceProtocol.COOPERATIVE:
            self._take_over(assigned)
        else:
            self._subscription.replace_assignment(())
            self._subscription.replace_assignment(sorted(assigned))
            tell(self._subscription, "on_partitions_assigned", assigned)

    def _wants(self, topic: str) -> bool:
        subscription = self._subscription
        if subscription.kind is SubscriptionKind.PATTERN and subscription.pattern is not None:
            return subscription.pattern.match(topic) is not None
        return topic in subscription.topics

    def _take_over(self, assigned: set[TopicPartition]) -> None:
        """Cooperatively: give up what moved away, keep what stays, take what came."""
        held = set(self._subscription.assignment)
        revoked, added = held - assigned, assigned - held
        failure: KafkaError | None = None
        if revoked:
            self.commits.auto_commit_now()
            try:
                give_up(self._subscription, held, revoked, "on_partitions_revoked")
            except KafkaError as error:
                failure = error
            self._step = _Step.UNJOINED  # so that the new owners get what this member gave up
        self._subscription.replace_assignment(sorted(assigned))
        if added or not revoked:
            try:
                tell(self._subscription, "on_partitions_assigned", added)
            except KafkaError as error:
                failure = error
        if failure is not None:
            raise failure

    def _receive_error(self, error: type[BrokerResponseError], member_id: str) -> None:
        """A join or sync was refused: try again in the way the error asks for, or give up."""
        self._step = _Step.UNJOINED
        if error is MemberIdRequiredError:
            self._membership.member_id = member_id
        elif error is UnknownMemberIdError:
            self._membership.forget(keep_member_id=False)
        elif error is IllegalGenerationError:
            self._membership.forget(keep_member_id=True)
        elif error is RebalanceInProgressError:
            pass
        elif error is FencedInstanceIdError:
            self._be_fenced()
        elif issubclass(error, RETRY_LATER):
            self._retry_later()
        else:
            raise error(f"group {self._membership.group_id!r}")

    def _forget(self, reason: str) -> None:
        self._pending = _Pending(self._waker.notify)
        self._led_counts = None
        self._joined_topics = frozenset()
        self._prepared = False
        self._step = _Step.UNJOINED
        self._membership.leave(reason)
