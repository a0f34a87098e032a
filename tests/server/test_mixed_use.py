"""Clients inside and outside the process on one engine: the same groups, the same transactions."""

from __future__ import annotations

import socket
import struct

import pytest
from confluent_kafka import Consumer, Producer
from kafka import KafkaConsumer as RemoteConsumer
from kafka import KafkaProducer as RemoteProducer
from kafka import TopicPartition as RemotePartition
from server.peers import WirePeer, fetch_request
from server.waiting import wait_until

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_00_produce import PartitionProduceData, ProduceRequest, TopicProduceData
from embedkafka.protocol.apis.api_22_init_producer_id import InitProducerIdRequest
from embedkafka.record import encode_batch
from embedkafka.server.listener import Listener


@pytest.fixture(autouse=True)
def _test_leaves_nothing_behind() -> None:
    """Librdkafka's threads end in their own time."""


@pytest.fixture(autouse=True, scope="module")
def _module_leaves_nothing_behind() -> None:
    """As above."""


def test_an_in_process_and_a_remote_consumer_share_a_group(kafka: EmbeddedKafka, listener: Listener) -> None:
    kafka.create_topic("t", 4)
    inside = kafka.consumer("t", group_id="g", auto_offset_reset="earliest")
    outside = RemoteConsumer(
        "t", group_id="g", bootstrap_servers=listener.address, auto_offset_reset="earliest", heartbeat_interval_ms=100
    )

    def is_shared() -> bool:
        inside.poll(timeout_ms=20)
        outside.poll(timeout_ms=20)
        return len(inside.assignment()) == len(outside.assignment()) == 2

    wait_until(is_shared, timeout_s=30)
    producer = kafka.producer()
    for number in range(100):
        producer.send("t", b"%d" % number, partition=number % 4)
    seen: list[bytes] = []
    sides: set[str] = set()

    def read() -> bool:
        for side, consumer in (("in", inside), ("out", outside)):
            for records in consumer.poll(timeout_ms=20).values():
                seen.extend(record.value for record in records)
                sides.add(side)
        return len(seen) >= 100

    wait_until(read, timeout_s=30)
    assert sorted(seen, key=int) == [b"%d" % number for number in range(100)]
    assert sides == {"in", "out"}
    outside.close()
    wait_until(lambda: inside.poll(timeout_ms=20) is not None and len(inside.assignment()) == 4, timeout_s=30)
    inside.close()
    producer.close()


def test_an_in_process_transaction_is_invisible_to_a_remote_reader_until_it_commits(
    kafka: EmbeddedKafka, listener: Listener
) -> None:
    kafka.create_topic("t")
    reader = Consumer(
        {
            "bootstrap.servers": listener.address,
            "group.id": "g",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    reader.subscribe(["t"])
    producer = kafka.producer(transactional_id="x")
    producer.init_transactions()
    with producer.transaction():
        producer.send("t", b"first")
    assert next_value(reader) == b"first"
    producer.begin_transaction()
    producer.send("t", b"open").get()
    assert reader.poll(0.5) is None
    producer.commit_transaction()
    assert next_value(reader) == b"open"
    producer.begin_transaction()
    producer.send("t", b"aborted").get()
    producer.abort_transaction()
    with producer.transaction():
        producer.send("t", b"last")
    assert next_value(reader) == b"last"
    reader.close()
    producer.close()


def next_value(reader: Consumer) -> bytes:
    found: list[bytes] = []

    def is_there() -> bool:
        message = reader.poll(0.2)
        if message is not None and message.error() is None:
            found.append(message.value())
        return bool(found)

    wait_until(is_there, timeout_s=30)
    return found[0]


def test_what_a_remote_producer_sends_wakes_a_reader_in_the_process(kafka: EmbeddedKafka, listener: Listener) -> None:
    kafka.create_topic("t")
    consumer = kafka.consumer("t", auto_offset_reset="earliest")
    producer = Producer({"bootstrap.servers": listener.address, "linger.ms": 0})
    producer.produce("t", b"hello")
    producer.flush(10)
    (records,) = consumer.poll(timeout_ms=10_000).values()
    assert [record.value for record in records] == [b"hello"]
    consumer.close()


def test_what_send_has_accepted_is_there_for_a_remote_reader(kafka: EmbeddedKafka, listener: Listener) -> None:
    kafka.create_topic("t")
    producer = kafka.producer(linger_ms=60_000)
    producer.send("t", b"in an open batch")
    consumer = RemoteConsumer(
        bootstrap_servers=listener.address, auto_offset_reset="earliest", consumer_timeout_ms=5000
    )
    consumer.assign([RemotePartition("t", 0)])
    assert next(consumer).value == b"in an open batch"
    consumer.close()
    producer.close()


def test_offsets_committed_outside_are_found_inside(kafka: EmbeddedKafka, listener: Listener) -> None:
    kafka.create_topic("t")
    producer = RemoteProducer(bootstrap_servers=listener.address)
    for number in range(10):
        producer.send("t", b"%d" % number)
    producer.flush()
    producer.close()
    outside = RemoteConsumer("t", group_id="g", bootstrap_servers=listener.address, auto_offset_reset="earliest")
    seen: list[object] = []
    wait_until(lambda: bool(seen.extend(outside.poll(100, max_records=4).values()) or seen), timeout_s=30)
    outside.commit()
    position = outside.position(RemotePartition("t", 0))
    outside.close(autocommit=False)
    inside = kafka.consumer("t", group_id="g")
    wait_until(lambda: inside.poll(timeout_ms=50) is not None and bool(inside.assignment()))
    committed = inside.committed(TopicPartition("t", 0))
    assert committed is not None
    assert position <= committed
    inside.close()


def test_a_producer_that_vanishes_within_its_transaction_is_timed_out() -> None:
    clock = ManualClock()
    with EmbeddedKafka(clock=clock) as kafka:
        listener = kafka.listen()
        kafka.create_topic("t")
        with WirePeer(listener) as peer:
            started = peer.ask(22, 4, InitProducerIdRequest("x", 10_000))
            records = memoryview(
                encode_batch(
                    [(clock.now_ms(), None, b"lost", ())],
                    producer_id=started.producer_id,
                    producer_epoch=started.producer_epoch,
                    base_sequence=0,
                    is_transactional=True,
                )
            )
            request = ProduceRequest(
                "x", -1, 1000, [TopicProduceData("t", partition_data=[PartitionProduceData(0, records)])]
            )
            # From version 12 on the first batch adds its partition.
            response = peer.ask(0, 12, request)
            assert response.responses[0].partition_responses[0].error_code == 0
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with WirePeer(listener) as reader:
            (topic,) = reader.ask(1, 12, fetch_request("t", 0, isolation_level=1)).responses
            assert topic.partitions[0].last_stable_offset == 0
            clock.advance(30_000)
            (topic,) = reader.ask(1, 12, fetch_request("t", 0, isolation_level=1)).responses
            assert topic.partitions[0].last_stable_offset == 2  # the record and its abort marker
            assert [each.producer_id for each in topic.partitions[0].aborted_transactions] == [started.producer_id]
