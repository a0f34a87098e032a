"""A consumer's part in its group: joins, assigns when it leads, tells the listener, commits.

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

import inspect
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from embedkafka.broker.api import JoinedMember, JoinGroupReply, SyncGroupReply
from embedkafka.client.assignors import AbstractPartitionAssignor, RebalanceProtocol
from embedkafka.client.consumer.subscription import PartitionState, Subscription, SubscriptionKind
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.membership import EmbeddedMembership
from embedkafka.errors import (
    BrokerResponseError,
    CommitFailedError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    KafkaTimeoutError,
    MemberIdRequiredError,
    NotCoordinatorError,
    RebalanceInProgressError,
    RetriableError,
    UnknownMemberIdError,
    for_code,
)
from embedkafka.model import MemberState, OffsetAndMetadata, TopicPartition
from embedkafka.protocol.consumer.assignment import decode_assignment, encode_assignment
from embedkafka.protocol.consumer.subscription import (
    ConsumerProtocolSubscription,
    decode_subscription,
    encode_subscription,
)

if TYPE_CHECKING:
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink

_log = logging.getLogger(__name__)

CommitCallback = Callable[[Mapping[TopicPartition, OffsetAndMetadata], Any], Any]

_RETRY_LATER = (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)


class _Step(Enum):
    UNJOINED = "unjoined"
    JOINING = "joining"
    SYNCING = "syncing"
    STABLE = "stable"


class _Member(NamedTuple):
    """A member as an assignor sees it."""

    member_id: str
    group_instance_id: str | None
    metadata: ConsumerProtocolSubscription


class _Pending:
    """A join or sync under way; a reply to one that was given up stays in an object nobody looks at."""

    __slots__ = ("_notify", "reply")

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self.reply: JoinGroupReply | SyncGroupReply | None = None

    def complete(self, reply: JoinGroupReply | SyncGroupReply) -> None:
        self.reply = reply
        self._notify()


class _Topics:
    """The cluster as an assignor sees it."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self._counts.get(topic)
        return None if count is None else set(range(count))


class GroupSettings(NamedTuple):
    assignors: Sequence[AbstractPartitionAssignor]
    auto_commit_interval_ms: float | None  # None: no auto commit
    retry_backoff_ms: float
    request_timeout_ms: float
    default_commit_callback: CommitCallback | None


class GroupCoordinator:
    """Keeps one consumer in its group and commits its offsets."""

    def __init__(
        self,
        link: EmbeddedLink,
        membership: EmbeddedMembership,
        subscription: Subscription,
        waker: Waker,
        settings: GroupSettings,
        metrics: ConsumerMetrics,
    ) -> None:
        self._link = link
        self._membership = membership
        self._subscription = subscription
        self._waker = waker
        self._settings = settings
        self._metrics = metrics
        self._assignors = {assignor.name: assignor for assignor in settings.assignors}
        self._protocol = rebalance_protocol(settings.assignors)
        self._step = _Step.UNJOINED
        self._prepared = False
        self._lost = False
        self._fatal: BrokerResponseError | None = None
        self._pending = _Pending(waker.notify)
        self._retry_at_ms = 0.0
        self._joined_topics: frozenset[str] = frozenset()
        self._led_counts: Mapping[str, int] | None = None
        self._next_auto_commit_ms = self._auto_commit_from_now()
        self._completed: deque[tuple[CommitCallback, Mapping[TopicPartition, OffsetAndMetadata], Any]] = deque()

    # Being a member --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        if self._step is _Step.STABLE:
            return MemberState.STABLE
        return MemberState.UNJOINED if self._step is _Step.UNJOINED else MemberState.REBALANCING

    @property
    def is_stable(self) -> bool:
        return self._step is _Step.STABLE and not self._waker.group_changed

    def poll(self, deadline_ms: float) -> bool:
        """Take every step that can be taken until ``deadline_ms``; True once this member has an assignment.

        Raises:
            FencedInstanceIdError: another consumer with the same ``group_instance_id`` took this one's place.
            BrokerResponseError: the group does not take this member (protocols, session timeout, size).
            KafkaError: the rebalance listener raised.
        """
        self.run_completed_commits()
        if not self._subscription.is_group_managed:
            self.auto_commit_if_due()
            return True
        while True:
            if self._fatal is not None:
                raise self._fatal
            if self._step is _Step.STABLE:
                if self._waker.group_changed:
                    self._look_at_group()
                if self._step is _Step.STABLE and not self._has_new_subscription():
                    self.auto_commit_if_due()
                    return True
                self._step = _Step.UNJOINED
            if not self._advance(deadline_ms):
                return False

    def _advance(self, deadline_ms: float) -> bool:
        """One step of the dance; False when its reply does not come before the deadline."""
        if self._step is _Step.UNJOINED:
            if not self._may_retry(deadline_ms):
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

    def _may_retry(self, deadline_ms: float) -> bool:
        now_ms = self._link.clock.monotonic_ms()
        if now_ms >= self._retry_at_ms:
            return True
        self._link.pause(self._retry_at_ms - now_ms, deadline_ms)
        return self._link.clock.monotonic_ms() >= self._retry_at_ms

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
        self._lost = True
        self._prepared = False
        self._step = _Step.UNJOINED

    def _be_fenced(self) -> None:
        self._lose(keep_member_id=False)
        self._fatal = FencedInstanceIdError(
            f"another consumer with group_instance_id {self._membership.group_instance_id!r} took this one's place"
        )
        raise self._fatal

    def _has_new_subscription(self) -> bool:
        if self._joined_topics != self._subscription.topics:
            return True
        return self._led_counts is not None and self._link.partitions(self._led_counts) != self._known(self._led_counts)

    @staticmethod
    def _known(counts: Mapping[str, int]) -> dict[str, int]:
        return {topic: count for topic, count in counts.items() if count}

    def request_rejoin(self) -> None:
        """Join again at the next poll."""
        if self._step is _Step.STABLE:
            self._step = _Step.UNJOINED

    # Before the join -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Once per rebalance: commit, and tell the listener what is given up."""
        if self._prepared:
            return
        self._prepared = True
        held = set(self._subscription.assignment)
        if self._lost:
            self._lost = False
            if held:
                self._give_up(held, held, "on_partitions_lost")
            return
        if held:
            self.auto_commit_now()
        if self._protocol is RebalanceProtocol.EAGER:
            for state in self._subscription.assignment.values():
                state.revoking = True
            self._tell("on_partitions_revoked", held)
        else:
            foreign = {partition for partition in held if partition.topic not in self._subscription.topics}
            if foreign:
                self._give_up(held, foreign, "on_partitions_revoked")

    def _give_up(self, held: set[TopicPartition], given_up: set[TopicPartition], told: str) -> None:
        for partition in given_up:
            self._subscription.assignment[partition].revoking = True
        try:
            self._tell(told, given_up)
        finally:
            self._subscription.replace_assignment(sorted(held - given_up))

    def _tell(self, method: str, partitions: Collection[TopicPartition]) -> None:
        """Call the listener; what it raises comes out of ``poll`` once the step is finished."""
        listener = self._subscription.listener
        if listener is None:
            return
        try:
            result = getattr(listener, method)(set(partitions))
            if inspect.iscoroutine(result):
                import asyncio  # slow to load, and few listeners are coroutines

                asyncio.run(result)
        except Exception as error:
            _log.exception("the rebalance listener's %s failed", method)
            raise KafkaError(f"the rebalance listener's {method} raised {error!r}") from error

    def _send_join(self) -> None:
        topics = self._subscription.topics
        self._joined_topics = frozenset(topics)
        self._led_counts = None
        self._waker.group_changed = False
        self._membership.unwatch()
        protocols = [
            (name, encode_subscription(_as_subscription(assignor.metadata(set(topics)))))
            for name, assignor in self._assignors.items()
        ]
        self._pending = pending = _Pending(self._waker.notify)
        self._step = _Step.JOINING
        self._metrics.joins.add()
        self._membership.join(protocols, pending.complete)

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
        members = [_member(joined) for joined in reply.members]
        topics = {topic for member in members for topic in member.metadata.topics}
        counts = self._link.partitions(topics)
        self._led_counts = {topic: counts.get(topic, 0) for topic in topics}
        if reply.skip_assignment:
            return {}
        assignments = self._assignor(reply.protocol_name).assign(_Topics(counts), members)
        return {
            member_id: assignment if isinstance(assignment, bytes) else encode_assignment(assignment)
            for member_id, assignment in assignments.items()
        }

    def _assignor(self, name: str | None) -> AbstractPartitionAssignor:
        assignor = self._assignors.get(name or "")
        if assignor is None:
            raise KafkaError(f"the group chose assignor {name!r}, which this consumer did not offer")
        return assignor

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
        self._assignor(self._membership.protocol_name).on_assignment(assignment, self._membership.generation_id)
        self._next_auto_commit_ms = self._auto_commit_from_now()
        if self._protocol is RebalanceProtocol.COOPERATIVE:
            self._take_over(assigned)
        else:
            self._subscription.replace_assignment(())
            self._subscription.replace_assignment(sorted(assigned))
            self._tell("on_partitions_assigned", assigned)

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
            self.auto_commit_now()
            try:
                self._give_up(held, revoked, "on_partitions_revoked")
            except KafkaError as error:
                failure = error
            self._step = _Step.UNJOINED  # so that the new owners get what this member gave up
        self._subscription.replace_assignment(sorted(assigned))
        if added or not revoked:
            try:
                self._tell("on_partitions_assigned", added)
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
        elif issubclass(error, _RETRY_LATER):
            self._retry_at_ms = self._link.clock.monotonic_ms() + self._settings.retry_backoff_ms
        else:
            raise error(f"group {self._membership.group_id!r}")

    # Leaving ---------------------------------------------------------------------------------------------------------

    def leave(self, reason: str, *, tell: bool) -> None:
        """Give up every partition and leave the group.

        Args:
            tell: call the listener; kafka-python does when a consumer is closed, not when it unsubscribes.

        Raises:
            KafkaError: the listener raised; the group is left all the same.
        """
        try:
            held = set(self._subscription.assignment)
            if tell and self._subscription.is_group_managed and held:
                self._give_up(held, held, "on_partitions_lost" if self._lost else "on_partitions_revoked")
        finally:
            self._pending = _Pending(self._waker.notify)
            self._led_counts = None
            self._joined_topics = frozenset()
            self._lost = self._prepared = False
            self._step = _Step.UNJOINED
            self._membership.leave(reason)

    # Offsets ---------------------------------------------------------------------------------------------------------

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], timeout_ms: float | None = None) -> None:
        """Commit, trying again what can be retried.

        Raises:
            CommitFailedError: the group has moved on; what these offsets stand for may be read by another member now.
            KafkaTimeoutError: still refused after ``timeout_ms``.
        """
        self.run_completed_commits()
        if not offsets:
            return
        limit_ms = self._settings.request_timeout_ms if timeout_ms is None else timeout_ms
        deadline_ms = self._link.clock.monotonic_ms() + limit_ms
        while True:
            try:
                self.commit_once(offsets)
                return
            except RetriableError as error:
                if not self._link.pause(self._settings.retry_backoff_ms, deadline_ms):
                    raise KafkaTimeoutError(f"offsets not committed within {limit_ms} ms: {error}") from error

    def commit_once(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        began_ms = self._link.clock.monotonic_ms()
        error_codes = self._membership.commit(offsets)
        self._metrics.committed(self._link.clock.monotonic_ms() - began_ms)
        for partition, error_code in error_codes.items():
            if error_code:
                self._receive_commit_error(partition, for_code(error_code))

    def _receive_commit_error(self, partition: TopicPartition, error: type[BrokerResponseError]) -> None:
        if error is RebalanceInProgressError:
            self.request_rejoin()
            raise CommitFailedError(error(self._membership.group_id))
        if error in (UnknownMemberIdError, IllegalGenerationError):
            if self._subscription.is_group_managed:
                self._lose(keep_member_id=error is IllegalGenerationError)
            raise CommitFailedError(error(self._membership.group_id))
        if error is FencedInstanceIdError:
            self._be_fenced()
        raise error(f"offset of {partition.topic}-{partition.partition} in group {self._membership.group_id!r}")

    def commit_soon(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], callback: CommitCallback | None
    ) -> BaseException | None:
        """Commit now and queue the callback for the next poll, commit or close; gives back the error, if any."""
        self.run_completed_commits()
        outcome: BaseException | None = None
        try:
            if offsets:
                self.commit_once(offsets)
        except KafkaError as error:
            outcome = error
        call = callback or self._settings.default_commit_callback
        if call is not None:
            self._completed.append((call, offsets, outcome))
        return outcome

    def run_completed_commits(self) -> None:
        while self._completed:
            callback, offsets, outcome = self._completed.popleft()
            callback(offsets, outcome)

    def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """The group's offsets, without the partitions that have none.

        Raises:
            BrokerResponseError: the coordinator refused.
        """
        found: dict[TopicPartition, OffsetAndMetadata] = {}
        for partition, committed in self._membership.committed(partitions).items():
            if committed.error_code:
                raise for_code(committed.error_code)(f"{partition.topic}-{partition.partition}")
            if committed.offset >= 0:
                found[partition] = OffsetAndMetadata(committed.offset, committed.metadata, committed.leader_epoch)
        return found

    def restore_positions(self, states: Sequence[PartitionState]) -> None:
        """Give partitions without a position the committed one, where there is one."""
        committed = self.committed([state.topic_partition for state in states])
        for state in states:
            offset = committed.get(state.topic_partition)
            if offset is not None and offset.offset is not None:
                state.seek(offset.offset, -1 if offset.leader_epoch is None else offset.leader_epoch)

    # Auto commit -----------------------------------------------------------------------------------------------------

    def _auto_commit_from_now(self) -> float:
        interval_ms = self._settings.auto_commit_interval_ms
        return float("inf") if interval_ms is None else self._link.clock.monotonic_ms() + interval_ms

    @property
    def next_attempt_ms(self) -> float:
        """When there is something to do without an outside cause, on the monotonic clock: a commit, another try."""
        return self._next_auto_commit_ms

    def auto_commit_if_due(self) -> None:
        if self._link.clock.monotonic_ms() >= self._next_auto_commit_ms:
            self._next_auto_commit_ms = self._auto_commit_from_now()
            error = self.commit_soon(self._subscription.consumed_offsets(), None)
            if isinstance(error, RetriableError):
                self._next_auto_commit_ms = self._link.clock.monotonic_ms() + self._settings.retry_backoff_ms
            elif error is not None:
                _log.warning("auto commit of group %s failed: %s", self._membership.group_id, error)

    def auto_commit_now(self, timeout_ms: float | None = None) -> None:
        """Commit before partitions are given up, if auto commit is on; a failure is logged, as in Kafka."""
        if self._settings.auto_commit_interval_ms is None:
            return
        try:
            self.commit(self._subscription.consumed_offsets(), timeout_ms)
        except KafkaError as error:
            _log.warning("auto commit of group %s failed, records may come twice: %s", self._membership.group_id, error)


def _as_subscription(metadata: Any) -> ConsumerProtocolSubscription:
    """An assignor's metadata, also in kafka-python's own class, which has the same fields."""
    if isinstance(metadata, ConsumerProtocolSubscription):
        return metadata
    return ConsumerProtocolSubscription(metadata.version, list(metadata.topics), metadata.user_data)


def _member(joined: JoinedMember) -> _Member:
    return _Member(joined.member_id, joined.group_instance_id, decode_subscription(joined.metadata))


def rebalance_protocol(assignors: Sequence[AbstractPartitionAssignor]) -> RebalanceProtocol:
    """The best way through a rebalance that every assignor can do (KIP-429).

    Raises:
        KafkaConfigurationError: there is none.
    """
    from embedkafka.errors import KafkaConfigurationError

    common = set(RebalanceProtocol)
    for assignor in assignors:
        common &= set(assignor.supported_protocols())
    if not common:
        names = ", ".join(assignor.name for assignor in assignors)
        raise KafkaConfigurationError(f"assignors {names} have no rebalance protocol in common")
    return max(common)
