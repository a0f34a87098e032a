"""``KafkaShareConsumer``: Java's share consumer (KIP-932) in kafka-python's manner.

This file is the public face: it checks arguments, keeps other threads out, and hands on.  What is held of each
partition is in :mod:`~embedkafka.client.share_consumer.in_flight`.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, overload
from uuid import UUID

from embedkafka.client.consumer.deserializers import checked, close_quietly
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.link import connect
from embedkafka.client.member import MemberLiveness
from embedkafka.client.one_thread import by_one_thread
from embedkafka.client.polling import Iterating, poll_limit
from embedkafka.client.share_consumer.acknowledgements import Acknowledgements, CommitCallback, Results
from embedkafka.client.share_consumer.config import DEFAULT_CONFIG, acquire_mode, share_settings
from embedkafka.client.share_consumer.fetcher import Handed, ShareFetcher, ShareFetchSettings
from embedkafka.client.share_consumer.group import ShareGroup
from embedkafka.client.share_consumer.in_flight import InFlight
from embedkafka.client.share_consumer.metrics import ShareMetrics
from embedkafka.client.share_membership import EmbeddedShareMembership
from embedkafka.errors import ConcurrentModificationError, IllegalStateError, KafkaError, WakeupError
from embedkafka.model import AcknowledgeType, TopicIdPartition, TopicPartition, validate_topic_name
from embedkafka.record import ConsumerRecord

_ACCEPT = AcknowledgeType.ACCEPT
_NO_SESSION: Any = None
_NOTHING = InFlight(TopicPartition("", -1), TopicIdPartition(UUID(int=0), -1), _NO_SESSION)


class KafkaShareConsumer(Iterating):
    """Gets records of a share group: each goes to one of its consumers, and again to one until it is acknowledged.

    A record is locked for the consumer that got it, for ``share.record.lock.duration.ms``.  With
    ``share_acknowledgement_mode="implicit"`` the next poll or commit accepts what the last poll returned; with
    ``"explicit"`` the program says of each record what became of it, before it polls again.

    Args:
        *topics: what to subscribe to; none to call :meth:`subscribe` later.
        **configs: the settings of ``DEFAULT_CONFIG``, also under Java's dotted names.

    Not thread-safe: each worker thread has a consumer of its own; :meth:`wakeup` is the exception.

    Raises:
        KafkaConfigurationError: an unknown setting or a value that cannot be.
        InvalidGroupIdError: no ``group_id``.
    """

    DEFAULT_CONFIG = DEFAULT_CONFIG

    def __init__(self, *topics: str, **configs: Any) -> None:
        self.config = settings = share_settings(configs)
        key_deserializer = checked(settings["key_deserializer"], "key_deserializer")
        value_deserializer = checked(settings["value_deserializer"], "value_deserializer")
        self._link = connect(settings["bootstrap_servers"], client_id=str(settings["client_id"]))
        try:
            self._build(key_deserializer, value_deserializer)
            if topics:
                self._subscribe(topics)
        except BaseException:
            self._link.close()
            raise

    def _build(self, key_deserializer: Any, value_deserializer: Any) -> None:
        settings, link = self.config, self._link
        self._is_manual = link.clock.is_manual
        self._api_timeout_ms: float = settings["default_api_timeout_ms"]
        self._is_explicit = settings["share_acknowledgement_mode"] == "explicit"
        self._closed = False
        self._in_callback = False
        self._may_acknowledge = self._is_explicit  # and it is open, and in no callback
        self._iteration: _Iteration | None = None
        self._in_flight: dict[TopicIdPartition, InFlight] = {}
        self._by_name: dict[tuple[str, int], InFlight] = {}  # of the records that the program has
        self._last = _NOTHING  # of the record that was acknowledged last
        self._fresh: list[Handed] = []  # handed out by a poll that has not returned yet, or never did (Ctrl-C)
        self._metrics = ShareMetrics()
        self._waker = Waker(link.clock)
        self._liveness = MemberLiveness(link.clock.monotonic_ms(), settings["max_poll_interval_ms"])
        self._membership = EmbeddedShareMembership(
            link, settings["group_id"], rack_id=settings["client_rack"] or None, liveness=self._liveness
        )
        self._group = ShareGroup(
            link,
            self._membership,
            self._waker,
            self._metrics,
            allow_auto_create=bool(settings["allow_auto_create_topics"]),
            retry_backoff_ms=settings["retry_backoff_ms"],
        )
        self._fetcher = ShareFetcher(
            link,
            self._group,
            self._in_flight,
            ShareFetchSettings(
                min_bytes=settings["fetch_min_bytes"],
                max_bytes=settings["fetch_max_bytes"],
                max_wait_ms=int(settings["fetch_max_wait_ms"]),
                acquire_mode=acquire_mode(settings),
                check_crcs=bool(settings["check_crcs"]),
                key_deserializer=key_deserializer,
                value_deserializer=value_deserializer,
            ),
            self._metrics,
            retry_backoff_ms=settings["retry_backoff_ms"],
            arrived=self._waker.notify,
        )
        self._acknowledgements = Acknowledgements(
            link, self._in_flight, self._metrics, retry_backoff_ms=settings["retry_backoff_ms"]
        )
        link.owned_by(self, _Abandoned(self._liveness, self._group, self._fetcher))

    def _check_entry(self) -> None:
        if self._in_callback:
            raise IllegalStateError("a KafkaShareConsumer cannot be used inside its acknowledgement commit callback")
        self._link.check_usable()

    # What to read ----------------------------------------------------------------------------------------------------

    @by_one_thread
    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for topics by name; a new call replaces the last one, none unsubscribes.

        Raises:
            TypeError: not a sequence of str.
            InvalidTopicError: an illegal name.
        """
        self._subscribe(topics)

    def _subscribe(self, topics: Sequence[str]) -> None:
        if isinstance(topics, (str, bytes)) or not all(isinstance(topic, str) for topic in topics):
            raise TypeError(f"topics is a sequence of str, not {topics!r}")
        for topic in topics:
            validate_topic_name(topic)
        if topics:
            self._group.subscribe(frozenset(topics))
        else:
            self._unsubscribe()

    @by_one_thread
    def subscription(self) -> set[str]:
        """The topics subscribed to."""
        return set(self._group.topics)

    @by_one_thread
    def unsubscribe(self) -> None:
        """Send what was acknowledged, release what else is held, leave the group."""
        self._unsubscribe()

    def _unsubscribe(self) -> None:
        self._end_iteration()
        try:
            self._send_acknowledgements(self._api_timeout_ms)
        finally:
            self._let_go_of_records()
            self._group.leave()

    # Reading ---------------------------------------------------------------------------------------------------------

    def poll(self, timeout_ms: float = 0, max_records: int | None = None) -> Handed:
        """The next records, by partition; they are locked for this consumer.

        Args:
            timeout_ms: how long to wait while there is nothing, milliseconds, 0 or more; by the engine's clock.
            max_records: the most to return, 1 or more; None is ``max_poll_records``.

        Returns:
            Lists in offset order; ``{}`` when the time is up.

        Raises:
            ValueError, TypeError: such arguments.
            IllegalStateError: nothing is subscribed to, the consumer is closed, or, with explicit acknowledgement, a
                record of the last poll is not acknowledged yet.
            WakeupError: :meth:`wakeup` was called.
            RecordDeserializationError: a deserializer failed; the record is released, unless it is acknowledged
                otherwise (by topic, partition and offset) before the next poll.
        """
        self._poll(timeout_ms, poll_limit(timeout_ms, max_records, self.config["max_poll_records"]))
        return self._fresh.pop()  # in one step: whatever an interrupt keeps from the program comes again

    @by_one_thread
    def _poll(self, timeout_ms: float, limit: int) -> None:
        """Leave the next records in ``_fresh``."""
        self._end_iteration()
        clock = self._link.clock
        now_ms = clock.monotonic_ms()
        self._liveness.last_poll_ms = now_ms
        deadline_ms = now_ms + timeout_ms
        if not self._group.topics:
            raise IllegalStateError("nothing is subscribed to")
        self._fetcher.stop_waiting()  # where an interrupt kept the last poll from it
        self._give_back_fresh()
        self._check_all_acknowledged()
        self._send_acknowledgements(self._api_timeout_ms)
        self._acknowledgements.run_callbacks()
        handed: Handed = {}
        self._fresh.append(handed)
        try:
            while True:
                self._read(limit, deadline_ms, handed)
                if handed or not self._wait(deadline_ms):
                    break
        except BaseException:
            self._fetcher.stop_waiting()
            self._give_back_fresh()
            raise
        finally:
            self._by_name = {each.topic_partition: each for each in self._in_flight.values()}
            self._last = _NOTHING

    def _give_back_fresh(self) -> None:
        """What a poll handed out that did not return comes again."""
        if self._fresh:
            for handed in self._fresh:
                self._fetcher.give_back(handed)
            self._fresh.clear()

    def _check_all_acknowledged(self) -> None:
        if not self._is_explicit:
            return
        for in_flight in self._in_flight.values():
            if in_flight.held_count:
                raise IllegalStateError("all records must be acknowledged before the next poll (explicit mode)")

    def _read(self, limit: int, deadline_ms: float, handed: Handed) -> None:
        waker = self._waker
        if waker.woken:
            waker.woken = False
            raise WakeupError("wakeup() was called")
        self._group.update()
        fetcher = self._fetcher
        fetcher.receive()
        fetcher.collect(limit, handed)
        if not handed:
            fetcher.send(limit, wait=deadline_ms > self._link.clock.monotonic_ms())
            fetcher.receive()
            fetcher.collect(limit, handed)

    def _wait(self, deadline_ms: float) -> bool:
        """Wait until there may be records; False when the time is up."""
        fetcher = self._fetcher
        now_ms = self._link.clock.monotonic_ms()
        if now_ms >= deadline_ms:
            fetcher.stop_waiting()
            return False
        until_ms = deadline_ms
        for retry_at_ms in (fetcher.retry_at_ms, self._group.retry_at_ms):
            if retry_at_ms > now_ms:
                until_ms = min(until_ms, retry_at_ms)
        self._waker.wait(fetcher.has_reply, None if until_ms == float("inf") else until_ms - now_ms)
        return True

    def wakeup(self) -> None:
        """End a ``poll`` that waits, or the next one, with :class:`WakeupError`.  May be called from any thread."""
        self._waker.wake()

    # Iterating -------------------------------------------------------------------------------------------------------

    def _chunks(self) -> Iterator[Iterator[ConsumerRecord]]:
        while not self._closed:
            if self._fresh or self._iteration is None or not self._iteration.left:
                self._poll(self.config["consumer_timeout_ms"], self.config["max_poll_records"])
                if not self._begin_iteration():
                    return
            assert self._iteration is not None
            yield self._iteration.records

    def _begin_iteration(self) -> bool:
        """Take what the poll has left; False for nothing."""
        self._iteration = _Iteration([record for records in self._fresh[0].values() for record in records])
        self._fresh.clear()
        return self._iteration.left > 0

    def _end_iteration(self) -> None:
        """What the program's loop has not got comes again."""
        iteration = self._iteration
        if iteration is not None and self._fresh:  # an interrupt came before the loop got any
            self._iteration = None
            self._give_back_fresh()
        elif iteration is not None:
            for record in iteration.rest:
                self._by_name[record.topic, record.partition].give_back((record,))
            self._iteration = None
            iteration.stop()

    # Acknowledging ---------------------------------------------------------------------------------------------------

    @overload
    def acknowledge(self, record: ConsumerRecord, type: int = _ACCEPT) -> None: ...
    @overload
    def acknowledge(self, topic: str, partition: int, offset: int, type: int = _ACCEPT) -> None: ...
    def acknowledge(  # type: ignore[misc]  # a name for either signature's first argument
        self, record: Any = None, *where: Any, type: int = _ACCEPT, **named: Any
    ) -> None:
        """Say what became of a record that the program got; it is sent with the next poll or commit.

        Args:
            record: the record; or its topic, partition and offset, as after an error that says which it was.
            type: an :class:`AcknowledgeType`, ACCEPT where nothing is said; of several for one record the last counts.

        Raises:
            IllegalStateError: the record is not held by this consumer, or the mode is implicit.
        """
        if self._user is not None or not self._may_acknowledge:
            self._check_may_acknowledge()
        if isinstance(record, ConsumerRecord) and not where:
            topic, partition, offset = record.topic, record.partition, record.offset
        else:
            topic, partition, offset, type = _where(record, where, type, named)
        in_flight = self._last
        if topic is not in_flight.topic_partition.topic or partition != in_flight.topic_partition.partition:
            in_flight = self._find(topic, partition)
        if type is not _ACCEPT and not 0 < type < 5:
            raise ValueError(f"no AcknowledgeType: {type!r}")
        in_flight.acknowledge(offset, type)

    def _find(self, topic: str, partition: int) -> InFlight:
        found = self._by_name.get((topic, partition))
        if found is None:
            raise IllegalStateError(f"no record of {topic}-{partition} is held by this consumer")
        self._last = found
        return found

    def _check_may_acknowledge(self) -> None:
        if self._user is not None and self._user != threading.get_ident():
            raise ConcurrentModificationError("KafkaShareConsumer is for one thread at a time; another is inside")
        self._check_entry()
        if not self._is_explicit:
            raise IllegalStateError("acknowledge() needs share_acknowledgement_mode='explicit'")

    def commit_sync(self, timeout_ms: float | None = None) -> Results:
        """Send what was acknowledged (in implicit mode: all that the program got) and wait for the outcome.

        Args:
            timeout_ms: how long to try again what can be retried; None is ``default_api_timeout_ms``.

        Returns:
            By partition None, or the error with which these acknowledgements failed; ``{}`` if there were none.
        """
        results = self._commit_only()
        return self._commit(timeout_ms) if results is None else results

    def _commit_only(self) -> Results | None:
        """Commit the one record that was acknowledged since the last commit; None where it is not that simple."""
        if self._user is not None or not self._may_acknowledge or self._fresh or self._is_manual:
            return None
        self._user = threading.get_ident()
        try:
            self._link.check_usable()
            return self._acknowledgements.send_only()
        finally:
            self._user = None

    @by_one_thread
    def _commit(self, timeout_ms: float | None) -> Results:
        acknowledgements = self._acknowledgements
        acknowledgements.run_callbacks()
        if self._iteration is not None:
            self._end_iteration()
        results = self._send_acknowledgements(self._api_timeout_ms if timeout_ms is None else timeout_ms)
        acknowledgements.run_callbacks()
        return results

    @by_one_thread
    def commit_async(self) -> None:
        """The same, without an outcome: the callback is told, inside a later poll, ``commit_sync`` or ``close``."""
        self._end_iteration()
        self._send_acknowledgements(self._api_timeout_ms)

    def _send_acknowledgements(self, timeout_ms: float) -> Results:
        self._give_back_fresh()
        if not self._is_explicit:
            for in_flight in self._in_flight.values():
                in_flight.accept_held()
        return self._acknowledgements.send(self._link.clock.monotonic_ms() + timeout_ms)

    @by_one_thread
    def set_acknowledgement_commit_callback(self, callback: CommitCallback | None) -> None:
        """Have ``callback({topic_partition: {offset, ...}}, error_or_none)`` called for each partition acknowledged.

        It is called inside ``poll``, ``commit_sync`` and ``close``, and must not use the consumer.
        """
        self._acknowledgements.set_callback(None if callback is None else partial(self._call_back, callback))

    def _call_back(self, callback: CommitCallback, offsets: Any, error: KafkaError | None) -> None:
        self._in_callback, self._may_acknowledge = True, False
        try:
            callback(offsets, error)
        finally:
            self._in_callback, self._may_acknowledge = False, self._is_explicit

    @by_one_thread
    def acquisition_lock_timeout_ms(self) -> int | None:
        """For how long records are locked, milliseconds, as the broker said last; None before the first came."""
        return self._fetcher.lock_timeout_ms

    # Life ------------------------------------------------------------------------------------------------------------

    def bootstrap_connected(self) -> bool:
        """Whether the engine is there."""
        return self._link.is_open

    def client_instance_id(self, timeout_ms: float | None = None) -> UUID:
        """Not there: what it identifies are metrics that a client sends to its broker (KIP-714).

        Raises:
            IllegalStateError: always, as Java's where ``enable.metrics.push`` is off.
        """
        raise IllegalStateError("clients in this process send no metrics to the broker; metrics() gives them")

    def metrics(self, raw: bool = False) -> dict[Any, Any] | None:
        """Totals since the consumer was built, ``{group: {name: value}}``; None without ``metrics_enabled``.

        Args:
            raw: a flat ``{(group, name): value}`` instead.
        """
        if not self.config["metrics_enabled"]:
            return None
        assigned = len(self._group.assignment)
        return self._metrics.flat(assigned) if raw else self._metrics.by_group(assigned)

    def close(self, timeout_ms: float = 30_000) -> None:
        """Send what was acknowledged, release what else is held, leave the group, let go of the engine.

        With implicit acknowledgement, too, what the last poll returned is released: only a poll or commit accepts it.
        The second call does nothing, nor does one in a process forked from the consumer's.

        Args:
            timeout_ms: how long to try to send acknowledgements.

        Raises:
            ValueError: a negative time.
            KafkaError: the callback raised; the consumer is closed all the same.
        """
        if timeout_ms < 0:
            raise ValueError(f"timeout_ms must not be negative: {timeout_ms}")
        if self._closed:
            return
        if not self._link.is_open:
            self._closed = True
            return
        self._close(timeout_ms)

    @by_one_thread
    def _close(self, timeout_ms: float) -> None:
        self._end_iteration()
        self._closed, self._may_acknowledge = True, False
        try:
            self._acknowledgements.send(self._link.clock.monotonic_ms() + timeout_ms)
        finally:
            try:
                self._let_go_of_records()
                self._group.leave()
                self._acknowledgements.run_callbacks()
            finally:
                self._let_go()
                for name in ("key_deserializer", "value_deserializer"):
                    close_quietly(self.config[name])

    def _let_go_of_records(self) -> None:
        self._fetcher.close_sessions()
        self._in_flight.clear()
        self._by_name = {}
        self._last = _NOTHING

    def _let_go(self) -> None:
        self._closed, self._may_acknowledge = True, False
        self._liveness.alive = False
        self._group.let_go()
        self._fetcher.forget()
        self._link.after_call()
        self._link.close()

    def _kill(self) -> None:
        """Die as a process would: the group notices when the session or the locks time out."""
        if not self._closed and self._link.is_open:
            self._let_go()

    def __enter__(self) -> KafkaShareConsumer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Iteration:
    """A loop over a plain list, in C; where it stands is read off the list iterator when somebody asks."""

    def __init__(self, records: list[ConsumerRecord]) -> None:
        self._list = records
        self.records = iter(records)

    @property
    def left(self) -> int:
        """How many records the loop has not got yet."""
        return operator.length_hint(self.records)

    @property
    def rest(self) -> list[ConsumerRecord]:
        """What the loop has not got yet."""
        return self._list[len(self._list) - self.left :]

    def stop(self) -> None:
        """End the loop's list."""
        self._list.clear()


class _Abandoned:
    """What is left to do for a consumer that was collected unclosed; runs later, on a thread inside the engine."""

    def __init__(self, liveness: MemberLiveness, group: ShareGroup, fetcher: ShareFetcher) -> None:
        self._liveness = liveness
        self._group = group
        self._fetcher = fetcher

    def __call__(self) -> None:
        self._liveness.alive = False
        self._fetcher.close_sessions()
        self._group.leave()


def _where(record: Any, rest: Sequence[Any], type_: int, named: Mapping[str, Any]) -> tuple[str, int, int, int]:
    """Topic, partition, offset and type of what is acknowledged: a record, or its place by position or by name."""
    if isinstance(record, ConsumerRecord) and len(rest) == 1 and not named:
        return record.topic, record.partition, record.offset, rest[0]
    names = ("topic", "partition", "offset", "type")
    given = dict(zip(names, rest if record is None else (record, *rest), strict=False))
    if len(rest) > 3 or given.keys() & named.keys():
        raise TypeError("acknowledge() takes a record, or topic, partition and offset, and a type")
    given = {"type": type_, **given, **named}
    if given.keys() != set(names) or not isinstance(given["topic"], str):
        raise TypeError(f"acknowledge() takes a record, or topic, partition and offset, not {record!r}")
    return given["topic"], given["partition"], given["offset"], given["type"]
