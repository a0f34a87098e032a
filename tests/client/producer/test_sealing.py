"""When a batch is sealed, how it is delivered, and what happens when that fails."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
from client.producer.conftest import FailingPort, World

from embedkafka import EmbeddedKafka, KafkaProducer, TopicPartition
from embedkafka.errors import (
    IllegalStateError,
    KafkaError,
    KafkaStorageError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
)

NOT_ENOUGH_REPLICAS = NotEnoughReplicasError.errno
T0 = TopicPartition("t", 0)


# -- sealing -----------------------------------------------------------------------------------------------------------


def test_nothing_is_sealed_until_something_asks_for_it(world: Any) -> None:
    producer = world.producer()
    future = producer.send("t", b"v")
    assert not future.is_done
    assert world.values() == []


@pytest.mark.parametrize("act", ["flush", "get", "close", "advance", "reader", "seal_all"])
def test_what_seals(world: Any, act: str) -> None:
    producer = world.producer()
    future = producer.send("t", b"v")
    {
        "flush": producer.flush,
        "get": future.get,
        "close": producer.close,
        "advance": lambda: world.clock.advance(0),
        "reader": lambda: world.engine.unsealed.seal([T0]),
        "seal_all": world.engine.unsealed.seal_all,
    }[act]()
    assert future.succeeded()
    assert world.values() == [b"v"]


def test_a_full_batch_is_sealed_by_send(world: Any) -> None:
    producer = world.producer(batch_size=500, linger_ms=1000)
    futures = [producer.send("t", b"x" * 200) for _ in range(3)]
    assert [future.is_done for future in futures] == [True, True, False]


def test_linger_seals_after_its_time_and_not_before(world: Any) -> None:
    producer = world.producer(linger_ms=50)
    first = producer.send("t", b"1")
    world.clock.advance(30)
    second = producer.send("t", b"2")
    world.clock.advance(19)
    assert not first.is_done
    world.clock.advance(1)
    assert first.is_done
    assert second.is_done
    assert len(world.batches()) == 1
    third = producer.send("t", b"3")
    world.clock.advance(49)
    assert not third.is_done
    world.clock.advance(1)
    assert third.is_done


def test_each_partition_lingers_for_itself(world: Any) -> None:
    world.create("t", 2)
    producer = world.producer(linger_ms=50)
    first = producer.send("t", b"1", partition=0)
    world.clock.advance(30)
    second = producer.send("t", b"2", partition=1)
    world.clock.advance(20)
    assert (first.is_done, second.is_done) == (True, False)
    world.clock.advance(30)
    assert second.is_done


def test_a_parked_reader_gets_the_record_from_send_itself(world: Any) -> None:
    producer = world.producer()
    producer.send("t", b"before").get()
    world.engine.unsealed.park([T0])
    world.engine.unsealed.seal([T0])  # as every reader does once it is parked
    future = producer.send("t", b"v")
    assert future.is_done
    world.engine.unsealed.unpark([T0])
    assert not producer.send("t", b"w").is_done


def test_the_housekeeper_seals_without_being_asked() -> None:
    with EmbeddedKafka() as kafka, KafkaProducer(bootstrap_servers=kafka) as producer:
        for _ in range(3):
            future = producer.send("t", b"v")
            delivery = future.delivery
            assert delivery._signal.wait(lambda done=delivery: done.is_done, 10_000)


def test_a_batch_size_of_zero_sends_every_record_alone(world: Any) -> None:
    producer = world.producer(batch_size=0)
    for _ in range(3):
        producer.send("t", b"v")
    producer.flush()
    assert [header.records_count for header, _ in world.batches()] == [1, 1, 1]


@pytest.mark.parametrize("name", ["gzip", "snappy", "lz4", "zstd", "none", None])
def test_batches_are_compressed(world: Any, name: str | None) -> None:
    producer = world.producer(compression_type=name)
    for _ in range(50):
        producer.send("t", b"the same again and again")
    producer.flush()
    ((header, records),) = world.batches()
    assert header.compression_type == ["none", "gzip", "snappy", "lz4", "zstd"].index(name or "none")
    assert [record.value for record in records] == [b"the same again and again"] * 50
    rate = producer.metrics()["producer-metrics"]["compression-rate-avg"]
    assert rate < 0.5 if header.compression_type else rate == 1.0


def test_a_collected_producer_still_delivers(world: Any) -> None:
    world.create("t")
    producer = KafkaProducer(bootstrap_servers=world.kafka)
    future = producer.send("t", b"v")
    del producer
    gc.collect()
    world.producers[0].send("u", b"the engine drains what finalizers left")
    world.producers[0].flush()
    assert future.succeeded()
    assert world.values() == [b"v"]


def test_a_killed_producer_leaves_nothing_behind(world: Any) -> None:
    world.create("t")
    producer = world.producer()
    future = producer.send("t", b"v")
    producer._kill()
    world.engine.unsealed.seal_all()
    assert world.values() == []
    assert future.failed()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_cannot_send() -> None:
    with EmbeddedKafka() as kafka, KafkaProducer(bootstrap_servers=kafka) as producer:
        producer.send("t", b"v").get()
        producer.send("t", b"open")
        child = os.fork()
        if child == 0:
            try:
                producer.send("t", b"from the child")
            except IllegalStateError:
                os._exit(17)
            finally:
                os._exit(18)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17


# -- retries -----------------------------------------------------------------------------------------------------------


def test_a_retriable_error_is_tried_again_after_the_backoff(world: Any) -> None:
    producer = world.producer(retry_backoff_ms=100)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS]
    future = producer.send("t", b"v")
    world.clock.advance(0)
    assert len(port.requests) == 1
    world.clock.advance(99)
    assert len(port.requests) == 1
    world.clock.advance(1)
    assert len(port.requests) == 2
    world.clock.advance(100)
    assert future.get(timeout=0).offset == 0
    assert producer.metrics()["producer-metrics"]["record-retry-total"] == 2


def test_a_final_error_fails_the_future_and_its_errbacks(world: Any) -> None:
    producer = world.producer()
    world.create("t")
    FailingPort(producer).answers = [TopicAuthorizationFailedError.errno]
    seen: list[Any] = []
    future = producer.send("t", b"v").add_errback(seen.append).add_callback(seen.append)
    producer.flush()
    with pytest.raises(TopicAuthorizationFailedError, match="as told"):
        future.get()
    assert seen == [future.exception]
    assert producer.metrics()["producer-metrics"]["record-error-total"] == 1
    assert producer.send("t", b"w").get().offset == 0


def test_no_retries_fails_at_once(world: Any) -> None:
    producer = world.producer(retries=0)
    world.create("t")
    FailingPort(producer).answers = [NOT_ENOUGH_REPLICAS]
    with pytest.raises(NotEnoughReplicasError):
        producer.send("t", b"v").get(timeout=1)


def test_a_number_of_retries_is_kept_to(world: Any) -> None:
    producer = world.producer(retries=2)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [NOT_ENOUGH_REPLICAS] * 10
    with pytest.raises(NotEnoughReplicasError):
        producer.send("t", b"v").get(timeout=10)
    assert len(port.requests) == 3


def test_retries_end_at_the_delivery_timeout(world: Any) -> None:
    producer = world.producer(delivery_timeout_ms=1_000, retry_backoff_ms=100)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [NOT_ENOUGH_REPLICAS] * 100
    future = producer.send("t", b"v")
    with pytest.raises(KafkaTimeoutError, match="delivery_timeout_ms"):
        future.get(timeout=60)
    assert len(port.requests) == 11


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_failed_batch_holds_back_its_successors(world: Any, idempotent: bool) -> None:
    producer = world.producer(batch_size=0, enable_idempotence=idempotent)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS]
    for number in range(4):
        producer.send("t", b"%d" % number)
    assert world.values() == []
    producer.flush()
    assert world.values() == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("idempotent", [False, True])
def test_at_most_five_are_in_flight_in_the_order_of_sending(world: Any, idempotent: bool) -> None:
    producer = world.producer(batch_size=0, enable_idempotence=idempotent)
    world.create("t")
    port = FailingPort(producer)
    port.answers = ["hold"] * 10
    futures = [producer.send("t", b"%d" % number) for number in range(8)]
    world.clock.advance(0)
    assert len(port.held) == 5
    for _ in range(8):
        port.release()
    assert [future.get(timeout=0).offset for future in futures] == list(range(8))


def test_an_error_of_the_broker_itself_goes_to_the_future_not_to_the_sealer(world: Any) -> None:
    producer = world.producer(retries=0)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [OSError("disk on fire"), KafkaStorageError("offline")]
    future = producer.send("t", b"v")
    world.engine.unsealed.seal([T0])
    with pytest.raises(KafkaError, match="disk on fire"):
        future.get()
    with pytest.raises(KafkaStorageError):
        producer.send("t", b"v").get()


def test_acks_zero_does_not_know_the_offset(world: Any) -> None:
    metadata = world.producer(acks=0).send("t", b"v").get()
    assert (metadata.offset, metadata.topic) == (-1, "t")


@pytest.mark.parametrize(("acks", "number"), [("all", -1), (-1, -1), (1, 1), (0, 0), ("1", 1)])
def test_acks_reach_the_broker(world: Any, acks: Any, number: int) -> None:
    producer = world.producer(acks=acks)
    world.create("t")
    port = FailingPort(producer)
    producer.send("t", b"v").get()
    assert [acks for _, _, acks in port.requests] == [number]


# -- memory, closing ---------------------------------------------------------------------------------------------------


def test_a_full_buffer_blocks_and_then_times_out(world: Any) -> None:
    producer = world.producer(buffer_memory=40_000, max_block_ms=700, batch_size=16_384)
    world.create("t", 4)
    port = FailingPort(producer)
    port.answers = ["hold"] * 10
    producer.send("t", b"v", partition=0)
    producer.send("t", b"v", partition=1)
    before = world.clock.monotonic_ms()
    with pytest.raises(KafkaTimeoutError, match="buffer_memory"):
        producer.send("t", b"v", partition=2)
    assert world.clock.monotonic_ms() == before + 700
    port.release()
    port.answers = []
    producer.send("t", b"v", partition=2).get()
    port.release()
    assert producer.metrics()["producer-metrics"]["buffer-available-bytes"] == 40_000


def test_memory_comes_back_whatever_becomes_of_a_batch(world: Any) -> None:
    producer = world.producer(retries=0)
    world.create("t")
    FailingPort(producer).answers = [NOT_ENOUGH_REPLICAS, None, OSError("x")]
    for _ in range(4):
        producer.send("t", b"v")
        producer.flush()
    producer.send("t", b"v")
    producer._kill()
    assert producer._memory.available_bytes == producer._memory.total_bytes


def test_close_gives_up_after_its_timeout_and_fails_the_rest(world: Any) -> None:
    producer = world.producer()
    world.create("t")
    FailingPort(producer).answers = [NOT_ENOUGH_REPLICAS] * 1000
    seen: list[Any] = []
    future = producer.send("t", b"v").add_errback(seen.append)
    producer.close(timeout=1)
    with pytest.raises(KafkaError, match="closed"):
        future.get()
    assert seen == [future.exception]


def test_a_negative_timeout_is_refused(world: Any) -> None:
    producer = world.producer()
    for call in (producer.flush, producer.close):
        with pytest.raises(ValueError, match="timeout"):
            call(timeout=-1)
    producer.send("t", b"still open").get()


def test_the_end_of_a_with_block_closes(world: Any) -> None:
    with world.producer() as producer:
        future = producer.send("t", b"v")
    assert future.succeeded()


# -- interrupts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("appended", [False, True])
def test_an_interrupted_call_to_the_broker_neither_loses_nor_repeats(world: Any, appended: bool) -> None:
    producer = world.producer()
    producer.send("t", b"before").get()
    port = FailingPort(producer)
    future = producer.send("t", b"v")

    def interrupted(context: Any, topic_partition: Any, *request: Any) -> Any:
        port.requests.append((topic_partition, *request))
        if appended:
            port.real(T0).produce_sealed(context, topic_partition, *request)
        del port.produce_sealed
        raise KeyboardInterrupt

    port.produce_sealed = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        producer.flush()
    other = producer.send("t", b"w")
    assert future.get(timeout=1).offset == 1
    assert other.get(timeout=1).offset == 2
    assert world.values() == [b"before", b"v", b"w"]


# -- metrics, settings, interceptors -----------------------------------------------------------------------------------


def test_metrics_count(world: Any) -> None:
    producer = world.producer()
    for number in range(10):
        producer.send("t" if number % 2 else "u", b"x" * 100)
    producer.flush()
    metrics = producer.metrics()
    total = metrics["producer-metrics"]
    assert (total["record-send-total"], total["request-total"], total["record-error-total"]) == (10, 2, 0)
    size = sum(header.size_bytes for topic in "tu" for header, _ in world.batches(topic))
    assert total["byte-total"] == size
    assert total["batch-size-avg"] == size / 2
    assert total["records-per-request-avg"] == 5
    assert metrics["producer-topic-metrics.t"]["record-send-total"] == 5
    assert producer.metrics(raw=True)[("producer-metrics", "record-send-total")] == 10
    assert world.producer(metrics_enabled=False).metrics() is None


def test_interceptors_see_records_and_outcomes(world: Any) -> None:
    from embedkafka import ProducerRecord

    seen: list[Any] = []

    class Marks:
        def on_send(self, record: ProducerRecord) -> ProducerRecord:
            return ProducerRecord(record.topic, record.value + b"!", record.key, [("seen", b"1")])

        def on_acknowledgement(self, metadata: Any, error: Any) -> None:
            seen.append((metadata and metadata.offset, error))

        def close(self) -> None:
            seen.append("closed")

    class Fails:
        def on_send(self, record: ProducerRecord) -> ProducerRecord:
            raise RuntimeError("on_send")

        def on_acknowledgement(self, metadata: Any, error: Any) -> None:
            raise RuntimeError("on_acknowledgement")

    producer = world.producer(interceptors=[Fails, Marks()])
    world.create("t")
    producer.send("t", b"a").get()
    FailingPort(producer).answers = [TopicAuthorizationFailedError.errno]
    failed = producer.send("t", b"b")
    producer.flush()
    producer.close()
    assert [r.headers for _, records in world.batches() for r in records] == [[("seen", b"1")]]
    assert world.values() == [b"a!"]
    assert seen == [(0, None), (None, failed.exception), "closed"]


def test_one_world_can_be_repeated_from_its_seed() -> None:
    def partitions() -> list[int]:
        world = World()
        try:
            world.create("t", 8)
            producer = world.producer(batch_size=300)
            return [producer.send("t", b"x" * 100).get().partition for _ in range(60)]
        finally:
            world.close()

    assert partitions() == partitions()
