"""Sending in plain Python: the open batch, the future, and the way of a record from ``send`` into its batch.

Where the compiled codec relies on the GIL, an open batch has a lock of its own here.  It is a leaf: nothing is called
while it is held.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

from embedkafka.errors import KafkaError
from embedkafka.model import ProducerRecord, RecordMetadata, TopicPartition
from embedkafka.record._codec_py import murmur2, write_record
from embedkafka.record._shared import HeaderList, await_future
from embedkafka.record.format import (
    HEADER,
    HEADER_SIZE_BYTES,
    LENGTH_END,
    MAGIC_V2,
    TRANSACTIONAL_FLAG,
    Buffer,
    patch_producer,
    write_checksum,
)


class Delivery(Protocol):
    """What is known about a batch's delivery (``client.producer.delivery``), as far as a future asks."""

    is_done: bool
    error: KafkaError | None
    topic_partition: TopicPartition
    base_offset: int
    log_append_time_ms: int
    created_ms: float

    def wait(self, timeout: float | None) -> None: ...
    def seal(self) -> None: ...
    def subscribe(
        self,
        future: Any,
        on_success: Callable[[RecordMetadata], object] | None,
        on_failure: Callable[[KafkaError], object] | None,
    ) -> None: ...


class FutureRecordMetadata:
    """What became of one sent record; kafka-python's methods.

    It holds the delivery of its whole batch and its own place in there.  Nothing exists to wait on until somebody
    waits.
    """

    __slots__ = ("_header_size", "_key_size", "_timestamp", "_value_size", "batch_index", "delivery")

    def __init__(
        self,
        delivery: Delivery,
        batch_index: int,
        timestamp_ms: int,
        key_size: int,
        value_size: int,
        header_size: int,
    ) -> None:
        self.delivery = delivery
        self.batch_index = batch_index
        self._timestamp = timestamp_ms
        self._key_size = key_size
        self._value_size = value_size
        self._header_size = header_size

    @property
    def is_done(self) -> bool:
        """Whether the record was acknowledged or has failed."""
        return self.delivery.is_done

    @property
    def exception(self) -> KafkaError | None:
        """Why it failed, or None."""
        return self.delivery.error

    @property
    def value(self) -> RecordMetadata | None:
        """The :class:`~embedkafka.model.RecordMetadata` once it was acknowledged, else None."""
        delivery = self.delivery
        if not delivery.is_done or delivery.error is not None:
            return None
        topic_partition = delivery.topic_partition
        append_time = delivery.log_append_time_ms
        return RecordMetadata(
            topic_partition[0],
            topic_partition[1],
            topic_partition,
            delivery.base_offset + self.batch_index if delivery.base_offset >= 0 else -1,
            append_time if append_time >= 0 else self._timestamp,
            None,
            self._key_size,
            self._value_size,
            self._header_size,
        )

    def succeeded(self) -> bool:
        """Whether the record was acknowledged."""
        return self.delivery.is_done and self.delivery.error is None

    def failed(self) -> bool:
        """Whether it failed for good."""
        return self.delivery.is_done and self.delivery.error is not None

    def retriable(self) -> bool:
        """Whether sending it again may succeed."""
        return self.delivery.is_done and bool(getattr(self.delivery.error, "retriable", False))

    def get(self, timeout: float | None = None) -> RecordMetadata:
        """Seal the record's batch, wait until it is acknowledged, and return its metadata.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            KafkaTimeoutError: the time is up; the record may still be acknowledged later.
            KafkaError: what the broker refused it for.
        """
        if not self.delivery.is_done:
            self.delivery.wait(timeout)
        if self.delivery.error is not None:
            raise self.delivery.error
        return self.value  # type: ignore[return-value]  # done, and not failed: there is one

    def add_callback(self, f: Callable[..., object], *args: Any, **kwargs: Any) -> FutureRecordMetadata:
        """Call ``f(*args, metadata, **kwargs)`` once the record is acknowledged; at once if it is already."""
        self.delivery.subscribe(self, _bound(f, args, kwargs), None)
        return self

    def add_errback(self, f: Callable[..., object], *args: Any, **kwargs: Any) -> FutureRecordMetadata:
        """Call ``f(*args, exception, **kwargs)`` once the record has failed; at once if it already has."""
        self.delivery.subscribe(self, None, _bound(f, args, kwargs))
        return self

    def add_both(self, f: Callable[..., object], *args: Any, **kwargs: Any) -> FutureRecordMetadata:
        """Call ``f`` with the metadata or with the exception, whichever comes."""
        bound = _bound(f, args, kwargs)
        self.delivery.subscribe(self, bound, bound)
        return self

    def chain(self, future: Any) -> FutureRecordMetadata:
        """Pass the outcome on to ``future.success`` or ``future.failure``."""
        self.delivery.subscribe(self, future.success, future.failure)
        return self

    def __await__(self) -> Generator[Any, None, Any]:
        return await_future(self)

    def __repr__(self) -> str:
        return f"<FutureRecordMetadata {self.delivery.topic_partition} {self.exception or self.value or 'pending'}>"


def _bound(f: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., object]:
    return functools.partial(f, *args, **kwargs) if args or kwargs else f


class SealedBatch:
    """A batch that takes no more records, on its way to the partition's leader; the lane keeps its book here."""

    __slots__ = (
        "attempts",
        "base_sequence",
        "base_timestamp",
        "delivery",
        "in_flight",
        "is_finished",
        "is_renumbered",
        "is_transactional",
        "max_timestamp",
        "not_before_ms",
        "plain_size_bytes",
        "producer_epoch",
        "producer_id",
        "records",
        "records_count",
        "reply",
        "submitting",
    )

    def __init__(
        self,
        records: bytearray,
        delivery: Any,
        records_count: int,
        base_timestamp: int,
        max_timestamp: int,
        *,
        producer_id: int = -1,
        producer_epoch: int = -1,
        base_sequence: int = -1,
        is_transactional: bool = False,
    ) -> None:
        self.records = records
        self.delivery = delivery
        self.records_count = records_count
        self.plain_size_bytes = len(records)
        self.base_timestamp = base_timestamp
        self.max_timestamp = max_timestamp
        self.producer_id = producer_id
        self.producer_epoch = producer_epoch
        self.base_sequence = base_sequence
        self.is_transactional = is_transactional
        self.is_finished = False
        self.is_renumbered = False  # since it was sent
        self.reply: Any = None
        self.submitting = False
        self.in_flight = False
        self.attempts = 0
        self.not_before_ms = 0.0

    def stamp(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        """Give the batch another producer's identity or place among its batches; it is finished again."""
        self.producer_id = producer_id
        self.producer_epoch = producer_epoch
        self.base_sequence = base_sequence
        self.is_renumbered = True
        if self.is_finished:
            patch_producer(
                self.records,
                0,
                producer_id=producer_id,
                producer_epoch=producer_epoch,
                base_sequence=base_sequence,
            )

    def renew(self) -> None:
        """Go on with a copy of the bytes: those that were sent may be somebody else's now."""
        self.records = self.records[:]

    def finish(
        self,
        compression_type: int = 0,
        compress: Callable[[int, Buffer, int | None], Buffer] | None = None,
        level: int | None = None,
    ) -> None:
        """Compress the records, write the header and the checksum; does nothing the second time."""
        if self.is_finished:
            return
        records = self.records
        if compression_type:
            assert compress is not None
            with memoryview(records) as whole, whole[HEADER_SIZE_BYTES:] as plain:
                compressed = compress(compression_type, plain, level)
            records = bytearray(HEADER_SIZE_BYTES)
            records += compressed
        HEADER.pack_into(
            records,
            0,
            0,
            len(records) - LENGTH_END,
            -1,
            MAGIC_V2,
            0,
            compression_type | (TRANSACTIONAL_FLAG if self.is_transactional else 0),
            self.records_count - 1,
            self.base_timestamp,
            self.max_timestamp,
            self.producer_id,
            self.producer_epoch,
            self.base_sequence,
            self.records_count,
        )
        write_checksum(records)
        # One statement without a call: Ctrl-C comes before it, and the plain records are taken once more, or after it.
        self.records, self.is_finished = records, True


class OpenBatch:
    """The batch a partition's records are encoded into right now; one per producer and partition.

    ``start`` opens one with its first record, ``append`` adds a record or returns None where it does not fit (or
    nothing is open), ``detach`` moves it to ``sealed``, finished unless it is to be compressed.  Each is atomic.

    ``detach`` gives the batch the producer's id and epoch and its records the next sequence numbers, which wrap after
    2**31 - 1; with a ``producer_id`` of -1 there are none.
    """

    def __init__(self) -> None:
        self._open_lock = threading.Lock()
        self._buffer = bytearray()
        self._limit = 0
        self._base_timestamp = 0
        self._max_timestamp = 0
        self.open_count = 0
        self.open_delivery: Any = None
        self.is_dirty = False
        self.compression_type = 0
        self.producer_id = -1
        self.producer_epoch = -1
        self.next_sequence = -1
        self.is_transactional = False
        self.sealed: list[SealedBatch] = []

    def start(
        self,
        delivery: Any,
        limit_bytes: int,
        key: Buffer | None,
        value: Buffer | None,
        headers: HeaderList | None,
        timestamp_ms: int,
    ) -> FutureRecordMetadata | None:
        """Open a batch with its first record, which may be larger than ``limit_bytes``; None: one is open already."""
        if headers:
            check_headers(headers)
        buffer = bytearray(HEADER_SIZE_BYTES)
        write_record(buffer, 0, 0, key, value, headers or ())
        with self._open_lock:
            if self.open_delivery is not None:
                return None
            self._buffer = buffer
            self._limit = limit_bytes
            self._base_timestamp = self._max_timestamp = timestamp_ms
            self.open_count = 1
            self.open_delivery = delivery
        return _future(delivery, 0, key, value, headers, timestamp_ms)

    def append(
        self, key: Buffer | None, value: Buffer | None, headers: HeaderList | None, timestamp_ms: int
    ) -> FutureRecordMetadata | None:
        """Add a record: key and value bytes or None, headers a list of pairs; the record's future, or None."""
        if headers:
            check_headers(headers)
        with self._open_lock:
            delivery = self.open_delivery
            if delivery is None:
                return None
            count = self.open_count
            size = len(self._buffer)
            write_record(self._buffer, timestamp_ms - self._base_timestamp, count, key, value, headers or ())
            if len(self._buffer) > self._limit:
                del self._buffer[size:]
                return None
            if timestamp_ms > self._max_timestamp:
                self._max_timestamp = timestamp_ms
            self.open_count = count + 1
        return _future(delivery, count, key, value, headers, timestamp_ms)

    def detach(self) -> bool:
        """Move the open batch to the end of ``sealed``; False where none is open."""
        with self._open_lock:
            if self.open_delivery is None:
                return False
            batch = SealedBatch(
                self._buffer,
                self.open_delivery,
                self.open_count,
                self._base_timestamp,
                self._max_timestamp,
                producer_id=self.producer_id,
                producer_epoch=self.producer_epoch,
                base_sequence=self.next_sequence,
                is_transactional=self.is_transactional,
            )
            next_sequence = self.next_sequence
            if self.producer_id >= 0:
                next_sequence = (next_sequence + self.open_count) & 0x7FFFFFFF
            end = len(self.sealed)
            # One statement without a call: the interpreter looks for Ctrl-C before it or after it.
            self.sealed[end:], self.next_sequence, self.open_delivery = (batch,), next_sequence, None
            self._buffer = bytearray()
            self.open_count = 0
        if not self.compression_type:
            batch.finish()
        return True


def _future(
    delivery: Any, index: int, key: Buffer | None, value: Buffer | None, headers: HeaderList | None, timestamp_ms: int
) -> FutureRecordMetadata:
    return FutureRecordMetadata(
        delivery,
        index,
        timestamp_ms,
        -1 if key is None else len(key),
        -1 if value is None else len(value),
        sum(len(name.encode()) + len(content or b"") for name, content in headers) if headers else -1,
    )


def check_headers(headers: Any) -> None:
    """Check that headers are pairs of name and bytes.

    Raises:
        TypeError: they are not.
    """
    if not isinstance(headers, list | tuple):
        raise TypeError(f"headers must be a list of (str, bytes) tuples, not {type(headers).__name__}")
    for item in headers:
        if not (
            isinstance(item, tuple)
            and len(item) == 2
            and isinstance(item[0], str)
            and (item[1] is None or isinstance(item[1], bytes | bytearray | memoryview))
        ):
            raise TypeError(f"a header is a tuple of str and bytes, not {item!r}")


class TopicLanes:
    """A topic's lanes by partition, and where its records without a key go at the moment (KIP-794)."""

    def __init__(self, lanes: Sequence[Any], sticky_partition: int, sticky_bytes_left: int) -> None:
        self.lanes = tuple(lanes)
        self.sticky_partition = sticky_partition
        self.sticky_bytes_left = sticky_bytes_left


class SendPath:
    """What every ``send`` runs through; ``KafkaProducer`` inherits from it and does what is rare.

    The subclass fills ``_topics`` (see ``_set_topic``), sets ``_detour`` while every record needs the long way
    (interceptors, a custom partitioner, closed), and implements:

    * ``_send_rare(topic, value, key, headers, partition, timestamp_ms)``: the whole send, from the arguments on;
    * ``_encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)``: key and value are serialized, but
      are of other types than bytes, or the partition is still to be chosen;
    * ``_append_rare(lane, key, value, headers, timestamp_ms)``: the lane has no open batch, or the record does not
      fit.

    Each returns the record's future.
    """

    _detour = True

    def _init_path(self, clock: Any, key_serializer: Any, value_serializer: Any) -> None:
        """Where the time comes from, and how keys and values become bytes: a callable, a Serializer or None."""
        self._topics: dict[str, TopicLanes] = {}
        self._now_ms: Callable[[], int] = clock.now_ms
        self._convert_key = _serialization(key_serializer)
        self._convert_value = _serialization(value_serializer)

    def _set_topic(self, topic: str, lanes: TopicLanes | None) -> None:
        """Send the topic's records through these lanes; None forgets the topic."""
        if lanes is None:
            self._topics.pop(topic, None)
        else:
            self._topics[topic] = lanes

    def _topic_lanes(self, topic: str) -> TopicLanes | None:
        """The topic's lanes, or None."""
        return self._topics.get(topic)

    def _serialize(self, topic: str, headers: Any, key: Any, value: Any) -> tuple[Any, Any]:
        """Key and value as their serializers give them."""
        if self._convert_key is not None:
            key = self._convert_key(topic, headers, key)
        if self._convert_value is not None:
            value = self._convert_value(topic, headers, value)
        return key, value

    def _timestamp_now_ms(self) -> int:
        """The wall clock, milliseconds since the epoch."""
        return self._now_ms()

    def send(
        self,
        topic: str | ProducerRecord,
        value: Any = None,
        key: Any = None,
        headers: Sequence[tuple[str, Buffer | None]] | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> FutureRecordMetadata:
        """Encode a record into its partition's open batch and return at once; its future tells what became of it.

        Args:
            topic: where it goes; or a ``ProducerRecord`` in place of all arguments.
            value: what the value serializer takes, bytes without one; None is a tombstone and needs a key.
            key: what the key serializer takes, bytes without one; equal keys go to one partition.
            headers: a list of (str, bytes) tuples.
            partition: from 0 on; None lets the partitioner choose.
            timestamp_ms: milliseconds since the epoch; None is now.

        Raises:
            KafkaTimeoutError: no such topic appeared, or no buffer memory came free, within ``max_block_ms``.
            MessageSizeTooLargeError: it is larger than ``max_request_size`` or ``buffer_memory``.
            TypeError: not bytes after its serializer, or an argument of another wrong type.
            ValueError: neither key nor value, an illegal topic name, or a partition that the topic does not have.
            IllegalStateError: the producer or its engine is closed.

        What the broker refuses a record for is raised by the future.
        """
        if self._detour or headers is not None or (value is None and key is None) or not isinstance(topic, str):
            return self._send_rare(topic, value, key, headers, partition, timestamp_ms)
        lanes = self._topics.get(topic)
        if lanes is None:
            return self._send_rare(topic, value, key, headers, partition, timestamp_ms)
        if self._convert_key is not None:
            key = self._convert_key(topic, None, key)
        if self._convert_value is not None:
            value = self._convert_value(topic, None, value)
        if (
            (key is not None and type(key) is not bytes)
            or (value is not None and type(value) is not bytes)
            or (timestamp_ms is not None and (type(timestamp_ms) is not int or not 0 <= timestamp_ms < 1 << 63))
        ):
            return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
        if partition is not None:
            if type(partition) is not int or not 0 <= partition < len(lanes.lanes):
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
        elif key is not None:
            partition = (murmur2(key) & 0x7FFFFFFF) % len(lanes.lanes)
        else:
            if value is None or lanes.sticky_bytes_left <= 0:
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
            partition = lanes.sticky_partition
            lanes.sticky_bytes_left -= len(value)
        if timestamp_ms is None:
            timestamp_ms = self._now_ms()
        lane = lanes.lanes[partition]
        if lane.is_dirty:
            future: FutureRecordMetadata | None = lane.append(key, value, None, timestamp_ms)
            if future is not None:
                return future
        return self._append_rare(lane, key, value, None, timestamp_ms)

    def _send_rare(
        self, topic: Any, value: Any, key: Any, headers: Any, partition: int | None, timestamp_ms: int | None
    ) -> FutureRecordMetadata:
        raise NotImplementedError

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
        raise NotImplementedError

    def _append_rare(
        self, lane: Any, key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int
    ) -> FutureRecordMetadata:
        raise NotImplementedError


def _serialization(serializer: Any) -> Callable[[str, Any, Any], Any] | None:
    if serializer is None:
        return None
    if hasattr(serializer, "serialize"):
        return lambda topic, headers, data: serializer.serialize(topic, [] if headers is None else headers, data)
    return lambda topic, headers, data: serializer(data)
