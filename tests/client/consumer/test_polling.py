"""Poll: what it returns, how many, in which order, how long it waits."""

from __future__ import annotations

import threading
import time

import pytest
from client.consumer.records import Consumers, numbers, send, values

from embedkafka import EmbeddedKafka, TopicPartition, errors

TP = TopicPartition("t", 0)


def test_records_come_in_offset_order_by_partition(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    send(kafka, "t", numbers(3), partition=0)
    send(kafka, "t", numbers(2, start=3), partition=1)
    polled = consumer("t").poll(0)
    assert {tp: [(r.offset, r.value) for r in records] for tp, records in polled.items()} == {
        TopicPartition("t", 0): [(0, b"0"), (1, b"1"), (2, b"2")],
        TopicPartition("t", 1): [(0, b"3"), (1, b"4")],
    }


def test_max_records_bounds_a_poll_and_nothing_is_left_out(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 3)
    for partition in range(3):
        send(kafka, "t", numbers(10, start=10 * partition), partition=partition)
    client = consumer("t")
    polls = [values(client.poll(0, max_records=4)) for _ in range(9)]
    assert [len(polled) for polled in polls[:7]] == [4] * 7
    assert polls[8] == []
    assert sorted(value for polled in polls for value in polled) == sorted(numbers(30))


def test_max_poll_records_bounds_a_poll_by_default(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(10))
    client = consumer("t", max_poll_records=7)
    assert [len(values(client.poll(0))) for _ in range(3)] == [7, 3, 0]


def test_partitions_take_turns(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 3)
    for partition in range(3):
        send(kafka, "t", numbers(100), partition=partition)
    client = consumer("t")
    turns = [next(iter(client.poll(0, max_records=5))).partition for _ in range(9)]
    assert sorted(turns[:3]) == [0, 1, 2]
    assert turns[:3] == turns[3:6] == turns[6:]


def test_a_partition_that_gets_records_later_is_not_kept_waiting_behind_a_long_one(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t", 2)
    send(kafka, "t", numbers(5_000), partition=0)
    client = consumer("t")
    client.poll(0, max_records=10)
    send(kafka, "t", [b"late"], partition=1)
    assert any(b"late" in values(client.poll(0, max_records=10)) for _ in range(12))


def test_update_offsets_false_leaves_the_position(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    client = consumer("t")
    assert values(client.poll(0, update_offsets=False)) == numbers(3)
    assert client.position(TP) == 0
    assert values(client.poll(0)) == numbers(3)
    assert client.position(TP) == 3


def test_poll_waits_the_whole_timeout_by_the_engines_clock(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t")
    client = consumer("t")
    began_ms = kafka.clock.monotonic_ms()
    assert client.poll(1_234) == {}
    assert kafka.clock.monotonic_ms() - began_ms == 1_234


def test_poll_zero_does_not_wait(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    began_ms = kafka.clock.monotonic_ms()
    assert client.poll(0) == {}
    assert kafka.clock.monotonic_ms() == began_ms


def test_waiting_for_ever_on_a_clock_that_nothing_moves_raises_instead_of_hanging(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t")
    with pytest.raises(RuntimeError, match="ManualClock"):
        consumer("t").poll(float("inf"))


def test_fetch_min_bytes_is_waited_for_at_most_fetch_max_wait_ms(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", [b"small"])
    client = consumer("t", fetch_min_bytes=10_000, fetch_max_wait_ms=400)
    began_ms = kafka.clock.monotonic_ms()
    assert values(client.poll(10_000)) == [b"small"]
    assert kafka.clock.monotonic_ms() - began_ms == 400


def test_enough_bytes_end_the_wait_for_fetch_min_bytes(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", [b"x" * 10_000])
    client = consumer("t", fetch_min_bytes=10_000)
    began_ms = kafka.clock.monotonic_ms()
    assert len(values(client.poll(10_000))) == 1
    assert kafka.clock.monotonic_ms() == began_ms


def test_max_partition_fetch_bytes_bounds_what_is_held_but_a_larger_batch_still_comes(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    send(kafka, "t", [b"x" * 5_000] * 4, batch_size=0)
    client = consumer("t", max_partition_fetch_bytes=1)
    assert [len(values(client.poll(0))) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_wakeup_ends_a_waiting_poll() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        with kafka.consumer("t") as client:
            waker = threading.Timer(0.05, client.wakeup)
            waker.start()
            began = time.monotonic()
            with pytest.raises(errors.WakeupError):
                client.poll(30_000)
            waker.join()
            assert time.monotonic() - began < 10
            assert client.poll(0) == {}  # once


def test_wakeup_before_a_poll_ends_that_poll(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.wakeup()
    with pytest.raises(errors.WakeupError):
        client.poll(0)


def test_a_second_thread_inside_the_consumer_gets_an_error() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        with kafka.consumer("t") as client:
            waiting = threading.Thread(target=client.poll, args=(30_000,))
            waiting.start()
            while client._user is None or not client._waker._waiting:
                time.sleep(0)
            with pytest.raises(errors.ConcurrentModificationError):
                client.position(TP)
            kafka.producer().send("t", value=b"x").get(5)
            waiting.join()


def test_a_topic_created_later_is_read(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t", allow_auto_create_topics=False)
    assert client.poll(0) == {}
    assert client.assignment() == set()
    send(kafka, "t", [b"x"])
    assert values(client.poll(0)) == [b"x"]


def test_subscribing_creates_the_topic_where_that_is_allowed(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    consumer("t").poll(0)
    assert kafka.admin().list_topics() == ["t"]


def test_a_topic_is_not_created_where_the_consumer_does_not_allow_it(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    consumer("t", allow_auto_create_topics=False).poll(0)
    assert kafka.admin().list_topics() == []


def test_partitions_added_later_are_read(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t")
    client = consumer("t")
    client.poll(0)
    kafka.admin().create_partitions({"t": 2})
    send(kafka, "t", [b"new"], partition=1)
    assert values(client.poll(0)) == [b"new"]


def test_a_consumer_that_has_given_up_waiting_does_not_hurry_producers(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t")
    client = consumer("t")
    assert client.poll(100) == {}
    with kafka.producer(linger_ms=60_000) as producer:
        future = producer.send("t", value=b"x")
        assert not future.is_done  # nobody waits, so the batch stays open
        assert values(client.poll(0)) == [b"x"]


def test_interceptors_see_and_change_what_is_returned(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    class FirstOnly:
        def on_consume(self, polled):
            return {tp: records[:1] for tp, records in polled.items()}

    class Broken:
        def on_consume(self, polled):
            raise ValueError("mine")

    send(kafka, "t", numbers(3))
    client = consumer("t", interceptor_classes=[Broken, FirstOnly])
    assert values(client.poll(0)) == [b"0"]
    client.seek_to_beginning()
    assert [record.value for record in client] == [b"0"]


def test_an_interrupted_poll_gives_its_records_again(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    class CtrlC:
        armed = True

        def on_consume(self, polled):
            if CtrlC.armed:
                CtrlC.armed = False
                raise KeyboardInterrupt
            return polled

    send(kafka, "t", numbers(3))
    client = consumer("t", interceptor_classes=[CtrlC])
    with pytest.raises(KeyboardInterrupt):
        client.poll(0)
    assert client.position(TP) == 0
    assert values(client.poll(0)) == numbers(3)


def test_an_interrupted_poll_takes_nothing_back_from_the_one_before(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    client = consumer("t")
    assert len(values(client.poll(0))) == 3
    client.wakeup()
    with pytest.raises(errors.WakeupError):
        client.poll(0)
    assert client.poll(0) == {}


def test_metrics_count_what_happened(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    client = consumer("t", group_id="g")
    client.poll(0)
    client.commit()
    metrics = client.metrics()
    assert metrics["consumer-fetch-manager-metrics"]["records-consumed-total"] == 3
    assert metrics["consumer-fetch-manager-metrics"]["bytes-consumed-total"] > 3
    assert metrics["consumer-fetch-manager-metrics"]["fetch-total"] >= 1
    assert metrics["consumer-fetch-manager-metrics.t"]["records-consumed-total"] == 3
    assert metrics["consumer-coordinator-metrics"]["commit-total"] == 1
    assert metrics["consumer-coordinator-metrics"]["rebalance-total"] == 1
    assert metrics["consumer-coordinator-metrics"]["assigned-partitions"] == 1
    assert client.metrics(raw=True)["consumer-coordinator-metrics", "commit-total"] == 1
    assert consumer(metrics_enabled=False).metrics() is None


def test_a_poll_that_creates_its_topic_waits_as_long_as_it_was_told(
    kafka: EmbeddedKafka, consumer: Consumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = consumer("created-by-the-poll")
    before_ms = kafka.clock.now_ms()
    wait, left = kafka.clock.wait, iter(range(10))

    def count(*arguments: object) -> bool:
        next(left)  # a wait that returns at once, time and again, ends here
        return wait(*arguments)

    monkeypatch.setattr(kafka.clock, "wait", count)
    assert client.poll(500) == {}
    assert kafka.clock.now_ms() - before_ms == 500
