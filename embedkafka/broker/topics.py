"""The topics of an engine: creation, growth, deletion, and the way from a name to its partitions.

A change is checked, committed to the catalog, and then takes effect in memory, all under ``lock`` (number 1 of the lock
order).  An interrupt in between is followed by a reconciliation: what the catalog holds is true, and every step after
the commit can be repeated.  Lookups take no lock: they read dictionaries whose entries are added and removed whole.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

from embedkafka.broker.api import NewPartitionsSpec, NewTopicSpec, TopicResult
from embedkafka.broker.catalog import Catalog, TopicEntry
from embedkafka.broker.housekeeping import Housekeeping
from embedkafka.broker.ids import Ids
from embedkafka.broker.partition import Partition
from embedkafka.broker.security.mutations import Mutations
from embedkafka.broker.store import Store
from embedkafka.broker.topic import CONSUMER_OFFSETS, INTERNAL_TOPICS, SHARE_GROUP_STATE, TRANSACTION_STATE, Topic
from embedkafka.broker.topic_rules import check_collision, place_new_partitions, place_new_topic
from embedkafka.clock import Clock
from embedkafka.config import BROKER_CONFIGS, BrokerConfig, topic_settings
from embedkafka.errors import (
    BrokerResponseError,
    InvalidConfigurationError,
    InvalidRequestError,
    InvalidTopicError,
    KafkaConfigurationError,
    TopicAlreadyExistsError,
    TopicDeletionDisabledError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition, validate_topic_name

_log = logging.getLogger(__name__)

# For each internal topic the settings with its partition count and segment size, and the settings of its own.
_INTERNAL: dict[str, tuple[str, str, dict[str, str]]] = {
    CONSUMER_OFFSETS: (
        "offsets.topic.num.partitions",
        "offsets.topic.segment.bytes",
        {"cleanup.policy": "compact", "compression.type": "producer"},
    ),
    TRANSACTION_STATE: (
        "transaction.state.log.num.partitions",
        "transaction.state.log.segment.bytes",
        {"cleanup.policy": "compact", "compression.type": "uncompressed"},
    ),
    SHARE_GROUP_STATE: (  # nothing of it is too old: its coordinator prunes it
        "share.coordinator.state.topic.num.partitions",
        "share.coordinator.state.topic.segment.bytes",
        {"cleanup.policy": "delete", "compression.type": "producer", "retention.ms": "-1"},
    ),
}


class Topics:
    """All topics, and all partitions by name and number."""

    def __init__(
        self,
        catalog: Catalog,
        config: BrokerConfig,
        store: Store,
        clock: Clock,
        ids: Ids,
        housekeeping: Housekeeping,
    ) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.catalog = catalog
        self.config = config
        self._store = store
        self._clock = clock
        self._ids = ids
        self._housekeeping = housekeeping
        self._topics: dict[str, Topic] = {}
        self._names: dict[UUID, str] = {}
        self._partitions: dict[TopicPartition, Partition] = {}
        self._watchers: dict[object, Callable[[], None]] = {}
        self._unsettled = False
        self.take_broker_configs()
        self._reconcile()

    def repair(self) -> None:
        """After opening: make catalog and folders agree, and recover what a crash left.

        Raises:
            KafkaStorageError: a log cannot be recovered.
        """
        with self.lock:
            if not self.catalog.exists:
                adopted = self._store.adoptable(self._ids)
                if adopted:
                    self.catalog.adopt_topics(*adopted, *self._reservations(adopted))
                    self._reconcile()
            for stray in self._store.strays(self.catalog.topics()):
                self._store.remove_stray(stray)
        for topic_partition in self._store.unrecovered:
            self._partitions[topic_partition].log  # noqa: B018  # opening recovers

    # Lookups ---------------------------------------------------------------------------------------------------------

    def topic(self, name: str) -> Topic | None:
        return self._topics.get(name)

    def name_of(self, topic_id: UUID) -> str | None:
        """The name of the topic that has this id."""
        return self._names.get(topic_id)

    def partition(self, topic_partition: TopicPartition) -> Partition | None:
        return self._partitions.get(topic_partition)

    def all(self) -> list[Topic]:
        """Every topic, by name."""
        return [topic for _, topic in sorted(self._topics.copy().items())]

    def partitions(self) -> list[Partition]:
        """Every partition of every topic."""
        return list(self._partitions.values())

    def beyond_producer_ids(self) -> int:
        """An id behind those of every producer that left records, for a cluster that has lost its catalog.

        Raises:
            KafkaStorageError: a log cannot be opened.
        """
        first = self._clock.now_ms()  # behind those that left nothing: no cluster gives out one a millisecond
        for partition in self.partitions():
            with suppress(UnknownTopicOrPartitionError):  # deleted meanwhile
                first = max([first, *(producer.producer_id + 1 for producer in partition.active_producers())])
        return first

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after every change of the set of topics and partitions; returns what ends that."""
        key = object()
        self._watchers[key] = callback
        return lambda: self._watchers.pop(key, None) and None

    # Changes ---------------------------------------------------------------------------------------------------------

    def create(
        self, specs: Sequence[NewTopicSpec], *, validate_only: bool = False, mutations: Mutations | None = None
    ) -> list[TopicResult]:
        """Create topics, each for itself; a failed one does not keep the others back.

        ``mutations`` counts, as in Kafka also what is only validated.
        """
        work = partial(self._create, dry=validate_only, mutations=mutations)
        return _each([(spec.topic, partial(work, spec)) for spec in specs])

    def _create(
        self, spec: NewTopicSpec, *, is_duplicate: bool = False, dry: bool = False, mutations: Mutations | None = None
    ) -> TopicResult:
        validate_topic_name(spec.topic)
        if is_duplicate:
            raise InvalidRequestError("Duplicate topic name.")
        if spec.topic in INTERNAL_TOPICS and spec.topic not in self._topics:
            raise InvalidTopicError(f"{spec.topic} is internal: it comes into being when it is first needed")
        with self._changing():
            if spec.topic in self._topics:
                raise TopicAlreadyExistsError(f"Topic '{spec.topic}' already exists.")
            check_collision(spec.topic, self._topics)
            replicas = place_new_topic(
                spec,
                brokers=self._store.broker_ids,
                default_partitions=self.config.integer("num.partitions"),
                default_replication_factor=self.config.integer("default.replication.factor"),
            )
            entry = TopicEntry(spec.topic, self._ids.uuid(), replicas, self._checked_configs(spec.configs))
            if mutations is not None:
                mutations.record(len(replicas))
            if not dry:
                self.catalog.put_topics(entry, *self._reservations())
                self._add(entry)
        if not dry:
            self._announce()
        return TopicResult(
            spec.topic, topic_id=entry.topic_id, num_partitions=len(replicas), replication_factor=len(replicas[0])
        )

    def _checked_configs(self, configs: Mapping[str, str | None]) -> dict[str, str]:
        empty = sorted(name for name, value in configs.items() if value is None)
        if empty:
            raise InvalidConfigurationError(f"Null value not supported for topic configs: {','.join(empty)}")
        overrides = {name: str(value) for name, value in configs.items()}
        try:
            topic_settings(self.config, overrides)
        except KafkaConfigurationError as error:
            raise InvalidConfigurationError(*error.args) from error
        return overrides

    def create_automatically(self, name: str) -> Topic:
        """The topic; created with the broker's defaults where it does not exist.

        Raises:
            UnknownTopicOrPartitionError: ``auto.create.topics.enable`` is off.
            BrokerResponseError: the name or the defaults do not allow it.
        """
        if name in INTERNAL_TOPICS:
            return self.ensure_internal(name)
        if not self.config.boolean("auto.create.topics.enable"):
            raise UnknownTopicOrPartitionError(f"topic {name!r} does not exist, and auto.create.topics.enable is off")
        with suppress(TopicAlreadyExistsError):  # another thread may be faster
            self._create(NewTopicSpec(name))
        found = self._topics.get(name)
        if found is None:
            raise UnknownTopicOrPartitionError(f"topic {name!r} was deleted as soon as it was created")
        return found

    def ensure_internal(self, name: str) -> Topic:
        """An internal topic, created at its first use.

        Raises:
            UnknownTopicOrPartitionError: there is no such internal topic here.
        """
        found = self._topics.get(name)
        if found is not None:
            return found
        if name not in _INTERNAL:
            raise UnknownTopicOrPartitionError(f"there is no internal topic {name!r} yet")
        with self._changing():
            if name not in self._topics:
                entry = self.catalog.topic(name)
                if entry is None:
                    entry = self._internal_entry(name)
                    self.catalog.put_topics(entry)
                self._add(entry)
        self._announce()
        return self._topics[name]

    def _reservations(self, adopted: Sequence[TopicEntry] = ()) -> list[TopicEntry]:
        """Internal topics whose entries go along with the first topic's: one commit instead of two."""
        names = {CONSUMER_OFFSETS} | {entry.name for entry in adopted if entry.name in _INTERNAL}
        return [self._internal_entry(name, adopted) for name in sorted(names) if self.catalog.topic(name) is None]

    def _internal_entry(self, name: str, adopted: Sequence[TopicEntry] = ()) -> TopicEntry:
        found = next((entry for entry in adopted if entry.name == name), None)
        count_setting, segment_setting, configs = _INTERNAL[name]
        count = self.config.integer(count_setting)
        if found is not None:
            count = max(count, len(found.replicas))
        replicas = ((self._store.broker_ids[0],),) * count
        configs = {**configs, "segment.bytes": str(max(1 << 20, self.config.integer(segment_setting)))}
        topic_id = self._ids.uuid() if found is None else found.topic_id
        return TopicEntry(name, topic_id, replicas, configs, is_reserved=True)

    def delete(self, names: Sequence[str], *, mutations: Mutations | None = None) -> list[TopicResult]:
        """Delete topics; their files go after ``file.delete.delay.ms``."""
        return _each([(name, partial(self._delete, name, mutations=mutations)) for name in names])

    def _delete(self, name: str, *, is_duplicate: bool, mutations: Mutations | None) -> TopicResult:
        if is_duplicate:
            raise InvalidRequestError("Duplicate topic name.")
        if not self.config.boolean("delete.topic.enable"):
            raise TopicDeletionDisabledError("Topic deletion is disabled.")
        if name in INTERNAL_TOPICS:
            raise InvalidTopicError(f"{name} is internal and cannot be deleted")
        with self._changing():
            topic = self._topics.get(name)
            if topic is None:
                raise UnknownTopicOrPartitionError("This server does not host this topic-partition.")
            if mutations is not None:
                mutations.record(len(topic.partitions))
            self.catalog.remove_topic(name)
            self._drop(topic)
        for partition in topic.partitions:
            partition.wake_readers()
        self._announce()
        return TopicResult(name, topic_id=topic.topic_id)

    def grow(
        self, specs: Sequence[NewPartitionsSpec], *, validate_only: bool = False, mutations: Mutations | None = None
    ) -> list[TopicResult]:
        """Add partitions to topics."""
        work = partial(self._grow, dry=validate_only, mutations=mutations)
        return _each([(spec.topic, partial(work, spec)) for spec in specs])

    def _grow(
        self, spec: NewPartitionsSpec, *, is_duplicate: bool, dry: bool, mutations: Mutations | None
    ) -> TopicResult:
        if is_duplicate:
            raise InvalidRequestError("Duplicate topic name.")
        with self._changing():
            topic = self._topics.get(spec.topic)
            if topic is None:
                raise UnknownTopicOrPartitionError("This server does not host this topic-partition.")
            if topic.is_internal:
                raise InvalidTopicError(f"{spec.topic} is internal: its partition count is fixed")
            replicas = place_new_partitions(spec, topic.entry.replicas, brokers=self._store.broker_ids)
            if mutations is not None:
                mutations.record(len(replicas) - len(topic.partitions))
            if not dry:
                entry = replace(topic.entry, replicas=replicas)
                self.catalog.put_topics(entry)
                self._add(entry)
        if not dry:
            self._announce()
        return TopicResult(spec.topic, topic_id=topic.topic_id, num_partitions=len(replicas))

    def configure(self, name: str, configs: Mapping[str, str], *, validate_only: bool = False) -> None:
        """Replace a topic's own settings.

        Raises:
            UnknownTopicOrPartitionError: there is no such topic.
            InvalidConfigurationError: the settings are not valid; nothing has changed.
        """
        with self._changing():
            topic = self._topics.get(name)
            if topic is None:
                raise UnknownTopicOrPartitionError(f"The topic '{name}' does not exist.")
            entry = replace(topic.entry, configs=self._checked_configs(configs))
            if not validate_only:
                self.catalog.put_topics(entry)
                self._add(entry)

    def take_broker_configs(self) -> None:
        """Let the broker's changed settings hold, for topics that do not set their own too."""
        with self.lock:
            changed: dict[str, str] = self.catalog.broker_configs(None)
            for broker_id in self._store.broker_ids:
                changed.update(self.catalog.broker_configs(broker_id))
            self.config.dynamic = BROKER_CONFIGS.parse(changed)
            for topic in self._topics.values():
                topic.configure(topic.entry, self.config)

    # Taking effect ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self.lock:
            if self._unsettled:
                self._reconcile()
            self._unsettled = True
            try:
                yield
            except BrokerResponseError:
                if self.catalog.is_stale:
                    self._try_to_reconcile()  # the commit failed: it may have happened or not
                else:
                    self._unsettled = False  # refused before anything was written
                raise
            except BaseException:
                self._try_to_reconcile()
                raise
            self._unsettled = False

    def _try_to_reconcile(self) -> None:
        try:
            self._reconcile()
            self._store.sweep()
        except BrokerResponseError:
            _log.exception("the catalog cannot be read now; the next change of a topic tries again")

    def _reconcile(self) -> None:
        """Make memory agree with the catalog."""
        entries = {
            entry.name: entry
            for entry in self.catalog.topics()
            if not entry.is_reserved or entry.name in self._topics or self._store.has_folder_of(entry.name)
        }
        for topic in list(self._topics.values()):
            entry = entries.get(topic.name)
            if entry is None or entry.topic_id != topic.topic_id:
                self._drop(topic)
        for entry in entries.values():
            known = self._topics.get(entry.name)
            if known is None or known.entry != entry or len(known.partitions) != len(entry.replicas):
                self._add(entry)
        self._unsettled = False

    def _add(self, entry: TopicEntry) -> None:
        """Let an entry hold.  Every step can be repeated; who looks up a topic finds it whole."""
        topic = self._topics.get(entry.name) or self._unfinished(entry)
        partitions = list(topic.partitions)
        for number in range(len(partitions), len(entry.replicas)):
            topic_partition = TopicPartition(entry.name, number)
            partition = self._partitions.get(topic_partition)
            if partition is None or partition.topic is not topic:
                partition = Partition(
                    topic, topic_partition, self._clock, self._store.open_log, self._housekeeping.appended
                )
                self._partitions[topic_partition] = partition
            partitions.append(partition)
        topic.partitions = partitions
        if topic.entry is not entry:
            topic.configure(entry, self.config)
        self._topics[entry.name] = topic
        self._names[entry.topic_id] = entry.name
        self.version += 1

    def _unfinished(self, entry: TopicEntry) -> Topic:
        """The topic of an interrupted addition, which somebody may have a partition of already; else a new one."""
        first = self._partitions.get(TopicPartition(entry.name, 0))
        if first is not None and first.topic.topic_id == entry.topic_id:
            return first.topic
        return Topic(entry, self.config)

    def _drop(self, topic: Topic) -> None:
        for partition in topic.partitions:
            self._housekeeping.retire(partition)
        for partition in topic.partitions:
            self._partitions.pop(partition.topic_partition, None)
        self._topics.pop(topic.name, None)
        self._names.pop(topic.topic_id, None)
        self.version += 1

    def _announce(self) -> None:
        for callback in list(self._watchers.values()):
            callback()


def _each(works: Sequence[tuple[str, Callable[..., TopicResult]]]) -> list[TopicResult]:
    """Do what is asked for each topic, for itself; each is told whether its name comes more than once."""
    counts = Counter(topic for topic, _ in works)
    return [_result(topic, partial(work, is_duplicate=counts[topic] > 1)) for topic, work in works]


def _result(topic: str, work: Callable[[], TopicResult]) -> TopicResult:
    try:
        return work()
    except BrokerResponseError as error:
        return TopicResult(topic, error.errno, str(error.args[0]) if error.args else None)
