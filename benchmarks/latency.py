"""How long a record takes to a consumer waiting in another thread, beside the plainest queue that Python has."""

from __future__ import annotations

import gc
import queue
import statistics
import threading
import time
from collections.abc import Callable

from benchmarks import _peers
from benchmarks._harness import Claim, Contender, Goal, Sample
from benchmarks._project import TOPIC, engine, producer, reader

PROJECT = "poll() of a waiting consumer"
SIMPLE_QUEUE = "queue.SimpleQueue"
PAUSE_S = 0.0005  # long enough for the waiter to be waiting again


def _measure(count: int, send: Callable[[bytes], object], receive: Callable[[], bytes]) -> Sample:
    """Send the time of sending; let the other thread subtract it from the time of arrival."""
    delays_ns: list[int] = []
    arrived = threading.Semaphore(0)

    def wait_for_records() -> None:
        for _ in range(count):
            sent_ns = int(receive())
            delays_ns.append(time.perf_counter_ns() - sent_ns)
            arrived.release()

    gc.collect()
    waiter = threading.Thread(target=wait_for_records)
    waiter.start()
    for _ in range(count):
        time.sleep(PAUSE_S)
        send(b"%d" % time.perf_counter_ns())
        assert arrived.acquire(timeout=30), "a record did not arrive"
    waiter.join()
    delays_us = sorted(delay / 1000 for delay in delays_ns)
    percentiles = {f"p{share}_us": delays_us[min(count - 1, count * share // 100)] for share in (50, 90, 99)}
    return Sample(values={**percentiles, "mean_us": statistics.fmean(delays_us)})


def project(count: int) -> Sample:
    with engine(None) as kafka, producer(kafka) as client, reader(kafka) as consumer:

        def receive() -> bytes:
            while not (records := consumer.poll(timeout_ms=30_000)):
                pass
            ((record,),) = records.values()
            return record.value  # type: ignore[no-any-return]

        return _measure(count, lambda value: client.send(TOPIC, value=value), receive)


def simple_queue(count: int) -> Sample:
    channel: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    return _measure(count, channel.put, channel.get)


def confluent(count: int) -> Sample:
    with _peers.mock_cluster() as client, _peers.mock_consumer(client) as (consumer, partitions):
        consumer.assign(partitions)
        client.produce(_peers.TOPIC, b"0")  # the first fetch is not what is measured
        while consumer.poll(10) is None:
            pass

        def receive() -> bytes:
            while (message := consumer.poll(10)) is None:
                pass
            return message.value()  # type: ignore[no-any-return]

        return _measure(count, lambda value: client.produce(_peers.TOPIC, value), receive)


CLAIM = Claim(
    "latency",
    "microseconds from send() to a consumer that waits in another thread",
    [
        Contender(PROJECT, project),
        Contender(SIMPLE_QUEUE, simple_queue, "bound"),
        Contender(_peers.CONFLUENT, confluent, "peer", share=0.01, needs="confluent_kafka"),
    ],
    [Goal(PROJECT, SIMPLE_QUEUE, 2.0, "p50_us"), Goal(PROJECT, SIMPLE_QUEUE, 3.0, "p99_us")],
    count=2_000,
    quick_count=200,
    show=["p50_us", "p90_us", "p99_us", "mean_us"],
)
