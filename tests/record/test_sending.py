"""From send to the open batch, in both codecs: encoding, futures, threads."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2 as kafka_python_murmur2
from record.codecs import CODECS

from embedkafka.clock import ManualClock, SystemClock
from embedkafka.errors import KafkaTimeoutError
from embedkafka.model import TopicPartition
from embedkafka.record import _send_py, compress, decode_batch, read_header, verify_checksum

# Keys and hashes that Java's own test pins (UtilsTest.testMurmur2).
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def test_murmur2_is_javas(codec: Any) -> None:
    assert {key: codec.murmur2(key) for key in JAVA} == JAVA


@given(data=st.binary(max_size=70))
def test_murmur2_is_kafka_pythons(data: bytes) -> None:
    unsigned = kafka_python_murmur2(data)
    for codec in CODECS.values():
        assert codec.murmur2(data) & 0xFFFFFFFF == unsigned
        assert codec.murmur2(memoryview(data)) == codec.murmur2(bytearray(data)) == codec.murmur2(data)


class Delivery:
    """A batch's delivery, done when a test says so."""

    def __init__(self) -> None:
        self.topic_partition = TopicPartition("t", 3)
        self.is_done = False
        self.error: Any = None
        self.base_offset = -1
        self.log_append_time_ms = -1
        self.waits: list[Any] = []
        self.subscribed: list[Any] = []

    def wait(self, timeout: Any) -> None:
        self.waits.append(timeout)

    def subscribe(self, future: Any, on_success: Any, on_failure: Any) -> None:
        self.subscribed.append((future, on_success, on_failure))

    def seal(self) -> None:
        pass


class Lane:
    """An open batch that starts itself, with one delivery."""

    def __init__(self, codec: Any, limit_bytes: int = 1 << 20) -> None:
        self.batch = codec.OpenBatch()
        self.delivery = Delivery()
        self.limit_bytes = limit_bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.batch, name)

    def append(self, key: Any, value: Any, headers: Any, timestamp_ms: int) -> Any:
        if self.batch.open_delivery is None:
            return self.batch.start(self.delivery, self.limit_bytes, key, value, headers, timestamp_ms)
        return self.batch.append(key, value, headers, timestamp_ms)


def lane_of(codec: Any, limit_bytes: int = 1 << 20) -> Any:
    return Lane(codec, limit_bytes)


def sealed_records(lane: Any) -> list[Any]:
    lane.detach()
    records = []
    for batch in lane.sealed:
        batch.finish()
        verify_checksum(batch.records)
        records += decode_batch(batch.records)
    return records


# -- the open batch ----------------------------------------------------------------------------------------------------


def test_nothing_is_appended_where_no_batch_is_open(codec: Any) -> None:
    lane = codec.OpenBatch()
    assert lane.append(b"k", b"v", None, 0) is None
    assert not lane.detach()
    assert lane.open_delivery is None


def test_a_lane_has_one_open_batch(codec: Any) -> None:
    lane = codec.OpenBatch()
    delivery = Delivery()
    assert lane.start(delivery, 1000, b"k", b"v", None, 0) is not None
    assert lane.start(Delivery(), 1000, b"k", b"v", None, 0) is None
    assert lane.open_delivery is delivery
    assert lane.open_count == 1


def test_a_record_that_does_not_fit_is_not_appended(codec: Any) -> None:
    lane = lane_of(codec, 300)
    assert lane.append(None, b"x" * 100, None, 0) is not None
    assert lane.append(None, b"x" * 100, None, 0) is not None
    assert lane.append(None, b"x" * 100, None, 0) is None
    assert lane.open_count == 2
    assert [r.value for r in sealed_records(lane)] == [b"x" * 100] * 2
    assert len(lane.sealed[0].records) <= 300


def test_the_first_record_fits_always(codec: Any) -> None:
    lane = lane_of(codec, 0)
    assert lane.append(b"k" * 500, b"x" * 5000, [("h", b"y" * 500)], 0) is not None
    assert lane.append(None, b"", None, 0) is None
    (record,) = sealed_records(lane)
    assert (len(record.key), len(record.value)) == (500, 5000)


def test_a_sealed_batch_knows_what_is_in_it(codec: Any) -> None:
    lane = lane_of(codec)
    delivery = lane.delivery
    for timestamp in (50, 70, 60):
        lane.append(b"k", b"v", None, timestamp)
    assert lane.detach()
    assert not lane.detach()
    (batch,) = lane.sealed
    assert batch.delivery is delivery
    assert (batch.records_count, batch.base_timestamp, batch.max_timestamp) == (3, 50, 70)
    batch.finish()
    once = bytes(batch.records)
    batch.finish()
    assert bytes(batch.records) == once
    header = read_header(batch.records)
    assert (header.base_offset, header.partition_leader_epoch, header.last_offset_delta) == (0, -1, 2)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (-1, -1, -1)


@pytest.mark.parametrize(
    "headers", [["x"], [("a",)], [("a", b"b", b"c")], [(b"a", b"b")], [("a", "b")], [["a", b"b"]], "text", 7]
)
def test_headers_that_are_no_pairs_are_refused_and_nothing_is_appended(codec: Any, headers: Any) -> None:
    lane = lane_of(codec)
    with pytest.raises(TypeError):
        lane.append(None, b"v", headers, 0)
    assert lane.open_count == 0


# -- futures -----------------------------------------------------------------------------------------------------------


def test_a_future_gives_its_records_place_and_sizes(codec: Any) -> None:
    lane = lane_of(codec)
    delivery = lane.delivery
    lane.append(None, b"0", None, 10)
    future = lane.append(b"key", b"value", [("näme", b"x")], 20)
    assert not future.is_done
    assert not future.succeeded()
    assert not future.failed()
    assert not future.retriable()
    assert future.value is None
    assert future.exception is None

    delivery.base_offset, delivery.is_done = 100, True
    assert future.get() == ("t", 3, TopicPartition("t", 3), 101, 20, None, 3, 5, 6)
    assert future.value == future.get(timeout=1)
    assert future.succeeded()
    assert delivery.waits == []


def test_a_future_has_the_brokers_time_where_the_broker_gives_one(codec: Any) -> None:
    lane = lane_of(codec)
    future = lane.append(None, None, None, 20)
    delivery = lane.delivery
    delivery.base_offset, delivery.log_append_time_ms, delivery.is_done = -1, 777, True
    metadata = future.get()
    assert (metadata.timestamp, metadata.offset) == (777, -1)
    assert (metadata.serialized_key_size, metadata.serialized_value_size) == (-1, -1)
    assert metadata.serialized_header_size == -1


def test_a_failed_future_raises(codec: Any) -> None:
    lane = lane_of(codec)
    future = lane.append(None, b"v", None, 0)
    delivery = lane.delivery
    delivery.error, delivery.is_done = KafkaTimeoutError("late"), True
    with pytest.raises(KafkaTimeoutError, match="late"):
        future.get()
    assert future.failed()
    assert future.retriable()
    assert future.value is None
    assert isinstance(future.exception, KafkaTimeoutError)


def test_get_waits_for_the_delivery(codec: Any) -> None:
    lane = lane_of(codec)
    lane.append(None, b"v", None, 0).get(timeout=2.5)
    assert lane.delivery.waits == [2.5]


def test_callbacks_go_to_the_delivery_with_their_arguments_bound(codec: Any) -> None:
    lane = lane_of(codec)
    future = lane.append(None, b"v", None, 0)
    calls: list[Any] = []

    def call(*args: Any, **kwargs: Any) -> None:
        calls.append((args, kwargs))

    assert future.add_callback(call, 1, a=2) is future
    assert future.add_errback(call, 3) is future
    assert future.add_both(call) is future
    subscribed = lane.delivery.subscribed
    assert [(bool(success), bool(failure)) for _, success, failure in subscribed] == [(1, 0), (0, 1), (1, 1)]
    subscribed[0][1]("metadata")
    subscribed[1][2]("error")
    subscribed[2][1]("metadata")
    assert calls == [((1, "metadata"), {"a": 2}), ((3, "error"), {}), (("metadata",), {})]


# -- the way of a send -------------------------------------------------------------------------------------------------


def sender(codec: Any, clock: Any = None, partitions: int = 4, **serializers: Any) -> Any:
    class Sender(codec.SendPath):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self._init_path(clock or SystemClock(), serializers.get("key"), serializers.get("value"))
            self.lanes = [codec.OpenBatch() for _ in range(partitions)]
            self.rare: list[Any] = []
            for lane in self.lanes:
                lane.start(Delivery(), 1 << 20, None, b"first", None, 5_000)
                lane.is_dirty = True
            self._set_topic("t", codec.TopicLanes(self.lanes, 2, 1000))
            self._detour = False

        def _send_rare(self, *arguments: Any) -> Any:
            self.rare.append(("send", *arguments))

        def _encoded_rare(self, lanes: Any, *arguments: Any) -> Any:
            self.rare.append(("encoded", *arguments))

        def _append_rare(self, lane: Any, *arguments: Any) -> Any:
            self.rare.append(("append", self.lanes.index(lane), *arguments))

    return Sender()


def sent(path: Any, partition: int) -> list[Any]:
    """What was sent to a partition; every lane of a sender begins with a record of its own."""
    first, *others = sealed_records(path.lanes[partition])
    assert first.value == b"first"
    return others


def test_a_keyed_record_goes_where_murmur2_says(codec: Any) -> None:
    path = sender(codec)
    for number in range(50):
        assert path.send("t", b"v", b"%d" % number, timestamp_ms=5) is not None
    assert path.rare == []
    for partition in range(4):
        assert [r.key for r in sent(path, partition)] == [
            b"%d" % n for n in range(50) if (codec.murmur2(b"%d" % n) & 0x7FFFFFFF) % 4 == partition
        ]


def test_a_record_without_a_key_sticks_to_a_partition_until_its_bytes_are_used_up(codec: Any) -> None:
    path = sender(codec)
    for _ in range(5):
        path.send("t", b"x" * 250)
    assert [lane.open_count - 1 for lane in path.lanes] == [0, 0, 4, 0]
    assert [(call[0], call[3]) for call in path.rare] == [("encoded", b"x" * 250)]


def test_a_partition_can_be_named(codec: Any) -> None:
    path = sender(codec)
    future = path.send("t", value=b"v", partition=1, timestamp_ms=9)
    assert path.lanes[1].open_count == 2
    assert future.batch_index == 1
    for wrong in (4, -1, "1", 2.0):
        path.send("t", value=b"v", partition=wrong)
    assert [call[0] for call in path.rare] == ["encoded"] * 4


def test_what_is_rare_takes_the_long_way(codec: Any) -> None:
    path = sender(codec)
    path.send("unknown", b"v")
    path.send("t", None, None)
    path.send("t", b"v", headers=[("a", b"b")])
    path.send(["no topic"], b"v")
    path.send("t", bytearray(b"v"), b"k")
    path.send("t", "text", b"k")
    path._detour = True
    path.send("t", b"v", b"k", None, 1, 2)
    assert [call[0] for call in path.rare] == ["send", "send", "send", "send", "encoded", "encoded", "send"]
    assert path.rare[-1] == ("send", "t", b"v", b"k", None, 1, 2)


def test_a_lane_that_nobody_knows_of_takes_the_long_way(codec: Any) -> None:
    path = sender(codec, partitions=1)
    path.lanes[0].is_dirty = False
    path.send("t", b"v", b"k", timestamp_ms=3)
    assert path.rare == [("append", 0, b"k", b"v", None, 3)]


def test_a_full_batch_takes_the_long_way_with_what_was_serialized(codec: Any) -> None:
    calls: list[Any] = []

    def serialize(value: Any) -> bytes:
        calls.append(value)
        return b"%d" % value

    path = sender(codec, partitions=1, value=serialize)
    path.lanes[0].detach()
    path.send("t", 7, b"k", timestamp_ms=3)
    assert path.rare == [("append", 0, b"k", b"7", None, 3)]
    assert calls == [7]


def test_serializers_are_callables_or_objects(codec: Any) -> None:
    class Topical:
        def serialize(self, topic: str, headers: Any, data: Any) -> bytes:
            return f"{topic}{headers}{data}".encode()

    path = sender(codec, partitions=1, key=Topical(), value=lambda value: None if value is None else value.encode())
    path.send("t", "text", 5, timestamp_ms=1)
    path.send("t", None, 6, timestamp_ms=1)
    assert [(r.key, r.value) for r in sent(path, 0)] == [(b"t[]5", b"text"), (b"t[]6", None)]


def test_a_forgotten_topic_takes_the_long_way_again(codec: Any) -> None:
    path = sender(codec)
    path.send("t", b"v", b"k")
    path._set_topic("t", None)
    path.send("t", b"v", b"k")
    assert [call[0] for call in path.rare] == ["send"]
    assert path._topic_lanes("t") is None


def test_timestamps_come_from_the_clock(codec: Any) -> None:
    clock = ManualClock(5_000)
    path = sender(codec, clock, partitions=1)
    path.send("t", b"v", b"k")
    clock.advance(11)
    path.send("t", b"v", b"k")
    path.send("t", b"v", b"k", timestamp_ms=1)
    assert [r.timestamp for r in sent(path, 0)] == [5_000, 5_011, 1]

    system = SystemClock()
    path = sender(codec, system, partitions=1)
    before = system.now_ms()
    path.send("t", b"v", b"k")
    assert before <= sent(path, 0)[0].timestamp <= system.now_ms()


def test_threads_that_append_and_seal_lose_and_repeat_nothing(codec: Any) -> None:
    """Every record is in exactly one sealed batch, in each sender's order, and its future points at it."""
    senders, each = 4, 400
    path = sender(codec, partitions=2)
    path._append_rare = None
    stop = threading.Event()
    futures: list[list[Any]] = [[] for _ in range(senders)]
    reopen = threading.Lock()

    class Sender(type(path)):  # type: ignore[misc]
        def _append_rare(self, lane: Any, key: Any, value: Any, headers: Any, timestamp_ms: int) -> Any:
            while True:
                future = lane.append(key, value, headers, timestamp_ms)
                if future is not None:
                    return future
                lane.detach()
                future = lane.start(Delivery(), 700, key, value, headers, timestamp_ms)
                if future is not None:
                    return future

    path = Sender()

    def send(number: int) -> None:
        for count in range(each):
            futures[number].append(path.send("t", b"%d.%d" % (number, count), b"%d" % number))

    def seal() -> None:
        while not stop.is_set():
            for lane in path.lanes:
                with reopen:
                    lane.detach()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=send, args=(number,)) for number in range(senders)]
        sealer = threading.Thread(target=seal)
        sealer.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stop.set()
        sealer.join()
    finally:
        sys.setswitchinterval(interval)

    found: dict[bytes, tuple[Any, int]] = {}
    in_order: dict[bytes, list[int]] = {}
    for lane in path.lanes:
        lane.detach()
        for batch in lane.sealed:
            batch.finish()
            verify_checksum(batch.records)
            for record in decode_batch(batch.records):
                if record.value == b"first":
                    continue
                assert record.value not in found, "twice"
                found[record.value] = batch.delivery, record.offset
                who, count = record.value.split(b".")
                in_order.setdefault(who, []).append(int(count))
    assert len(found) == senders * each
    assert all(counts == list(range(each)) for counts in in_order.values())
    for number in range(senders):
        for count, future in enumerate(futures[number]):
            assert found[b"%d.%d" % (number, count)] == (future.delivery, future.batch_index)


def test_a_batch_whose_finishing_was_interrupted_is_compressed_once(
    codec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = Lane(codec)
    lane.batch.compression_type = 1
    lane.append(b"k", b"v", None, 5)
    lane.detach()
    (batch,) = lane.sealed

    def interrupted(records: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):  # which the compiled codec has no place for
        patched.setattr(_send_py, "write_checksum", interrupted)
        batch.finish(1, compress)
    batch.finish(1, compress)
    verify_checksum(batch.records)
    assert [(record.key, record.value) for record in decode_batch(batch.records)] == [(b"k", b"v")]
