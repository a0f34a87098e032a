"""KafkaProducer: kafka-python's producer over an engine in this process."""

from __future__ import annotations

import contextlib
import itertools
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from embedkafka.client.link import NOT_THERE_YET, EmbeddedLink, connect
from embedkafka.client.partitioners import DefaultPartitioner
from embedkafka.client.producer.config import DEFAULT_CONFIG, producer_settings
from embedkafka.client.producer.delivery import Delivery, Signal
from embedkafka.client.producer.identity import Identity
from embedkafka.client.producer.interceptors import Interceptors
from embedkafka.client.producer.lane import DeliverySettings, Lane
from embedkafka.client.producer.linger import Linger
from embedkafka.client.producer.memory import BufferMemory
from embedkafka.client.producer.metrics import by_group
from embedkafka.client.producer.route import ProducerCluster, custom_partition
from embedkafka.client.producer.transaction import Transactions
from embedkafka.clock import Clock
from embedkafka.errors import (
    BrokerResponseError,
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    KafkaStorageError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
)
from embedkafka.model import (
    ConsumerGroupMetadata,
    OffsetAndMetadata,
    ProducerRecord,
    TopicPartition,
    validate_topic_name,
)
from embedkafka.record import FutureRecordMetadata, SendPath, TopicLanes, murmur2
from embedkafka.record.compression import type_by_name

_client_numbers = itertools.count(1)
_producers: weakref.WeakSet[KafkaProducer]

# DefaultRecord.MAX_RECORD_OVERHEAD and the batch's header, as Kafka's clients estimate a record's size.
_RECORD_OVERHEAD_BYTES = 21 + 61
_BATCHES_TOGETHER = 5  # a log knows that many again (storage.producer_state) where it is unclear whether it has them
_GREATEST_TIMESTAMP_MS = 2**63 - 1


class KafkaProducer(SendPath):
    """Sends records to topics.  Every method may be called from any thread.

    ``send`` encodes a record into the open batch of its partition and returns at once.  Any reader in this process sees
    the record from then on; another process sees it once its batch is sent: a few ms after the batch is full, after
    ``linger_ms``, at ``flush``, ``close`` or ``future.get()``.

    Args:
        **configs: kafka-python's settings, or Java's dotted names through ``**{...}``; the defaults are in
            ``KafkaProducer.DEFAULT_CONFIG``, what has no effect here in ``config.WITHOUT_MEANING``.
            ``bootstrap_servers`` is an ``EmbeddedKafka``, ``"embed:./directory"`` or ``"embed:memory"``.  Beyond
            kafka-python:
            ``buffer_memory`` (bytes that may be unacknowledged; ``send`` then blocks up to ``max_block_ms``) and
            ``interceptors`` (objects with Java's ``on_send(record)`` and ``on_acknowledgement(metadata, exception)``).

    Raises:
        KafkaConfigurationError: an unknown setting, naming the nearest known one, or a value that cannot be.
    """

    DEFAULT_CONFIG = DEFAULT_CONFIG

    def __init__(self, **configs: Any) -> None:
        self.config = settings = producer_settings(configs)
        if settings["client_id"] is None:
            settings["client_id"] = f"embedkafka-producer-{next(_client_numbers)}"
        self._closed = False
        self._link: EmbeddedLink = connect(settings["bootstrap_servers"], client_id=settings["client_id"])
        if self._link.engine.read_only:
            self._link.close()
            raise KafkaStorageError("this engine is open for reading only; a producer has nothing to do here")
        clock = self._link.clock
        self._memory = BufferMemory(settings["buffer_memory"], clock)
        self._signal = Signal(clock)
        self._linger = Linger(clock, settings["linger_ms"])
        self._clock = clock
        self._unsealed = self._link.unsealed
        self._lanes: dict[TopicPartition, Lane] = {}
        self._batch_limit_bytes: int = min(settings["batch_size"], settings["max_request_size"])
        self._interceptors = Interceptors(settings["interceptors"])
        self._delivery_settings = DeliverySettings(
            acks=settings["acks"],
            compression_type=type_by_name(settings["compression_type"]),
            retries=settings["retries"],
            retry_backoff_ms=settings["retry_backoff_ms"],
            delivery_timeout_ms=settings["delivery_timeout_ms"],
            window=settings["max_in_flight_requests_per_connection"],
            together=_batches_together(settings, clock),
        )
        self._identity = Identity(
            self._link, is_idempotent=settings["enable_idempotence"], transactional_id=settings["transactional_id"]
        )
        self._partitioner = settings["partitioner"]
        self._partitions_itself = type(self._partitioner) is DefaultPartitioner
        self._cluster = ProducerCluster(self._link)
        self._unwatch = self._link.engine.watch_metadata(_weakly(self))
        self._init_path(clock, settings["key_serializer"], settings["value_serializer"])
        self._has_detour = bool(self._interceptors) or not self._partitions_itself
        self._transactions: Transactions | None = None
        if settings["transactional_id"] is not None:
            self._transactions = Transactions(self, settings["transactional_id"])
        self._transaction_changed()
        self._link.owned_by(self, partial(_abandon, self._lanes, self._unwatch))
        _producers.add(self)

    # Sending: what is rare -----------------------------------------------------------------------------------------

    def _send_rare(
        self, topic: Any, value: Any, key: Any, headers: Any, partition: int | None, timestamp_ms: int | None
    ) -> FutureRecordMetadata:
        self._check_open()
        if self._transactions is not None:
            self._transactions.check_send("send()")
        if isinstance(topic, ProducerRecord):
            record = topic
            topic, value, key, headers = record.topic, record.value, record.key, record.headers
            partition, timestamp_ms = record.partition, record.timestamp_ms
        if self._interceptors:
            changed = self._interceptors.on_send(ProducerRecord(topic, value, key, headers, partition, timestamp_ms))
            topic, value, key, headers = changed.topic, changed.value, changed.key, changed.headers
            partition, timestamp_ms = changed.partition, changed.timestamp_ms
        if value is None and key is None:
            raise ValueError("a record needs a key or a value")
        if headers is not None and not isinstance(headers, list | tuple):
            raise TypeError(f"headers must be a list of (str, bytes) tuples, not {type(headers).__name__}")
        key_bytes, value_bytes = self._serialize(topic, headers, key, value)
        lanes = self._topic_lanes(topic) if isinstance(topic, str) else None
        if lanes is None:
            try:
                lanes = self._look_up(topic)
            except BrokerResponseError as error:
                return self._failed(topic, partition, error)
        if partition is None and not self._partitions_itself:
            partition = custom_partition(self._partitioner, topic, key, key_bytes, value, value_bytes, self._cluster)
        future = self._encoded_rare(lanes, topic, key_bytes, value_bytes, headers, partition, timestamp_ms)
        if self._interceptors:
            self._interceptors.watch(future)
        return future

    def _encoded_rare(
        self,
        lanes: TopicLanes,
        topic: str,
        key: Any,
        value: Any,
        headers: Any,
        partition: int | None,
        timestamp_ms: int | None,
    ) -> FutureRecordMetadata:
        key_bytes, value_bytes = _as_bytes("key", key), _as_bytes("value", value)
        if partition is None:
            partition = self._choose(lanes, key_bytes, value_bytes)
        elif isinstance(partition, bool) or not isinstance(partition, int):
            raise TypeError(f"a partition is an int, not {type(partition).__name__}")
        elif not 0 <= partition < len(lanes.lanes):
            raise ValueError(f"topic {topic!r} has partitions 0 to {len(lanes.lanes) - 1}, not {partition}")
        if timestamp_ms is None:
            timestamp_ms = self._timestamp_now_ms()
        elif isinstance(timestamp_ms, bool) or not isinstance(timestamp_ms, int):
            raise TypeError(f"timestamp_ms is an int, not {type(timestamp_ms).__name__}")
        elif abs(timestamp_ms) > _GREATEST_TIMESTAMP_MS:
            raise ValueError(f"timestamp_ms is {timestamp_ms}, which does not fit into 64 bits")
        return self._append_rare(lanes.lanes[partition], key_bytes, value_bytes, headers, timestamp_ms)

    def _choose(self, lanes: TopicLanes, key: bytes | None, value: bytes | None) -> int:
        if key is not None:
            hashed: int = murmur2(key)
            return (hashed & 0x7FFFFFFF) % len(lanes.lanes)
        if lanes.sticky_bytes_left <= 0:
            self._move_on(lanes)
        lanes.sticky_bytes_left -= len(value or b"")
        chosen: int = lanes.sticky_partition
        return chosen

    def _move_on(self, lanes: TopicLanes) -> None:
        """Send records without a key to another partition from now on."""
        count = len(lanes.lanes)
        if count > 1:
            step = 1 + self._link.engine.ids.random.randrange(count - 1)
            lanes.sticky_partition = (lanes.sticky_partition + step) % count
        lanes.sticky_bytes_left = self._sticky_bytes()

    def _sticky_bytes(self) -> int:
        # KIP-794 moves on at a full batch once batch_size bytes went to a partition, and in any case after twice that.
        return 2 * max(1, self._batch_limit_bytes)

    def _append_rare(
        self, lane: Lane, key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int
    ) -> FutureRecordMetadata:
        """Append where there is no open batch, or not enough room in it."""
        if self._closed:
            self._check_open()
        if self._transactions is not None:
            self._transactions.check_send("send()")
        after_full = False
        while True:
            future = lane.append(key, value, headers, timestamp_ms)
            if future is not None:
                break
            if lane.open_delivery is not None:
                lane.close_full()
                if lane.sealed:
                    self._linger.waits(lane)
                lane = self._after_full(lane, key)
                after_full = True
            future = self._start(lane, key, value, headers, timestamp_ms)
            if future is not None:
                break
        created_ms = future.delivery.created_ms
        if not lane.is_dirty and self._unsealed.add(lane.topic_partition, lane):
            if self._linger.opened_for_reader(lane, created_ms, after_full=after_full):
                lane.seal()
                self._clock.yield_()
                self._linger.woke_reader()
        else:
            self._linger.opened(lane, created_ms, after_full=after_full)
        if self._clock.is_manual:
            self._link.after_call()
        return future

    def _after_full(self, lane: Lane, key: bytes | None) -> Lane:
        """Where a record goes whose batch was full: without a key, to the next partition (KIP-794)."""
        if key is None and self._partitions_itself:
            lanes = self._topic_lanes(lane.topic_partition.topic)
            if (
                lanes is not None
                and lanes.lanes[lanes.sticky_partition] is lane
                and lanes.sticky_bytes_left < self._sticky_bytes() * 3 // 4
            ):
                self._move_on(lanes)
                moved: Lane = lanes.lanes[lanes.sticky_partition]
                return moved
        return lane

    def _start(
        self, lane: Lane, key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int
    ) -> FutureRecordMetadata | None:
        """Open a batch with this record, once there is memory for it; None: another thread has opened one."""
        self._link.check_usable()
        record_size_bytes = _RECORD_OVERHEAD_BYTES + len(key or b"") + len(value or b"") + _size_of(headers)
        if record_size_bytes > self.config["max_request_size"]:
            raise MessageSizeTooLargeError(
                f"the record takes {record_size_bytes} bytes, more than max_request_size "
                f"({self.config['max_request_size']})"
            )
        reserved = max(self.config["batch_size"], record_size_bytes)
        if reserved > self._memory.total_bytes:
            reserved = record_size_bytes
        if reserved > self._memory.total_bytes:
            raise MessageSizeTooLargeError(
                f"the record takes {record_size_bytes} bytes, more than buffer_memory ({self._memory.total_bytes})"
            )
        if not self._memory.try_reserve(reserved):
            for other in list(self._lanes.values()):
                other.seal()
            self._memory.reserve(reserved, self.config["max_block_ms"])
        future: FutureRecordMetadata | None = None
        try:
            delivery = Delivery(lane, self._signal, lane.topic_partition, reserved)
            record = (delivery, self._batch_limit_bytes, key, value, headers, timestamp_ms)
            if self._transactions is None:
                future = lane.start(*record)
            else:
                future = self._transactions.start_batch(lane, *record)
        finally:
            if future is None:
                self._memory.release(reserved)
        return future

    # Topics --------------------------------------------------------------------------------------------------------

    def _look_up(self, topic: Any) -> TopicLanes:
        """The topic's lanes, from the broker's metadata.

        Raises:
            TypeError: the name is not a string.
            ValueError: it is not legal.
            KafkaTimeoutError: the topic does not exist, nor appears within ``max_block_ms``.
        """
        try:
            validate_topic_name(topic)
        except InvalidTopicError as error:
            raise ValueError(str(error)) from None
        metadata = self._metadata(topic)
        self._identity.ensure()
        with contextlib.nullcontext() if self._transactions is None else self._transactions.lock:
            lanes = [self._lane(TopicPartition(topic, partition)) for partition in range(len(metadata.partitions))]
        first = self._link.engine.ids.random.randrange(len(lanes))
        found = TopicLanes(lanes, first, self._sticky_bytes())
        self._set_topic(topic, found)
        return found

    def _lane(self, topic_partition: TopicPartition) -> Lane:
        lane = self._lanes.get(topic_partition)
        if lane is None:
            lane = Lane(topic_partition, self._link, self._delivery_settings, self._memory, self._identity)
            lane = self._lanes.setdefault(topic_partition, lane)
        return lane

    def _metadata(self, topic: str) -> Any:
        timeout_ms = self.config["max_block_ms"]
        try:
            return self._link.topic(topic, auto_create=self.config["allow_auto_create_topics"], timeout_ms=timeout_ms)
        except BrokerResponseError as error:
            if isinstance(error, NOT_THERE_YET):
                message = f"topic {topic!r} was not there within max_block_ms ({timeout_ms} ms): {error}"
                raise KafkaTimeoutError(message) from error
            raise

    def _failed(self, topic: str, partition: int | None, error: KafkaError) -> FutureRecordMetadata:
        """A future that has failed already, as kafka-python gives where the broker refuses the topic."""
        topic_partition = TopicPartition(topic, -1 if partition is None else partition)
        delivery = Delivery(None, self._signal, topic_partition, 0)
        delivery.fail(error, self._link.deferred)
        return FutureRecordMetadata(delivery, 0, -1, -1, -1, -1)

    def _forget_topics(self) -> None:
        """Topics or partitions have come or gone: look again at the next send."""
        for topic in {topic_partition.topic for topic_partition in list(self._lanes)}:
            self._set_topic(topic, None)

    def partitions_for(self, topic: str) -> set[int]:
        """The numbers of the topic's partitions; creates the topic where the broker does that.

        Raises:
            KafkaTimeoutError: the topic does not exist within ``max_block_ms``.
        """
        self._check_open()
        try:
            return set(range(len(self._look_up(topic).lanes)))
        finally:
            self._link.after_call()

    # Flushing, closing ---------------------------------------------------------------------------------------------

    def flush(self, timeout: float | None = None) -> None:
        """Seal every batch and wait until all records sent so far are done and their callbacks have run.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            KafkaTimeoutError: some are not done in that time.
        """
        self._check_open()
        self._flush(timeout)

    def _flush(self, timeout: float | None) -> None:
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout is {timeout!r}, not a number of seconds from 0 on")
        pending: list[Delivery] = []
        for lane in list(self._lanes.values()):
            lane.seal()
            pending += lane.pending()
        self._link.after_call()
        clock = self._link.clock
        deadline_ms = None if timeout is None else clock.monotonic_ms() + timeout * 1000.0

        def wait(predicate: Callable[[], bool], what: str) -> None:
            left_ms = None if deadline_ms is None else max(0.0, deadline_ms - clock.monotonic_ms())
            if not predicate() and not self._signal.wait(predicate, left_ms):
                raise KafkaTimeoutError(f"{what} were not done within {timeout} seconds")

        for delivery in pending:
            wait(partial(getattr, delivery, "is_done"), f"records for {delivery.topic_partition}")
        deferred = self._link.deferred
        if not deferred.is_idle and not deferred.is_running_here():
            # Behind a mark of our own: other producers may go on adding callbacks for ever.
            passed: list[bool] = []

            def pass_by() -> None:
                passed.append(True)
                self._signal.wake()

            deferred.add(pass_by)
            wait(lambda: bool(passed), "callbacks")

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:
        """Flush, fail what is not done in time, and let go of the engine.  Does nothing the second time.

        Args:
            timeout: seconds for the flush; None waits for ever.
            null_logger: kafka-python's; without meaning here.
        """
        if self._closed:
            return
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout is {timeout!r}, not a number of seconds from 0 on")
        self._detour = True
        try:
            self._link.check_usable()
        except IllegalStateError:
            pass  # the engine is closed, or belongs to the parent process: nothing can be flushed
        else:
            if self._transactions is not None and self._transactions.may_abort:
                with contextlib.suppress(KafkaError):  # it times out otherwise
                    self.abort_transaction()
            with contextlib.suppress(KafkaTimeoutError):  # what is left fails below
                self._flush(timeout)
        self._closed = True
        self._unwatch()
        self._discard_unsealed(KafkaError("the producer was closed before this record was acknowledged"))
        self._interceptors.close()
        for name in ("key_serializer", "value_serializer"):
            close = getattr(self.config[name], "close", None)
            if close is not None:
                close()
        self._link.after_call()
        self._link.close()

    def _kill(self) -> None:
        """Vanish as a crashed process does: what is not sealed is gone, nothing is waited for."""
        self._detour = True
        self._closed = True
        self._unwatch()
        self._discard_unsealed(KafkaError("the producer was killed before this record was acknowledged"))
        self._link.close()

    def __enter__(self) -> KafkaProducer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise IllegalStateError("this KafkaProducer is closed")
        self._link.check_usable()

    # Looking -------------------------------------------------------------------------------------------------------

    def metrics(self, raw: bool = False) -> dict[str, dict[str, float]] | dict[tuple[str, str], float] | None:
        """What this producer has counted: ``{group: {name: value}}``.

        Args:
            raw: ``{(group, name): value}`` instead.

        Returns:
            None with ``metrics_enabled=False``.
        """
        if not self.config["metrics_enabled"]:
            return None
        groups = by_group(self._lanes.values(), self._memory)
        if not raw:
            return groups
        return {(group, name): value for group, values in groups.items() for name, value in values.items()}

    def bootstrap_connected(self) -> bool:
        """Whether the engine can be reached: as long as this producer is open."""
        return not self._closed

    def __repr__(self) -> str:
        return (
            f"<KafkaProducer client_id={self.config['client_id']} transactional_id={self.config['transactional_id']}>"
        )

    # Transactions --------------------------------------------------------------------------------------------------

    def init_transactions(self) -> None:
        """Begin to be the producer of this ``transactional_id``: those before are fenced, their transaction is ended.

        To be called once, before any other of these methods.

        Raises:
            IllegalStateError: there is no ``transactional_id``, or this was done before.
            InvalidTransactionTimeoutError: ``transaction_timeout_ms`` is more than the broker's
                ``transaction.max.timeout.ms``.
            KafkaTimeoutError: not within ``max_block_ms``; it may be called again.
        """
        self._transactional("init_transactions").initialize()
        self._link.after_call()

    def begin_transaction(self) -> None:
        """Begin a transaction: ``read_committed`` readers see what is sent from now on after its commit, or never.

        Raises:
            IllegalStateError: ``init_transactions`` was not called, or a transaction is open already.
            ProducerFencedError: there is a newer producer with this ``transactional_id``; this one is done.
        """
        self._transactional("begin_transaction").begin()

    def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_metadata: ConsumerGroupMetadata | str
    ) -> None:
        """Commit how far a group has read as part of the transaction: both count, or neither.

        Args:
            offsets: the next offset to read, by partition.
            group_metadata: ``consumer.group_metadata()``, so that a consumer that lost its partitions is fenced
                (KIP-447); or the group's id, which leaves that check out.

        Raises:
            IllegalStateError: no transaction is open.
            CommitFailedError: the partitions are another consumer's now; the transaction can only be aborted.
            ProducerFencedError: there is a newer producer with this ``transactional_id``; this one is done.
        """
        self._transactional("send_offsets_to_transaction").send_offsets(offsets, group_metadata)
        self._link.after_call()

    def commit_transaction(self) -> None:
        """Send what is not sent yet, wait for it, and commit; when this returns, every reader can see the records.

        Raises:
            IllegalStateError: no transaction is open.
            KafkaError: a record of the transaction has failed, which is what is raised; it can only be aborted.
            ProducerFencedError: there is a newer producer with this ``transactional_id``; this one is done.
            KafkaTimeoutError: not within ``max_block_ms``; it may be called again.
        """
        self._transactional("commit_transaction").commit()
        self._link.after_call()

    def abort_transaction(self) -> None:
        """Give the transaction up: futures of records that were not sent yet fail with TransactionAbortedError.

        Raises:
            IllegalStateError: no transaction is open.
            ProducerFencedError: there is a newer producer with this ``transactional_id``; this one is done.
            KafkaTimeoutError: not within ``max_block_ms``; it may be called again.
        """
        self._transactional("abort_transaction").abort()
        self._link.after_call()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """``with producer.transaction():`` begins, commits at the end, and aborts where the block raises."""
        self.begin_transaction()
        try:
            yield
            self.commit_transaction()
        except BaseException:
            if self._transactions is not None and self._transactions.may_abort:
                with contextlib.suppress(KafkaError):  # what made it end says more
                    self.abort_transaction()
            raise

    def _transactional(self, method: str) -> Transactions:
        self._check_open()
        if self._transactions is None:
            raise IllegalStateError(f"{method}() needs a transactional_id")
        return self._transactions

    def _transaction_changed(self) -> None:
        """Let ``send`` take the short way as long as a transaction is open."""
        is_open = self._transactions is None or self._transactions.is_open
        self._detour = self._has_detour or not is_open

    def _discard_unsealed(self, error: KafkaError) -> None:
        """Fail every record that is not acknowledged."""
        for lane in list(self._lanes.values()):
            self._link.unsealed.discard(lane.topic_partition, lane)
            lane.abort(error)


def _batches_together(settings: dict[str, Any], clock: Clock) -> int:
    """How many full batches of a partition go in one call: alone where compressing them costs much more than calls do.

    With a ManualClock, nobody would move time for those that wait for others.
    """
    if clock.is_manual or settings["compression_type"] is not None:
        return 1
    together: int = min(_BATCHES_TOGETHER, settings["max_in_flight_requests_per_connection"])
    return together


def _as_bytes(what: str, data: Any) -> bytes | None:
    if data is None or type(data) is bytes:
        return data
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"the serialized {what} is {type(data).__name__}, not bytes; is a {what}_serializer missing?")


def _size_of(headers: Any) -> int:
    return sum(len(name) * 3 + len(content or b"") + 10 for name, content in headers) if headers else 0


def _weakly(producer: KafkaProducer) -> Callable[[], None]:
    """A call of ``_forget_topics`` that does not keep the producer alive."""
    reference = weakref.ref(producer)

    def forget() -> None:
        alive = reference()
        if alive is not None:
            alive._forget_topics()

    return forget


def _abandon(lanes: dict[TopicPartition, Lane], unwatch: Callable[[], None]) -> None:
    """A producer was collected unclosed: what it accepted still goes out."""
    unwatch()
    for lane in list(lanes.values()):
        lane.seal()


_producers = weakref.WeakSet()


def _forked() -> None:
    """In a forked child: records must not pile up in a copy of the parent's batches."""
    for producer in list(_producers):
        producer._detour = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
