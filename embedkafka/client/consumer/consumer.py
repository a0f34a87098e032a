"""``KafkaConsumer``: kafka-python 3's consumer on an engine in this process.

A ``poll`` does, in this order: keep the group membership alive and finish what a rebalance left to do, give positions
to partitions that have none, hand out records that are here, ask leaders for more, wait.

Positions say what the program has got: they move with the records ``poll`` returns, and, in an iteration, with each
record.  What an interrupt kept from the program comes again.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

from embedkafka.broker.api import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from embedkafka.client.consumer.config import DEFAULT_CONFIG, assignors, consumer_settings, isolation_level
from embedkafka.client.consumer.coordinator import CommitCallback, GroupCoordinator, GroupSettings
from embedkafka.client.consumer.deserializers import checked, close_quietly
from embedkafka.client.consumer.fetcher import Fetcher, FetchSettings
from embedkafka.client.consumer.iteration import Iteration
from embedkafka.client.consumer.listener import Listener
from embedkafka.client.consumer.metrics import ConsumerMetrics
from embedkafka.client.consumer.offsets import ResetPolicy, list_offsets
from embedkafka.client.consumer.subscription import (
    PartitionState,
    Subscription,
    SubscriptionKind,
    check_partition,
)
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.future import Future
from embedkafka.client.link import connect
from embedkafka.client.membership import EmbeddedMembership, MemberLiveness
from embedkafka.errors import (
    ConcurrentModificationError,
    IllegalStateError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RetriableError,
    UnknownTopicOrPartitionError,
    WakeupError,
)
from embedkafka.model import ConsumerGroupMetadata, OffsetAndMetadata, OffsetAndTimestamp, TopicPartition
from embedkafka.record import ConsumerRecord

_log = logging.getLogger(__name__)

_Method = TypeVar("_Method", bound=Callable[..., Any])

_INFINITY = float("inf")


def _by_one_thread(method: _Method) -> _Method:
    """A public method: the consumer must be open, and no other thread inside it."""

    @wraps(method)
    def guarded(self: KafkaConsumer, *args: Any, **kwargs: Any) -> Any:
        me = threading.get_ident()
        if self._user is not None and self._user != me:
            raise ConcurrentModificationError(
                "KafkaConsumer is for one thread at a time; another is inside it (wakeup() alone may be called)"
            )
        outermost = self._user is None
        self._link.check_usable()
        self._user = me
        try:
            return method(self, *args, **kwargs)
        finally:
            if outermost:
                self._user = None
                if self._is_manual:
                    self._link.after_call()

    return guarded  # type: ignore[return-value]  # the same signature


class KafkaConsumer:
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
        self._reset_policy = ResetPolicy(settings["auto_offset_reset"])
        self._isolation_level = isolation_level(settings["isolation_level"])
        strategy = assignors(settings["partition_assignment_strategy"])
        self._interceptors = [cls() if isinstance(cls, type) else cls for cls in settings["interceptor_classes"]]
        self._link = connect(settings["bootstrap_servers"], client_id=str(settings["client_id"]))
        try:
            self._build(strategy)
            if topics:
                self._subscription.subscribe(topics)
                self._watch_metadata()
        except BaseException:
            self._link.close()
            raise

    def _build(self, strategy: list[Any]) -> None:
        settings, link = self.config, self._link
        self._clock = link.clock
        self._is_manual = link.clock.is_manual
        self._user: int | None = None
        self._closed = False
        self._metrics = ConsumerMetrics(str(settings["metric_group_prefix"]))
        self._subscription = Subscription()
        self._waker = waker = Waker(link.clock)
        self._metadata_version = -1
        self._unwatch_metadata: Callable[[], None] | None = None
        self._iteration: Iteration | None = None
        self._records: Iterator[ConsumerRecord] | None = None
        self._fetcher = Fetcher(
            link,
            self._subscription,
            FetchSettings(
                min_bytes=settings["fetch_min_bytes"],
                max_bytes=settings["fetch_max_bytes"],
                max_partition_bytes=settings["max_partition_fetch_bytes"],
                max_wait_ms=settings["fetch_max_wait_ms"],
                isolation_level=self._isolation_level,
                check_crcs=bool(settings["check_crcs"]),
                key_deserializer=checked(settings["key_deserializer"], "key_deserializer"),
                value_deserializer=checked(settings["value_deserializer"], "value_deserializer"),
            ),
            self._metrics,
            arrived=waker.notify,
        )
        self._liveness = MemberLiveness(link.clock.monotonic_ms(), settings["max_poll_interval_ms"])
        self._membership: EmbeddedMembership | None = None
        self._group: GroupCoordinator | None = None
        if settings["group_id"] is not None:
            self._build_group(strategy)
        link.owned_by(self, _Abandoned(self._liveness, self._membership, self._fetcher))

    def _build_group(self, strategy: list[Any]) -> None:
        settings = self.config
        self._membership = EmbeddedMembership(
            self._link,
            settings["group_id"],
            group_instance_id=settings["group_instance_id"],
            session_timeout_ms=int(settings["session_timeout_ms"]),
            rebalance_timeout_ms=int(settings["max_poll_interval_ms"]),
            protocol_type="consumer",
            liveness=self._liveness,
        )
        self._group = GroupCoordinator(
            self._link,
            self._membership,
            self._subscription,
            self._waker,
            GroupSettings(
                assignors=strategy,
                auto_commit_interval_ms=settings["auto_commit_interval_ms"] if settings["enable_auto_commit"] else None,
                retry_backoff_ms=settings["retry_backoff_ms"],
                request_timeout_ms=settings["request_timeout_ms"],
                default_commit_callback=settings["default_offset_commit_callback"],
            ),
            self._metrics,
        )

    # What to read ----------------------------------------------------------------------------------------------------

    @_by_one_thread
    def subscribe(
        self, topics: Sequence[str] = (), pattern: str | None = None, listener: Listener | None = None
    ) -> None:
        """Ask for topics, by name or by pattern; a new call replaces the last one.

        Args:
            topics: names; topics that do not exist yet are read once they do.
            pattern: a regular expression that a topic's name must match from its beginning.
            listener: told at each rebalance.

        Raises:
            ValueError: neither topics nor pattern, or an illegal topic name.
            TypeError: ``topics`` is not a sequence of str, or ``listener`` is no rebalance listener.
            IllegalStateError: both, or partitions were assigned by hand.
        """
        self._subscription.subscribe(topics, pattern, listener)
        self._watch_metadata()

    @_by_one_thread
    def subscription(self) -> set[str] | None:
        """The topics subscribed to; None without a subscription."""
        return set(self._subscription.topics) if self._subscription.is_group_managed else None

    @_by_one_thread
    def unsubscribe(self) -> None:
        """Stop reading: leave the group, forget partitions and positions."""
        self._end_iteration()
        if self._group is not None and self._subscription.kind is not SubscriptionKind.NONE:
            self._group.auto_commit_now()
            try:
                self._group.leave("the consumer unsubscribed", tell=False)
            finally:
                self._stop_reading()
        else:
            self._stop_reading()

    def _stop_reading(self) -> None:
        self._subscription.unsubscribe()
        self._metadata_version = -1
        if self._unwatch_metadata is not None:
            self._unwatch_metadata()
            self._unwatch_metadata = None

    @_by_one_thread
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
            self._group.auto_commit_now()
        self._subscription.assign(wanted)
        self._watch_metadata()

    @_by_one_thread
    def assignment(self) -> set[TopicPartition]:
        """The partitions this consumer reads now."""
        return set(self._subscription.assignment)

    @_by_one_thread
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

    @_by_one_thread
    def resume(self, *partitions: TopicPartition) -> None:
        """Get records from these partitions again."""
        states = [self._subscription.state(partition) for partition in partitions]
        for state in states:
            state.paused = False

    @_by_one_thread
    def paused(self) -> set[TopicPartition]:
        """The assigned partitions that are paused."""
        return {partition for partition, state in self._subscription.assignment.items() if state.paused}

    # Reading ---------------------------------------------------------------------------------------------------------

    @_by_one_thread
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
        limit = self._check_poll(timeout_ms, max_records)
        self._end_iteration()
        fetcher = self._fetcher
        self._liveness.last_poll_ms = now_ms = self._clock.monotonic_ms()
        deadline_ms = now_ms + timeout_ms
        try:
            while True:
                records = self._poll_once(limit, deadline_ms)
                if records or not self._wait_for_records(deadline_ms):
                    break
            if self._interceptors and records:
                records = self._intercept(records)
            if not update_offsets:
                fetcher.give_back()
            fetcher.handed_out()
            return records
        except BaseException:
            fetcher.give_back()
            raise

    def _check_poll(self, timeout_ms: float, max_records: int | None) -> int:
        if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, (int, float)):
            raise TypeError(f"timeout_ms is a number, not {timeout_ms!r}")
        if not timeout_ms >= 0:
            raise ValueError(f"timeout_ms must not be negative: {timeout_ms}")
        if max_records is None:
            max_records = self.config["max_poll_records"]
        if isinstance(max_records, bool) or not isinstance(max_records, int):
            raise TypeError(f"max_records is an int, not {max_records!r}")
        if max_records <= 0:
            raise ValueError(f"max_records must be positive: {max_records}")
        return max_records

    def _poll_once(self, limit: int, deadline_ms: float) -> dict[TopicPartition, list[ConsumerRecord]]:
        if not self._be_ready(deadline_ms):
            return {}
        fetcher = self._fetcher
        records = fetcher.collect(limit)
        if records:
            if fetcher.is_fetch_due():
                fetcher.send(wait=False)
                self._receive()
            return records
        fetcher.send(wait=deadline_ms > self._clock.monotonic_ms())
        self._receive()
        return fetcher.collect(limit)

    def _be_ready(self, deadline_ms: float) -> bool:
        """Group, positions, replies: everything before records can be handed out; False: not a member yet."""
        waker = self._waker
        if waker.woken:
            waker.woken = False
            raise WakeupError("wakeup() was called")
        if self._metadata_version != self._link.metadata_version:
            self._see_metadata()
        if self._group is not None and not self._group.poll(deadline_ms):
            return False
        self._update_positions()
        self._receive()
        return True

    def _receive(self) -> None:
        fetcher = self._fetcher
        if fetcher.has_reply():
            for state in fetcher.receive():
                self._reset_out_of_range(state)

    def _wait_for_records(self, deadline_ms: float) -> bool:
        """Wait until there may be records; False when the time is up."""
        now_ms = self._clock.monotonic_ms()
        if now_ms >= deadline_ms:
            self._fetcher.stop_waiting()
            return False
        until_ms = deadline_ms
        if self._group is not None:
            until_ms = min(until_ms, self._group.next_attempt_ms)
        until_ms = min(until_ms, self._fetcher.next_attempt_ms)
        if not self._subscription.is_settled:
            until_ms = min(until_ms, now_ms + self.config["retry_backoff_ms"])
        waker = self._waker
        try:
            waker.wait(self._fetcher.has_reply, None if until_ms == _INFINITY else max(0.0, until_ms - now_ms))
        except BaseException:
            self._fetcher.stop_waiting()
            raise
        if waker.woken:
            self._fetcher.stop_waiting()
        return True

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

    def __iter__(self) -> Iterator[ConsumerRecord]:
        """Records for ever, or until none came for ``consumer_timeout_ms``."""
        self._records = itertools.chain.from_iterable(self._chunks())
        return self._records

    def __next__(self) -> ConsumerRecord:
        if self._records is None:
            iter(self)
        assert self._records is not None
        try:
            return next(self._records)
        except StopIteration:
            self._records = None
            raise

    def _chunks(self) -> Iterator[Iterator[ConsumerRecord]]:
        """One iterator over a list per look; a list that is emptied meanwhile (by a seek) ends its iterator."""
        while not self._closed:
            iteration = self._iteration
            if iteration is None or not iteration.left:
                iteration = self._next_chunk()
                if iteration is None:
                    return
            yield iteration.records

    @_by_one_thread
    def _next_chunk(self) -> Iteration | None:
        self._end_iteration()
        self._liveness.last_poll_ms = now_ms = self._clock.monotonic_ms()
        deadline_ms = now_ms + self.config["consumer_timeout_ms"]
        limit = self.config["max_poll_records"]
        try:
            while True:
                chunk = self._chunk_once(limit, deadline_ms)
                if chunk is not None:
                    state, position, records = chunk
                    if self._interceptors:
                        records = self._intercept({state.topic_partition: records}).get(state.topic_partition, [])
                    self._iteration = iteration = Iteration(state, position, records)
                    self._fetcher.handed_out()
                    return iteration
                if not self._wait_for_records(deadline_ms):
                    return None
        except BaseException:
            self._iteration = None
            self._fetcher.give_back()
            raise

    def _chunk_once(self, limit: int, deadline_ms: float) -> tuple[PartitionState, int, list[ConsumerRecord]] | None:
        if not self._be_ready(deadline_ms):
            return None
        fetcher = self._fetcher
        chunk = fetcher.collect_one(limit)
        if chunk is None:
            fetcher.send(wait=deadline_ms > self._clock.monotonic_ms())
            self._receive()
            chunk = fetcher.collect_one(limit)
        elif fetcher.is_fetch_due():
            fetcher.send(wait=False)
            self._receive()
        return chunk

    def _end_iteration(self) -> None:
        """Put the position where the program's iteration stands, and let records it did not get come again."""
        iteration = self._iteration
        if iteration is not None:
            self._iteration = None
            iteration.stop()

    # Positions -------------------------------------------------------------------------------------------------------

    @_by_one_thread
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

    @_by_one_thread
    def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        """Read on from the first record there is, in these or all assigned partitions; looked up when needed.

        Raises:
            TypeError: not TopicPartitions.
            ValueError: one is not assigned, or nothing is.
        """
        self._seek_by(EARLIEST_TIMESTAMP, partitions)

    @_by_one_thread
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

    @_by_one_thread
    def position(self, partition: TopicPartition, timeout_ms: float | None = None) -> int | None:
        """The offset of the next record the program gets; None where it cannot be found out in time.

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
            limit_ms = self.config["request_timeout_ms"] if timeout_ms is None else timeout_ms
            deadline_ms = self._clock.monotonic_ms() + limit_ms
            self._update_positions()
            while state.position is None and self._link.pause(self.config["retry_backoff_ms"], deadline_ms):
                self._update_positions()
        return state.position

    def _update_positions(self) -> None:
        """Positions for partitions that have none: committed, else by the reset policy."""
        subscription = self._subscription
        if subscription.is_settled:
            return
        missing = subscription.without_position()
        if missing:
            self._restore(missing)
        resets = subscription.to_reset()
        if resets:
            self._reset(resets)
        subscription.note_settled()

    def _restore(self, missing: list[PartitionState]) -> None:
        if self._group is not None:
            try:
                self._group.restore_positions(missing)
            except RetriableError as error:
                _log.debug("committed offsets are not to be had yet: %s", error)
                return
        without = [state for state in missing if state.position is None]
        if without and not self._reset_policy:
            raise NoOffsetForPartitionError({state.topic_partition for state in without})
        for state in without:
            self._subscription.ask_reset(state, self._reset_policy.timestamp(self._clock.now_ms()))

    def _reset(self, resets: Mapping[TopicPartition, int]) -> None:
        known = {partition: timestamp for partition, timestamp in resets.items() if self._exists(partition)}
        try:
            found = list_offsets(self._link, known, self._isolation_level, 0, 0)
            ends = {partition: LATEST_TIMESTAMP for partition, answer in found.items() if answer.offset < 0}
            if ends:  # no record at or after the time: read what comes next
                found.update(list_offsets(self._link, ends, self._isolation_level, 0, 0))
        except RetriableError as error:
            _log.debug("positions are not to be had yet: %s", error)
            return
        for partition, answer in found.items():
            state = self._subscription.assignment.get(partition)
            if state is not None and state.reset is not None:
                state.seek(answer.offset, answer.leader_epoch)

    def _exists(self, partition: TopicPartition) -> bool:
        try:
            self._link.leader_port(partition)
        except RetriableError:
            return False
        return True

    def _reset_out_of_range(self, state: PartitionState) -> None:
        if not self._reset_policy:
            partition = state.topic_partition
            raise OffsetOutOfRangeError({partition: state.position})
        _log.info("position %s of %s is out of range, resetting it", state.position, state.topic_partition)
        self._subscription.ask_reset(state, self._reset_policy.timestamp(self._clock.now_ms()))

    # Metadata --------------------------------------------------------------------------------------------------------

    def _watch_metadata(self) -> None:
        self._metadata_version = -1
        if self._unwatch_metadata is None:
            self._unwatch_metadata = self._link.engine.watch_metadata(self._waker.metadata_has_changed)

    def _see_metadata(self) -> None:
        """Topics came, went or grew: what the subscription means may have changed."""
        self._waker.metadata_changed = False
        subscription = self._subscription
        wanted = subscription.topics
        if subscription.kind is SubscriptionKind.ASSIGNED:
            wanted = {partition.topic for partition in subscription.assignment}
        if subscription.kind is SubscriptionKind.PATTERN:
            self._match_topics()
        else:
            self._create_missing(wanted)
        self._metadata_version = self._link.metadata_version
        if subscription.is_group_managed and self._group is None:
            counts = self._link.partitions(subscription.topics)
            subscription.replace_assignment(
                TopicPartition(topic, partition) for topic in sorted(counts) for partition in range(counts[topic])
            )

    def _create_missing(self, topics: Iterable[str]) -> None:
        auto_create = bool(self.config["allow_auto_create_topics"])
        for topic in topics:
            try:
                self._link.topic(topic, auto_create=auto_create)
            except UnknownTopicOrPartitionError:
                _log.warning("topic %s does not exist (yet)", topic)

    def _match_topics(self) -> None:
        pattern: re.Pattern[str] | None = self._subscription.pattern
        assert pattern is not None
        visible = (topic for topic in self._link.topics() if not (topic.is_internal and self._hides_internal))
        self._subscription.topics = {topic.topic for topic in visible if pattern.match(topic.topic)}

    @property
    def _hides_internal(self) -> bool:
        return bool(self.config["exclude_internal_topics"])

    @_by_one_thread
    def topics(self) -> set[str]:
        """All topics, read afresh; without internal ones while ``exclude_internal_topics``."""
        return {topic.topic for topic in self._link.topics() if not (topic.is_internal and self._hides_internal)}

    @_by_one_thread
    def partitions_for_topic(self, topic: str) -> set[int]:
        """A topic's partition numbers; empty where there is no such topic."""
        return set(range(self._link.partitions([topic]).get(topic, 0)))

    # Offsets ---------------------------------------------------------------------------------------------------------

    @_by_one_thread
    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: float | None = None
    ) -> dict[TopicPartition, int]:
        """The offset of the first record there is (or will be), by partition; they need not be assigned.

        Raises:
            UnknownTopicOrPartitionError: no such topic or partition.
            KafkaTimeoutError: not answered in time.
        """
        return self._edge_offsets(partitions, EARLIEST_TIMESTAMP, timeout_ms)

    @_by_one_thread
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
        found = self._list_offsets(dict.fromkeys(wanted, timestamp), timeout_ms)
        return {partition: found[partition].offset for partition in wanted}

    @_by_one_thread
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
        found = self._list_offsets({partition: int(time) for partition, time in timestamps.items()}, timeout_ms)
        return {
            partition: None
            if answer.offset < 0
            else OffsetAndTimestamp(answer.offset, answer.timestamp, answer.leader_epoch)
            for partition, answer in ((partition, found[partition]) for partition in timestamps)
        }

    def _list_offsets(self, timestamps: Mapping[TopicPartition, int], timeout_ms: float | None) -> Any:
        limit_ms = self.config["request_timeout_ms"] if timeout_ms is None else timeout_ms
        for topic in {partition.topic for partition in timestamps}:
            self._link.topic(topic, auto_create=bool(self.config["allow_auto_create_topics"]))
        return list_offsets(self._link, timestamps, self._isolation_level, limit_ms, self.config["retry_backoff_ms"])

    @_by_one_thread
    def highwater(self, partition: TopicPartition) -> int | None:
        """The offset behind the last record that the last fetch knew of; None before the first.

        Raises:
            TypeError: not a TopicPartition.
            IllegalStateError: not assigned.
        """
        return self._subscription.state(partition).highwater

    @_by_one_thread
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

    @_by_one_thread
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
        group = self._in_group()
        group.commit(self._to_commit(offsets), timeout_ms)

    @_by_one_thread
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
        group = self._in_group()
        error = group.commit_soon(self._to_commit(offsets), callback)
        return Future.failed_with(error) if error is not None else Future.done_with(None)

    def _in_group(self) -> GroupCoordinator:
        if self._group is None:
            raise IllegalStateError("this consumer has no group_id")
        return self._group

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

    @_by_one_thread
    def committed(
        self, partition: TopicPartition, metadata: bool = False, timeout_ms: float | None = None
    ) -> int | OffsetAndMetadata | None:
        """What the group has committed for a partition; None for nothing.

        Args:
            metadata: return the whole :class:`OffsetAndMetadata` instead of the offset.

        Raises:
            IllegalStateError: the consumer has no group.
            TypeError: not a TopicPartition.
            KafkaTimeoutError: not answered in time.
        """
        group = self._in_group()
        check_partition(partition)
        limit_ms = self.config["request_timeout_ms"] if timeout_ms is None else timeout_ms
        deadline_ms = self._clock.monotonic_ms() + limit_ms
        while True:
            try:
                found = group.committed([partition]).get(partition)
                break
            except RetriableError as error:
                if not self._link.pause(self.config["retry_backoff_ms"], deadline_ms):
                    raise KafkaTimeoutError(f"no committed offset within {limit_ms} ms: {error}") from error
        if found is None:
            return None
        return found if metadata else found.offset

    @_by_one_thread
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

    @_by_one_thread
    def _close(self, autocommit: bool, timeout_ms: float | None) -> None:
        self._end_iteration()
        self._closed = True
        try:
            if self._group is not None:
                if autocommit:
                    self._group.auto_commit_now(timeout_ms)
                self._group.run_completed_commits()
                self._group.leave("the consumer was closed", tell=True)
        finally:
            self._let_go()
            for name in ("key_deserializer", "value_deserializer"):
                close_quietly(self.config[name])
            for interceptor in self._interceptors:
                close_quietly(interceptor)

    def _let_go(self) -> None:
        self._closed = True
        self._liveness.alive = False
        if self._unwatch_metadata is not None:
            self._unwatch_metadata()
            self._unwatch_metadata = None
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

    def __init__(self, liveness: MemberLiveness, membership: EmbeddedMembership | None, fetcher: Fetcher) -> None:
        self._liveness = liveness
        self._membership = membership
        self._fetcher = fetcher

    def __call__(self) -> None:
        self._liveness.alive = False
        if self._membership is not None:
            self._membership.leave("the consumer was garbage collected")
        self._fetcher.close()
