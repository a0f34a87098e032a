"""``KafkaConsumer``: kafka-python 3's consumer on an engine in this process.

This file is the public face: it checks arguments, keeps other threads out, and hands on.  A read goes through
:mod:`~embedkafka.client.consumer.reader`.

Positions say what the program has got: they move with the records ``poll`` returns, and, in an iteration, with each
record.  What an interrupt kept from the program comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Literal, overload

from embedkafka.broker.api import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from embedkafka.client.consumer.assigning import Assigning
from embedkafka.client.consumer.commits import CommitCallback, Commits
from embedkafka.client.consumer.config import DEFAULT_CONFIG, assignors, consumer_settings, isolation_level
from embedkafka.client.consumer.coordinator import GroupCoordinator
from embedkafka.client.consumer.deserializers import checked, close_quietly
from embedkafka.client.consumer.fetcher import Fetcher, FetchSettings
from embedkafka.client.consumer.group import Group
from embedkafka.client.consumer.iteration import Iteration
from embedkafka.client.consumer.listener import Listener
from embedkafka.client.consumer.metrics import ConsumerMetrics
from embedkafka.client.consumer.offsets import ResetPolicy
from embedkafka.client.consumer.positions import Positions
from embedkafka.client.consumer.reader import Reader
from embedkafka.client.consumer.reconciler import Reconciler
from embedkafka.client.consumer.subscription import Subscription, SubscriptionKind, check_partition
from embedkafka.client.consumer.topics import SubscribedTopics
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.consumer_membership import EmbeddedConsumerMembership
from embedkafka.client.future import Future
from embedkafka.client.link import connect
from embedkafka.client.member import MemberLiveness
from embedkafka.client.membership import EmbeddedMembership
from embedkafka.client.one_thread import by_one_thread
from embedkafka.client.polling import Iterating, poll_limit
from embedkafka.errors import IllegalStateError, KafkaTimeoutError, RetriableError
from embedkafka.model import (
    ConsumerGroupMetadata,
    OffsetAndMetadata,
    OffsetAndTimestamp,
    SubscriptionPattern,
    TopicPartition,
)
from embedkafka.record import ConsumerRecord

_log = logging.getLogger(__name__)


class KafkaConsumer(Iterating):
    """Reads records from an engine in this process; alone, or sharing partitions with the other members of a group.

    Args:
        *topics: what to subscribe to; none to call :meth:`subscribe` or :meth:`assign` later.
        **configs: kafka-python's settings (``DEFAULT_CONFIG``), also under Java's dotted names.

    Not thread-safe: a second thread inside a consumer gets :class:`ConcurrentModificationError`; :meth:`wakeup` is the
    exception.

    Raises:
        KafkaConfigurationError: an unknown setting or a value that cannot be.
    """

    DEFAULT_CONFIG = DEFAULT_CONFIG

    def __init__(self, *topics: str, **configs: Any) -> None:
        self.config = settings = consumer_settings(configs)
        policy = ResetPolicy(settings["auto_offset_reset"])
        level = isolation_level(settings["isolation_level"])
        assigning = Assigning(assignors(settings["partition_assignment_strategy"]))
        self._interceptors = [cls() if isinstance(cls, type) else cls for cls in settings["interceptor_classes"]]
        self._link = connect(settings["bootstrap_servers"], client_id=str(settings["client_id"]))
        try:
            self._build(policy, level, assigning)
            if topics:
                self._subscription.subscribe(topics)
                self._topics.watch()
        except BaseException:
            self._link.close()
            raise

    def _build(self, policy: ResetPolicy, level: int, assigning: Assigning) -> None:
        settings, link = self.config, self._link
        self._is_manual = link.clock.is_manual
        self._closed = False
        self._iteration: Iteration | None = None
        self._metrics = ConsumerMetrics(str(settings["metric_group_prefix"]))
        self._subscription = Subscription()
        self._waker = Waker(link.clock)
        self._liveness = MemberLiveness(link.clock.monotonic_ms(), settings["max_poll_interval_ms"])
        self._membership: EmbeddedMembership | EmbeddedConsumerMembership | None = None
        self._group: Group | None = None
        if settings["group_id"] is not None:
            self._build_group(assigning)
        self._topics = SubscribedTopics(
            link,
            self._subscription,
            self._waker,
            allow_auto_create=bool(settings["allow_auto_create_topics"]),
            hide_internal=bool(settings["exclude_internal_topics"]),
            assign_all=self._group is None,
        )
        self._positions = Positions(
            link,
            self._subscription,
            None if self._group is None else self._group.commits,
            policy,
            isolation_level=level,
            retry_backoff_ms=settings["retry_backoff_ms"],
            allow_auto_create=bool(settings["allow_auto_create_topics"]),
        )
        self._fetcher = self._build_fetcher(level)
        self._reader = Reader(
            link.clock,
            self._subscription,
            self._topics,
            self._group,
            self._positions,
            self._fetcher,
            self._waker,
            self._liveness,
            retry_backoff_ms=settings["retry_backoff_ms"],
        )
        link.owned_by(self, _Abandoned(self._liveness, self._membership, self._topics, self._fetcher))

    def _build_group(self, assigning: Assigning) -> None:
        settings = self.config
        group: GroupCoordinator | Reconciler
        if settings["group_protocol"] == "consumer":
            self._membership, group = self._build_consumer_member()
        else:
            self._membership, group = self._build_classic_member(assigning)
        self._group = group
        group.commits = Commits(
            self._link,
            self._membership,
            self._subscription,
            self._metrics,
            auto_commit_interval_ms=settings["auto_commit_interval_ms"] if settings["enable_auto_commit"] else None,
            retry_backoff_ms=settings["retry_backoff_ms"],
            request_timeout_ms=settings["request_timeout_ms"],
            default_callback=settings["default_offset_commit_callback"],
            refused=group.commit_refused,
        )

    def _build_consumer_member(self) -> tuple[EmbeddedConsumerMembership, Reconciler]:
        settings = self.config
        membership = EmbeddedConsumerMembership(
            self._link,
            settings["group_id"],
            group_instance_id=settings["group_instance_id"],
            rebalance_timeout_ms=int(settings["max_poll_interval_ms"]),
            server_assignor=settings["group_remote_assignor"],
            rack_id=settings["client_rack"] or None,
            liveness=self._liveness,
        )
        return membership, Reconciler(
            self._link,
            membership,
            self._subscription,
            self._waker,
            self._metrics,
            retry_backoff_ms=settings["retry_backoff_ms"],
        )

    def _build_classic_member(self, assigning: Assigning) -> tuple[EmbeddedMembership, GroupCoordinator]:
        settings = self.config
        membership = EmbeddedMembership(
            self._link,
            settings["group_id"],
            group_instance_id=settings["group_instance_id"],
            session_timeout_ms=int(settings["session_timeout_ms"]),
            rebalance_timeout_ms=int(settings["max_poll_interval_ms"]),
            protocol_type="consumer",
            liveness=self._liveness,
        )
        return membership, GroupCoordinator(
            self._link,
            membership,
            self._subscription,
            self._waker,
            assigning,
            self._metrics,
            retry_backoff_ms=settings["retry_backoff_ms"],
        )

    def _build_fetcher(self, level: int) -> Fetcher:
        settings = self.config
        return Fetcher(
            self._link,
            self._subscription,
            FetchSettings(
                min_bytes=settings["fetch_min_bytes"],
                max_bytes=settings["fetch_max_bytes"],
                max_partition_bytes=settings["max_partition_fetch_bytes"],
                max_wait_ms=settings["fetch_max_wait_ms"],
                isolation_level=level,
                check_crcs=bool(settings["check_crcs"]),
                key_deserializer=checked(settings["key_deserializer"], "key_deserializer"),
                value_deserializer=checked(settings["value_deserializer"], "value_deserializer"),
            ),
            self._metrics,
            arrived=self._waker.notify,
        )

    # What to read ----------------------------------------------------------------------------------------------------

    @by_one_thread
    def subscribe(
        self,
        topics: Sequence[str] = (),
        pattern: str | SubscriptionPattern | None = None,
        listener: Listener | None = None,
    ) -> None:
        """Ask for topics, by name or by pattern; a new call replaces the last one.

        Args:
            topics: names; topics that do not exist yet are read once they do.
            pattern: a regular expression that a topic's name must match from its beginning; as a
                :class:`SubscriptionPattern`, one that the broker matches whole names with.
            listener: told at each rebalance.

        Raises:
            ValueError: neither topics nor pattern, or an illegal topic name.
            TypeError: ``topics`` is not a sequence of str, or ``listener`` is no rebalance listener.
            IllegalStateError: both, or partitions were assigned by hand; or a pattern for the broker without the
                consumer protocol.
        """
        if isinstance(pattern, SubscriptionPattern) and not isinstance(self._group, Reconciler):
            raise IllegalStateError("a SubscriptionPattern needs a group_id and group_protocol='consumer'")
        self._subscription.subscribe(topics, pattern, listener)
        self._topics.watch()

    @by_one_thread
    def subscription(self) -> set[str] | None:
        """The topics subscribed to; None without a subscription."""
        return set(self._subscription.topics) if self._subscription.is_group_managed else None

    @by_one_thread
    def unsubscribe(self) -> None:
        """Stop reading: leave the group, forget partitions and positions."""
        self._end_iteration()
        if self._group is not None and self._subscription.kind is not SubscriptionKind.NONE:
            self._group.commits.auto_commit_now()
            try:
                self._group.leave("the consumer unsubscribed", tell=False)
            finally:
                self._stop_reading()
        else:
            self._stop_reading()

    def _stop_reading(self) -> None:
        self._subscription.unsubscribe()
        self._topics.unwatch()

    @by_one_thread
    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read exactly these partitions, outside any group's rebalancing; none unsubscribes.

        Raises:
            TypeError: not TopicPartitions.
            IllegalStateError: the consumer has subscribed.
        """
        wanted = list(partitions)
        for partition in wanted:
            check_partition(partition)
        if not wanted:
            self.unsubscribe()
            return
        self._end_iteration()
        if self._group is not None and self._subscription.assignment:
            self._group.commits.auto_commit_now()
        self._subscription.assign(wanted)
        self._topics.watch()

    @by_one_thread
    def assignment(self) -> set[TopicPartition]:
        """The partitions this consumer reads now."""
        return set(self._subscription.assignment)

    @by_one_thread
    def pause(self, *partitions: TopicPartition) -> None:
        """Get no records from these partitions until :meth:`resume`; the group does not notice.

        Raises:
            TypeError: not TopicPartitions.
            IllegalStateError: one is not assigned.
        """
        states = [self._subscription.state(partition) for partition in partitions]
        for state in states:
            state.paused = True
            if self._iteration is not None and self._iteration.state is state:
                self._end_iteration()

    @by_one_thread
    def resume(self, *partitions: TopicPartition) -> None:
        """Get records from these partitions again."""
        states = [self._subscription.state(partition) for partition in partitions]
        for state in states:
            state.paused = False

    @by_one_thread
    def paused(self) -> set[TopicPartition]:
        """The assigned partitions that are paused."""
        return {partition for partition, state in self._subscription.assignment.items() if state.paused}

    # Reading ---------------------------------------------------------------------------------------------------------

    @by_one_thread
    def poll(
        self, timeout_ms: float = 0, max_records: int | None = None, update_offsets: bool = True
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """The next records, by partition.

        Args:
            timeout_ms: how long to wait while there is nothing, milliseconds, 0 or more; by the engine's clock.
            max_records: the most to return, 1 or more; None is ``max_poll_records``.
            update_offsets: False leaves the positions where they are, so the same records come again.

        Returns:
            Lists in offset order; ``{}`` when the time is up.

        Raises:
            ValueError, TypeError: such arguments.
            IllegalStateError: the consumer is closed.
            WakeupError: :meth:`wakeup` was called.
            NoOffsetForPartitionError: nothing committed, and ``auto_offset_reset='none'``.
            RecordDeserializationError: a deserializer failed; the position stays at that record, seek past it to go on.
        """
        limit = poll_limit(timeout_ms, max_records, self.config["max_poll_records"])
        self._end_iteration()
        fetcher = self._fetcher
        records = self._reader.read(partial(fetcher.collect, limit), timeout_ms)
        if records is None:
            return {}
        try:
            if self._interceptors:
                records = self._intercept(records)
        except BaseException:
            fetcher.give_back()
            raise
        if not update_offsets:
            fetcher.give_back()
        fetcher.handed_out()
        return records

    def _intercept(self, records: dict[TopicPartition, list[ConsumerRecord]]) -> dict[TopicPartition, list[Any]]:
        """Let interceptors see and change what is returned; one that fails is logged and passed over, as in Java."""
        for interceptor in self._interceptors:
            try:
                records = interceptor.on_consume(records)
            except Exception:
                _log.exception("interceptor %r failed in on_consume", interceptor)
        return records

    def wakeup(self) -> None:
        """End a ``poll`` that waits, or the next one, with :class:`WakeupError`.  May be called from any thread."""
        self._waker.wake()

    # Iterating -------------------------------------------------------------------------------------------------------

    def _chunks(self) -> Iterator[Iterator[ConsumerRecord]]:
        """One iterator over a list per look; a list that is emptied meanwhile (by a seek) ends its iterator."""
        while not self._closed:
            iteration = self._iteration
            if iteration is None or not iteration.left:
                iteration = self._next_chunk()
                if iteration is None:
                    return
            yield iteration.records

    @by_one_thread
    def _next_chunk(self) -> Iteration | None:
        self._end_iteration()
        fetcher = self._fetcher
        collect = partial(fetcher.collect_one, self.config["max_poll_records"])
        chunk = self._reader.read(collect, self.config["consumer_timeout_ms"])
        if chunk is None:
            return None
        state, position, records = chunk
        try:
            if self._interceptors:
                records = self._intercept({state.topic_partition: records}).get(state.topic_partition, [])
            self._iteration = Iteration(state, position, records)
        except BaseException:
            self._iteration = None
            fetcher.give_back()
            raise
        fetcher.handed_out()
        return self._iteration

    def _end_iteration(self) -> None:
        """Put the position where the program's iteration stands, and let records it did not get come again."""
        iteration = self._iteration
        if iteration is not None:
            self._iteration = None
            iteration.stop()

    # Positions -------------------------------------------------------------------------------------------------------

    @by_one_thread
    def seek(self, partition: TopicPartition, offset: int | OffsetAndMetadata) -> None:
        """Read on from ``offset`` (0 or more) in an assigned partition.

        Raises:
            TypeError: not a TopicPartition.
            ValueError: no such offset, or the partition is not assigned.
        """
        check_partition(partition)
        epoch = -1
        if isinstance(offset, OffsetAndMetadata):
            epoch = -1 if offset.leader_epoch is None else offset.leader_epoch
            offset = offset.offset  # type: ignore[assignment]  # None is refused below
        if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
            raise ValueError(f"an offset is an int from 0 on, not {offset!r}")
        state = self._subscription.assignment.get(partition)
        if state is None:
            raise ValueError(f"partition {partition.topic}-{partition.partition} is not assigned to this consumer")
        self._end_iteration()
        state.seek(offset, epoch)

    @by_one_thread
    def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        """Read on from the first record there is, in these or all assigned partitions; looked up when needed.

        Raises:
            TypeError: not TopicPartitions.
            ValueError: one is not assigned, or nothing is.
        """
        self._seek_by(EARLIEST_TIMESTAMP, partitions)

    @by_one_thread
    def seek_to_end(self, *partitions: TopicPartition) -> None:
        """Read on behind the last record there is, in these or all assigned partitions; looked up when needed.

        Raises:
            TypeError: not TopicPartitions.
            ValueError: one is not assigned, or nothing is.
        """
        self._seek_by(LATEST_TIMESTAMP, partitions)

    def _seek_by(self, timestamp: int, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            check_partition(partition)
        assignment = self._subscription.assignment
        chosen = partitions or list(assignment)
        if not chosen:
            raise ValueError("no partitions are assigned")
        for partition in chosen:
            if partition not in assignment:
                raise ValueError(f"partition {partition.topic}-{partition.partition} is not assigned to this consumer")
        self._end_iteration()
        for partition in chosen:
            self._subscription.ask_reset(assignment[partition], timestamp)

    @by_one_thread
    def position(self, partition: TopicPartition, timeout_ms: float | None = None) -> int | None:
        """The offset of the next record the program gets; None where it cannot be found out in time.

        Args:
            timeout_ms: milliseconds to find it out in; None is ``request_timeout_ms``.

        Raises:
            TypeError: not a TopicPartition.
            IllegalStateError: not assigned.
            NoOffsetForPartitionError: nothing committed, and ``auto_offset_reset='none'``.
        """
        state = self._subscription.state(partition)
        iteration = self._iteration
        if iteration is not None and iteration.state is state:
            return iteration.position
        if state.position is None:
            return self._positions.find(state, self._limit_ms(timeout_ms))
        return state.position

    def _limit_ms(self, timeout_ms: float | None) -> float:
        limit_ms: float = self.config["request_timeout_ms"] if timeout_ms is None else timeout_ms
        return limit_ms

    # Topics ----------------------------------------------------------------------------------------------------------

    @by_one_thread
    def topics(self) -> set[str]:
        """All topics, read afresh; without internal ones while ``exclude_internal_topics``."""
        return self._topics.visible()

    @by_one_thread
    def partitions_for_topic(self, topic: str) -> set[int]:
        """A topic's partition numbers; empty where there is no such topic."""
        return set(range(self._link.partitions([topic]).get(topic, 0)))

    # Offsets ---------------------------------------------------------------------------------------------------------

    @by_one_thread
    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: float | None = None
    ) -> dict[TopicPartition, int]:
        """The offset of the first record there is (or will be), by partition; they need not be assigned.

        Raises:
            UnknownTopicOrPartitionError: no such topic or partition.
            KafkaTimeoutError: not answered in time.
        """
        return self._edge_offsets(partitions, EARLIEST_TIMESTAMP, timeout_ms)

    @by_one_thread
    def end_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: float | None = None
    ) -> dict[TopicPartition, int]:
        """The offset the next record will get (for read_committed, of the last stable one), by partition.

        Raises:
            UnknownTopicOrPartitionError: no such topic or partition.
            KafkaTimeoutError: not answered in time.
        """
        return self._edge_offsets(partitions, LATEST_TIMESTAMP, timeout_ms)

    def _edge_offsets(
        self, partitions: Iterable[TopicPartition], timestamp: int, timeout_ms: float | None
    ) -> dict[TopicPartition, int]:
        wanted = list(partitions)
        for partition in wanted:
            check_partition(partition)
        found = self._positions.look_up(dict.fromkeys(wanted, timestamp), self._limit_ms(timeout_ms))
        return {partition: found[partition].offset for partition in wanted}

    @by_one_thread
    def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int], timeout_ms: float | None = None
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        """The first record at or after each time (milliseconds since the epoch); None where there is none.

        Raises:
            ValueError: a negative time.
            UnknownTopicOrPartitionError: no such topic or partition.
            KafkaTimeoutError: not answered in time.
        """
        for partition, timestamp in timestamps.items():
            check_partition(partition)
            if int(timestamp) < 0:
                raise ValueError(f"the time for {partition} is negative: {timestamp}")
        times = {partition: int(time) for partition, time in timestamps.items()}
        found = self._positions.look_up(times, self._limit_ms(timeout_ms))
        return {
            partition: None
            if answer.offset < 0
            else OffsetAndTimestamp(answer.offset, answer.timestamp, answer.leader_epoch)
            for partition, answer in ((partition, found[partition]) for partition in timestamps)
        }

    @by_one_thread
    def highwater(self, partition: TopicPartition) -> int | None:
        """The offset behind the last record that the last fetch knew of; None before the first.

        Raises:
            TypeError: not a TopicPartition.
            IllegalStateError: not assigned.
        """
        return self._subscription.state(partition).highwater

    @by_one_thread
    def lag(self, partition: TopicPartition) -> int | None:
        """How many offsets the position is behind the end of the partition now; None without a position.

        Raises:
            TypeError: not a TopicPartition.
            IllegalStateError: not assigned.
        """
        self._subscription.state(partition)
        position = self.position(partition)
        if position is None:
            return None
        end = self._edge_offsets([partition], LATEST_TIMESTAMP, None)[partition]
        return max(0, end - position)

    # Committing ------------------------------------------------------------------------------------------------------

    @by_one_thread
    def commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata] | None = None, timeout_ms: float | None = None
    ) -> None:
        """Commit offsets for the group and wait for it.

        Args:
            offsets: the next offset to read, by partition; None commits the positions.
            timeout_ms: how long to try again what can be retried; None is ``request_timeout_ms``.

        Raises:
            IllegalStateError: the consumer has no group.
            TypeError: ``offsets`` is not ``{TopicPartition: OffsetAndMetadata}``.
            CommitFailedError: the group has rebalanced without this member; the records may be read by another.
            KafkaTimeoutError: not done in time.
        """
        self._commits().commit(self._to_commit(offsets), timeout_ms)

    @by_one_thread
    def commit_async(
        self,
        offsets: Mapping[TopicPartition, OffsetAndMetadata] | None = None,
        callback: CommitCallback | None = None,
    ) -> Future:
        """Commit without waiting; ``callback(offsets, error_or_none)`` is called inside a later poll, commit or close.

        Raises:
            IllegalStateError: the consumer has no group.
            TypeError: ``offsets`` is not ``{TopicPartition: OffsetAndMetadata}``.
        """
        error = self._commits().commit_soon(self._to_commit(offsets), callback)
        return Future.failed_with(error) if error is not None else Future.done_with(None)

    def _commits(self) -> Commits:
        if self._group is None:
            raise IllegalStateError("this consumer has no group_id")
        return self._group.commits

    def _to_commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata] | None
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        if offsets is None:
            return self._consumed_offsets()
        for partition, offset in offsets.items():
            if not isinstance(partition, TopicPartition) or not isinstance(offset, OffsetAndMetadata):
                raise TypeError("offsets must be {TopicPartition: OffsetAndMetadata}")
            if not isinstance(offset.offset, int) or offset.offset < 0:
                raise ValueError(f"an offset to commit is an int from 0 on, not {offset.offset!r}")
        return dict(offsets)

    def _consumed_offsets(self) -> dict[TopicPartition, OffsetAndMetadata]:
        if self._iteration is not None:
            self._iteration.note_position()
        return self._subscription.consumed_offsets()

    @overload
    def committed(
        self, partition: TopicPartition, metadata: Literal[False] = False, timeout_ms: float | None = None
    ) -> int | None: ...
    @overload
    def committed(
        self, partition: TopicPartition, metadata: Literal[True], timeout_ms: float | None = None
    ) -> OffsetAndMetadata | None: ...
    @by_one_thread
    def committed(
        self, partition: TopicPartition, metadata: bool = False, timeout_ms: float | None = None
    ) -> int | OffsetAndMetadata | None:
        """What the group has committed for a partition; None for nothing.

        Args:
            metadata: return the whole :class:`OffsetAndMetadata` instead of the offset.
            timeout_ms: milliseconds to wait for an answer; None is ``request_timeout_ms``.

        Raises:
            IllegalStateError: the consumer has no group.
            TypeError: not a TopicPartition.
            KafkaTimeoutError: not answered in time.
        """
        commits = self._commits()
        check_partition(partition)
        limit_ms = self._limit_ms(timeout_ms)
        deadline_ms = self._link.clock.monotonic_ms() + limit_ms
        while True:
            try:
                found = commits.committed([partition]).get(partition)
                break
            except RetriableError as error:
                if not self._link.pause(self.config["retry_backoff_ms"], deadline_ms):
                    raise KafkaTimeoutError(f"no committed offset within {limit_ms} ms: {error}") from error
        if found is None:
            return None
        return found if metadata else found.offset

    @by_one_thread
    def group_metadata(self) -> ConsumerGroupMetadata:
        """This consumer's identity in its group, for committing offsets inside a transaction (KIP-447)."""
        if self._membership is None or self._group is None:
            return ConsumerGroupMetadata(group_id=None)
        return self._membership.metadata(self._group.state)

    # Life ------------------------------------------------------------------------------------------------------------

    def bootstrap_connected(self) -> bool:
        """Whether the engine is there."""
        return self._link.is_open

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = False) -> None:
        """Return at once: the engine is there since the consumer was built."""
        self._link.check_usable()
        if refresh:
            self._link.refresh()

    def metrics(self, raw: bool = False) -> dict[Any, Any] | None:
        """Totals since the consumer was built, ``{group: {name: value}}``; None without ``metrics_enabled``.

        Args:
            raw: a flat ``{(group, name): value}`` instead.
        """
        if not self.config["metrics_enabled"]:
            return None
        assigned = len(self._subscription.assignment)
        return self._metrics.flat(assigned) if raw else self._metrics.by_group(assigned)

    def close(self, autocommit: bool = True, timeout_ms: float | None = None) -> None:
        """Commit (with auto commit), tell the listener, leave the group, let go of the engine.

        The second call does nothing, nor does one in a process forked from the consumer's.

        Args:
            autocommit: False leaves the committed offsets as they are.
            timeout_ms: how long to try to commit; None is ``request_timeout_ms``.
        """
        if self._closed:
            return
        if not self._link.is_open:
            self._closed = True
            return
        self._close(autocommit, timeout_ms)

    @by_one_thread
    def _close(self, autocommit: bool, timeout_ms: float | None) -> None:
        self._end_iteration()
        try:
            self._closed = True
            if self._group is not None:
                if autocommit:
                    self._group.commits.auto_commit_now(timeout_ms)
                self._group.commits.run_callbacks()
                self._group.leave("the consumer was closed", tell=True)
        except BaseException:
            if self._membership is not None:  # nobody closes it a second time: let the others not wait for it
                self._membership.leave("closing the consumer was interrupted")
            raise
        finally:
            self._let_go()
            for name in ("key_deserializer", "value_deserializer"):
                close_quietly(self.config[name])
            for interceptor in self._interceptors:
                close_quietly(interceptor)

    def _let_go(self) -> None:
        self._closed = True
        self._liveness.alive = False
        self._topics.unwatch()
        if self._membership is not None:
            self._membership.unwatch()
        self._fetcher.close()
        self._link.after_call()
        self._link.close()

    def _kill(self) -> None:
        """Die as a process would: nothing is committed, the group notices when the session times out."""
        if not self._closed and self._link.is_open:
            self._let_go()

    def __enter__(self) -> KafkaConsumer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error nobody knows whether the record in hand was dealt with, so its offset is not committed.
        self.close(autocommit=kind is None)


class _Abandoned:
    """What is left to do for a consumer that was collected unclosed; runs later, on a thread inside the engine."""

    def __init__(
        self,
        liveness: MemberLiveness,
        membership: EmbeddedMembership | EmbeddedConsumerMembership | None,
        topics: SubscribedTopics,
        fetcher: Fetcher,
    ) -> None:
        self._liveness = liveness
        self._membership = membership
        self._topics = topics
        self._fetcher = fetcher

    def __call__(self) -> None:
        self._liveness.alive = False
        if self._membership is not None:
            self._membership.leave("the consumer was garbage collected")
        self._topics.unwatch()
        self._fetcher.close()
