"""A client's way to its engine: where leaders and coordinators are, what topics look like, and whether it still lives.

Producers, consumers and the admin client hold one :class:`EmbeddedLink` each and reach brokers through it only.  It
finds leaders from metadata as a network client does, so that several brokers change nothing in the clients.

Metadata is cached until the engine says that it changed (``Engine.metadata_version``), so added partitions and deleted
topics are seen at the next look, without a waiting time.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from embedkafka.broker.api import RequestContext, TopicMetadata
from embedkafka.client import engines
from embedkafka.errors import (
    CoordinatorNotAvailableError,
    IllegalStateError,
    KafkaStorageError,
    LeaderNotAvailableError,
    UnknownTopicOrPartitionError,
    for_code,
)
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.deferred import DeferredCalls
    from embedkafka.broker.engine import Engine
    from embedkafka.broker.port import BrokerPort
    from embedkafka.broker.unsealed import Unsealed
    from embedkafka.clock import Clock

_GROUP = 0  # FindCoordinator's key type for consumer groups
_TRANSACTION = 1  # and for transactional ids

NOT_THERE_YET = (UnknownTopicOrPartitionError, LeaderNotAvailableError)
"""What is said of a topic that somebody may yet create."""


class _InTasks(threading.local):
    """Whether this thread runs tasks.  A lock that nobody waits for: ``with`` lets go of it whatever interrupts."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_in_tasks = _InTasks()


def connect(bootstrap_servers: object, *, client_id: str = "") -> EmbeddedLink:
    """Connect to the engine that ``bootstrap_servers`` means, opening it where necessary.

    Args:
        bootstrap_servers: an ``EmbeddedKafka``, ``"embed:./data"``, ``"embed:memory"`` or ``"embed:memory/name"``,
            with broker settings in a query (``?num.partitions=3``); or a list with one of them.
        client_id: the name this client gives in its requests.

    Raises:
        KafkaConfigurationError: it names a real cluster, or the engine is open with other settings.
    """
    return EmbeddedLink(engines.acquire(bootstrap_servers), client_id)


class EmbeddedLink:
    """One client's connection to an engine in this process."""

    def __init__(self, entry: engines.EngineEntry, client_id: str) -> None:
        self._entry = entry
        self.engine: Engine = entry.engine
        self.clock: Clock = entry.engine.clock
        self.context = RequestContext(client_id=client_id)
        self._closed = False
        self._version = -1
        self._topics: dict[str, TopicMetadata] = {}
        self._leaders: dict[TopicPartition, BrokerPort] = {}
        self._finalizer: weakref.finalize[..., object] | None = None

    @property
    def unsealed(self) -> Unsealed:
        return self.engine.unsealed

    @property
    def deferred(self) -> DeferredCalls:
        return self.engine.deferred

    @property
    def metadata_version(self) -> int:
        """Changes whenever a topic is created or deleted or gets partitions."""
        return self.engine.metadata_version

    # Brokers -------------------------------------------------------------------------------------------------------

    def any_port(self) -> BrokerPort:
        """Any broker: for metadata, and for what the controller does."""
        return next(iter(self.engine.ports.values()))

    def leader_port(self, topic_partition: TopicPartition) -> BrokerPort:
        """The broker that leads a partition.

        Raises:
            UnknownTopicOrPartitionError: there is no such topic or partition.
            LeaderNotAvailableError: it has no leader now.
        """
        if self._version != self.engine.metadata_version:
            self._forget_metadata()
        port = self._leaders.get(topic_partition)
        if port is None:
            port = self._leaders[topic_partition] = self._find_leader(topic_partition)
        return port

    def _find_leader(self, topic_partition: TopicPartition) -> BrokerPort:
        topic = self.topic(topic_partition.topic)
        for partition in topic.partitions:
            if partition.partition == topic_partition.partition:
                port = self.engine.ports.get(partition.leader_id)
                if port is None:
                    raise LeaderNotAvailableError(f"{topic_partition} has no leader")
                return port
        raise UnknownTopicOrPartitionError(
            f"topic {topic_partition.topic!r} has {len(topic.partitions)} partitions, no partition "
            f"{topic_partition.partition}"
        )

    def coordinator_port(self, group_id: str) -> BrokerPort:
        """The broker that coordinates a group."""
        return self._coordinator_port(_GROUP, group_id)

    def transaction_coordinator_port(self, transactional_id: str) -> BrokerPort:
        """The broker that coordinates a transactional id."""
        return self._coordinator_port(_TRANSACTION, transactional_id)

    def _coordinator_port(self, key_type: int, key: str) -> BrokerPort:
        (found,) = self.any_port().find_coordinator(self.context, key_type, [key])
        if found.error_code:
            raise for_code(found.error_code)(found.error_message or key)
        port = self.engine.ports.get(found.broker_id)
        if port is None:
            raise CoordinatorNotAvailableError(f"{key!r} has no coordinator")
        return port

    # Metadata ------------------------------------------------------------------------------------------------------

    def topic(self, name: str, *, auto_create: bool = False, timeout_ms: float = 0) -> TopicMetadata:
        """What a topic looks like.

        Args:
            auto_create: let the broker create it, where ``auto.create.topics.enable`` allows that.
            timeout_ms: how long to wait for someone to create it, milliseconds, 0 or more.

        Raises:
            UnknownTopicOrPartitionError: no such topic within the time.
            InvalidTopicError: the name is not legal.
            KafkaStorageError: it cannot be created, which waiting does not change.
        """
        if self._version != self.engine.metadata_version:
            self._forget_metadata()
        found = self._topics.get(name)
        if found is not None:
            return found
        try:
            return self._look_up(name, auto_create=auto_create)
        except NOT_THERE_YET:
            if timeout_ms <= 0:
                raise
        self._wait_for_change(lambda: self._exists(name), timeout_ms)
        return self._look_up(name, auto_create=auto_create)

    def _look_up(self, name: str, *, auto_create: bool) -> TopicMetadata:
        version = self.engine.metadata_version
        reply = self.any_port().metadata(self.context, [name], auto_create=auto_create)
        found = reply.topics[0]
        if found.error_code:
            raise for_code(found.error_code)(found.error_message or f"topic {name!r}")
        if version == self.engine.metadata_version:
            self._topics[name] = found
        return found

    def _exists(self, name: str) -> bool:
        return not self.any_port().metadata(self.context, [name]).topics[0].error_code

    def _wait_for_change(self, predicate: Callable[[], bool], timeout_ms: float) -> bool:
        condition = threading.Condition()

        def changed() -> None:
            with condition:
                condition.notify_all()

        unwatch = self.engine.watch_metadata(changed)
        try:
            with condition:
                return self.clock.wait(condition, predicate, timeout_ms)
        finally:
            unwatch()

    def topics(self) -> Sequence[TopicMetadata]:
        """Every topic, internal ones included, read afresh."""
        return self.any_port().metadata(self.context, None).topics

    def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each topic has; topics that do not exist are missing."""
        counts: dict[str, int] = {}
        for name in topics:
            try:
                counts[name] = len(self.topic(name).partitions)
            except UnknownTopicOrPartitionError:
                continue
        return counts

    def refresh(self) -> None:
        """Forget cached metadata: an answer said that it is out of date."""
        self._forget_metadata()

    def _forget_metadata(self) -> None:
        self._version = self.engine.metadata_version
        self._topics.clear()
        self._leaders.clear()

    # Life ----------------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return not (self._closed or self._entry.closed)

    def check_usable(self) -> None:
        """Raise where this client, or its engine, is closed or belongs to the process this one was forked from.

        Raises:
            IllegalStateError: naming which.
        """
        entry = self._entry
        if self._closed or entry.closed:
            engines.check_open(entry)
            raise IllegalStateError("this client is closed")
        if entry.abandoned:
            entry.drain()

    def check_writable(self, what: str) -> None:
        """Raise where the engine is open for reading only, so that nobody tries for ever.

        Raises:
            KafkaStorageError: naming what cannot be done.
        """
        if self.engine.read_only:
            raise KafkaStorageError(f"this engine is open for reading only: {what}")

    def pause(self, delay_ms: float, deadline_ms: float) -> bool:
        """Wait before a retry, at most until ``deadline_ms`` on the monotonic clock; False when that has come."""
        left_ms = deadline_ms - self.clock.monotonic_ms()
        if left_ms <= 0:
            return False
        condition = threading.Condition()
        with condition:
            self.clock.wait(condition, lambda: False, min(delay_ms, left_ms))
        return True

    def owned_by(self, client: object, *clean_up: Callable[[], None]) -> None:
        """Once ``client`` is collected unclosed: do ``clean_up`` (which must not hold it), let go of the engine."""
        self._finalizer = weakref.finalize(client, _abandon, self._entry, clean_up)
        self._finalizer.atexit = False

    def after_call(self) -> None:
        """At the end of a client's outermost call, with a clock that has no thread: run what is due now."""
        clock = self.clock
        if clock.is_manual and not _in_tasks.lock.locked():
            with _in_tasks.lock:
                clock.run_tasks()  # type: ignore[attr-defined]  # a ManualClock's own

    def close(self) -> None:
        """Let go of the engine; does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        if self._finalizer is not None:
            self._finalizer.detach()
        if not self._entry.closed:
            engines.release(self._entry)


def _abandon(entry: engines.EngineEntry, clean_up: tuple[Callable[[], None], ...]) -> None:
    entry.abandoned.extend(clean_up)
    engines.abandon(entry)
