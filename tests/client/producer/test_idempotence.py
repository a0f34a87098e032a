"""A producer with enable_idempotence: sequence numbers, what a log recognises by them, and what happens to gaps."""

from __future__ import annotations

from typing import Any

from client.producer.conftest import FailingPort

from embedkafka.broker.api import PartitionProduceReply
from embedkafka.errors import KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumberError
from embedkafka.model import TopicPartition

T0 = TopicPartition("t", 0)
STORAGE_ERROR = 56
OUT_OF_ORDER = 45
TOO_LARGE = 10


def numbers(world: Any) -> list[tuple[int, int, int]]:
    """Producer id, epoch and base sequence of every batch."""
    return [(header.producer_id, header.producer_epoch, header.base_sequence) for header, _ in world.batches("t")]


def test_batches_carry_the_producers_id_and_numbers_that_follow_each_other(world: Any) -> None:
    producer = world.producer()
    for count in (1, 3, 2):
        for _ in range(count):
            producer.send("t", b"v")
        producer.flush()
    assert numbers(world) == [(0, 0, 0), (0, 0, 1), (0, 0, 4)]


def test_each_producer_has_an_id_of_its_own(world: Any) -> None:
    for _ in range(3):
        world.producer().send("t", b"v").get()
    assert [producer_id for producer_id, _, _ in numbers(world)] == [0, 1, 2]


def test_without_idempotence_batches_carry_no_id(world: Any) -> None:
    world.producer(enable_idempotence=False).send("t", b"v").get()
    assert numbers(world) == [(-1, -1, -1)]


def test_compressed_batches_carry_numbers_too(world: Any) -> None:
    producer = world.producer(compression_type="gzip")
    for value in (b"a", b"b"):
        producer.send("t", value).get()
    assert numbers(world) == [(0, 0, 0), (0, 0, 1)]
    assert world.values() == [b"a", b"b"]


def test_numbers_wrap_after_the_largest_int32(world: Any) -> None:
    producer = world.producer()
    world.create("t")
    producer.send("t", b"0").get()
    lane = producer._lanes[T0]
    lane.identify(7, 0)
    lane.next_sequence = (1 << 31) - 2
    for value in (b"a", b"b", b"c", b"d"):
        producer.send("t", value)
    producer.flush()
    producer.send("t", b"e").get()
    assert numbers(world)[1:] == [(7, 0, (1 << 31) - 2), (7, 0, 2)]


def test_a_batch_that_is_sent_again_is_answered_with_its_first_offset(world: Any) -> None:
    producer = world.producer(retry_backoff_ms=10)
    producer.send("t", b"before").get()
    port = FailingPort(producer)
    answered: list[PartitionProduceReply] = []

    def lost(context: Any, topic_partition: Any, batches: Any, acks: int, complete: Any) -> Any:
        answered.append(port.real(T0).produce_sealed(context, topic_partition, batches, acks, complete))
        if len(answered) == 1:
            return PartitionProduceReply(topic_partition, 7, "the answer was lost")
        return answered[-1]

    port.produce_sealed = lost  # type: ignore[method-assign]
    future = producer.send("t", b"v")
    producer.flush()
    assert [reply.base_offset for reply in answered] == [1, 1]
    assert future.get().offset == 1
    assert world.values() == [b"before", b"v"]
    assert [header.base_offset for header, _ in world.batches("t")] == [0, 1]


def test_when_a_batch_is_given_up_those_behind_it_move_up(world: Any) -> None:
    producer = world.producer(batch_size=0)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [None, TOO_LARGE]
    futures = [producer.send("t", b"%d" % number) for number in range(4)]
    producer.flush()
    assert isinstance(futures[1].exception, MessageSizeTooLargeError)
    assert [future.succeeded() for future in futures] == [True, False, True, True]
    assert numbers(world) == [(0, 0, 0), (0, 0, 1), (0, 0, 2)]
    assert world.values() == [b"0", b"2", b"3"]


def test_one_in_flight_behind_a_batch_that_was_given_up_comes_back_and_goes_again(world: Any) -> None:
    producer = world.producer(batch_size=0, retry_backoff_ms=10)
    world.create("t")
    port = FailingPort(producer)
    port.answers = ["hold", "hold", "hold"]
    futures = [producer.send("t", b"%d" % number) for number in range(3)]
    world.clock.advance(0)
    assert len(port.held) == 3
    _, topic_partition, _, _, complete = port.held.pop(0)
    complete(PartitionProduceReply(topic_partition, TOO_LARGE, "as told"))
    for _ in range(2):
        _, topic_partition, _, _, complete = port.held.pop(0)
        complete(PartitionProduceReply(topic_partition, OUT_OF_ORDER, "the one before is missing"))
    producer.flush()
    assert [future.succeeded() for future in futures] == [False, True, True]
    assert world.values() == [b"1", b"2"]
    assert numbers(world) == [(0, 0, 0), (0, 0, 1)]


def test_a_gap_that_nothing_explains_fails_its_batch_and_begins_an_epoch(world: Any) -> None:
    producer = world.producer()
    producer.send("t", b"0").get()
    producer._lanes[T0].next_sequence = 5
    lost = producer.send("t", b"lost")
    producer.flush()
    assert isinstance(lost.exception, OutOfOrderSequenceNumberError)
    for value in (b"1", b"2"):
        producer.send("t", value).get()
    assert numbers(world) == [(0, 0, 0), (0, 1, 0), (0, 1, 1)]


def test_after_the_last_epoch_comes_another_id(world: Any) -> None:
    producer = world.producer()
    producer.send("t", b"0").get()
    lane = producer._lanes[T0]
    lane.identify(0, (1 << 15) - 2)
    producer.send("t", b"1").get()
    lane.next_sequence = 5
    producer.send("t", b"lost")
    producer.flush()
    producer.send("t", b"2").get()
    assert numbers(world) == [(0, 0, 0), (0, (1 << 15) - 2, 0), (1, 0, 0)]


def test_when_it_is_not_known_whether_a_batch_arrived_the_next_ones_begin_an_epoch(world: Any) -> None:
    producer = world.producer(batch_size=0, retries=1)
    producer.send("t", b"0").get()
    port = FailingPort(producer)
    port.answers = [OSError("the connection broke")]
    futures = [producer.send("t", b"%d" % number) for number in range(1, 3)]
    producer.flush()
    assert isinstance(futures[0].exception, KafkaError)
    assert numbers(world) == [(0, 0, 0), (0, 1, 0)]


def test_retriable_errors_change_no_number(world: Any) -> None:
    producer = world.producer(batch_size=0, retry_backoff_ms=10)
    world.create("t")
    port = FailingPort(producer)
    port.answers = [STORAGE_ERROR, None, STORAGE_ERROR]
    futures = [producer.send("t", b"%d" % number) for number in range(3)]
    producer.flush()
    assert [future.get().offset for future in futures] == [0, 1, 2]
    assert numbers(world) == [(0, 0, 0), (0, 0, 1), (0, 0, 2)]
