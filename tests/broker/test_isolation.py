"""Transactions at a broker: who may begin one, what readers of either isolation level get, who is listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from broker.support import START_MS, TOPIC, Broker, records_in, running

from embedkafka.broker import api
from embedkafka.broker.partition import Partition
from embedkafka.clock import ManualClock
from embedkafka.errors import ConcurrentTransactionsError, for_code
from embedkafka.model import TopicPartition
from embedkafka.record import encode_batch

COMMITTED = api.READ_COMMITTED
HOUR_MS = 3_600_000


def partition(broker: Broker) -> Partition:
    found = broker.engine.topics.partition(TOPIC)
    assert found is not None
    return found


def produced(
    sequence: int, value: bytes = b"v", *, producer_id: int = 7, epoch: int = 0, transactional: bool
) -> bytearray:
    return encode_batch(
        [(START_MS, b"k", value, ())],
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        is_transactional=transactional,
    )


def send(broker: Broker, sequence: int, value: bytes = b"v", **of_producer: int) -> api.PartitionProduceReply:
    """A batch of a transaction; the coordinator agrees to everything."""
    broker.port._producing.verify_transaction = lambda *asked: 0
    records = produced(sequence, value, transactional=True, **of_producer)
    request = api.ProduceRequest([api.PartitionBatches(TOPIC, records)], transactional_id="x")
    replies: list[api.ProduceReply] = []
    broker.port.produce(broker.context, request, replies.append)
    return replies[0].partitions[0]


def end(broker: Broker, *, commit: bool, producer_id: int = 7, epoch: int = 1) -> None:
    partition(broker).append_marker(producer_id, epoch, commit=commit, coordinator_epoch=0)


# Who may begin one ----------------------------------------------------------------------------------------------------


def test_the_first_batch_in_a_partition_asks_the_coordinator_and_no_later_one_does(broker: Broker) -> None:
    asked: list[object] = []
    for sequence in range(3):
        broker.port._producing.verify_transaction = lambda *question: asked.append(question) or 0
        records = produced(sequence, transactional=True)
        request = api.ProduceRequest([api.PartitionBatches(TOPIC, records)], transactional_id="x")
        broker.port.produce(broker.context, request, lambda reply: None)
    assert asked == [("x", 7, 0, TOPIC, True)]
    assert broker.offset(-1) == 3


def test_before_version_2_the_partition_must_have_been_added(broker: Broker) -> None:
    asked: list[object] = []
    broker.port._producing.verify_transaction = lambda *question: asked.append(question[-1]) or 0
    batches = [api.PartitionBatches(TOPIC, produced(0, transactional=True))]
    request = api.ProduceRequest(batches, transactional_id="x", transaction_version=1)
    broker.port.produce(broker.context, request, lambda reply: None)
    assert asked == [False]


def test_what_the_coordinator_refuses_is_not_appended(broker: Broker) -> None:
    broker.port._producing.verify_transaction = lambda *question: ConcurrentTransactionsError.errno
    batches = [api.PartitionBatches(TOPIC, produced(0, transactional=True))]
    replies: list[api.ProduceReply] = []
    broker.port.produce(broker.context, api.ProduceRequest(batches, transactional_id="x"), replies.append)
    assert for_code(replies[0].partitions[0].error_code) is ConcurrentTransactionsError
    assert broker.offset(-1) == 0


def test_an_abort_while_the_coordinator_answers_makes_the_answer_void(broker: Broker) -> None:
    def agree_too_late(*question: object) -> int:
        end(broker, commit=False)
        return 0

    broker.port._producing.verify_transaction = agree_too_late
    batches = [api.PartitionBatches(TOPIC, produced(0, transactional=True, epoch=1))]
    replies: list[api.ProduceReply] = []
    broker.port.produce(broker.context, api.ProduceRequest(batches, transactional_id="x"), replies.append)
    assert for_code(replies[0].partitions[0].error_code).__name__ == "InvalidTxnStateError"
    assert broker.offset(-1) == 1  # the marker


# Reading --------------------------------------------------------------------------------------------------------------


def test_read_committed_ends_before_the_oldest_open_transaction(broker: Broker) -> None:
    broker.send(b"a")
    send(broker, 0, b"open")
    broker.send(b"b")
    reply = broker.fetch(isolation_level=COMMITTED)
    assert [record.value for record in records_in(reply.records)] == [b"a"]
    assert (reply.high_watermark, reply.last_stable_offset) == (3, 1)
    assert [record.value for record in records_in(broker.fetch().records)] == [b"a", b"open", b"b"]


def test_aborted_transactions_are_listed_to_those_who_read_committed(broker: Broker) -> None:
    for number in range(3):
        send(broker, 0, producer_id=number)
    for number in (2, 0, 1):
        end(broker, producer_id=number, commit=number == 1)
    assert broker.fetch(isolation_level=COMMITTED).aborted_transactions == [(0, 0), (2, 2)]
    assert broker.fetch(isolation_level=COMMITTED).last_stable_offset == 6
    assert not broker.fetch().aborted_transactions


def test_only_those_are_listed_that_begin_within_what_was_read(broker: Broker) -> None:
    for number in range(4):
        send(broker, 0, producer_id=number)
        end(broker, producer_id=number, commit=False)
    one_batch = broker.fetch(2, isolation_level=COMMITTED, partition_max_bytes=1)
    assert one_batch.aborted_transactions == [(1, 2)]


@pytest.mark.parametrize("commit", [True, False])
def test_a_marker_wakes_a_reader_who_waits_for_committed_records(broker: Broker, commit: bool) -> None:
    send(broker, 0)
    replies, parked = broker.start_fetch({TOPIC: 0}, isolation_level=COMMITTED, max_wait_ms=60_000)
    assert parked is not None
    send(broker, 1)
    assert not replies
    end(broker, commit=commit)
    assert [len(records_in(reply.partitions[0].records)) for reply in replies] == [3]


def test_the_latest_offset_is_that_of_the_isolation_level(broker: Broker) -> None:
    broker.send(b"a")
    send(broker, 0)
    committed = api.ListOffsetsRequest({TOPIC: -1}, isolation_level=COMMITTED)
    assert broker.port.list_offsets(broker.context, committed)[0].offset == 1
    assert broker.offset(-1) == 2
    end(broker, commit=True)
    assert broker.port.list_offsets(broker.context, committed)[0].offset == 3


def test_a_time_is_looked_up_among_what_is_stable(broker: Broker) -> None:
    send(broker, 0)
    committed = api.ListOffsetsRequest({TOPIC: START_MS}, isolation_level=COMMITTED)
    assert broker.port.list_offsets(broker.context, committed)[0].offset == -1
    assert broker.offset(START_MS) == 0


def test_markers_stay_uncompressed_in_a_topic_that_compresses(broker: Broker) -> None:
    broker.set_config(compression_type="gzip")
    send(broker, 0)
    end(broker, commit=False)
    assert broker.fetch(isolation_level=COMMITTED).aborted_transactions == [(7, 0)]


# DescribeProducers, InitProducerId ------------------------------------------------------------------------------------


def test_producers_are_described(broker: Broker) -> None:
    send(broker, 0)
    send(broker, 1)
    broker.produce(produced(5, producer_id=8, epoch=3, transactional=False))
    nowhere = TopicPartition("nowhere", 0)
    one, other = broker.port.describe_producers(broker.context, [TOPIC, nowhere])
    assert one.producers == [
        api.ActiveProducer(7, 0, 1, START_MS, -1, 0),
        api.ActiveProducer(8, 3, 5, START_MS, -1, -1),
    ]
    assert for_code(other.error_code).__name__ == "UnknownTopicOrPartitionError"


def test_producers_are_forgotten_after_their_time() -> None:
    clock = ManualClock(START_MS)
    with running(clock=clock, **{"producer.id.expiration.ms": 2 * HOUR_MS}) as broker:
        broker.create()
        broker.produce(produced(0, transactional=False))
        clock.advance(HOUR_MS)
        assert len(partition(broker).active_producers()) == 1
        clock.advance(2 * HOUR_MS)
        assert partition(broker).active_producers() == []


def next_id(broker: Broker) -> int:
    replies: list[api.InitProducerIdReply] = []
    broker.port.init_producer_id(broker.context, api.InitProducerIdRequest(), replies.append)
    assert replies[0].error_code == 0
    return replies[0].producer_id


def test_no_id_is_given_twice_when_the_process_dies(tmp_path: Path) -> None:
    given: list[int] = []
    for _ in range(4):
        with running(tmp_path) as broker:
            broker.create("t")
            broker.send(b"v")
            given += [next_id(broker) for _ in range(1500)]
            broker.engine.store.abandon()  # as a killed process does: nothing is closed
            broker.engine._is_closed = True
    assert len(set(given)) == len(given)


def test_no_id_is_given_twice_when_the_catalog_is_lost(tmp_path: Path) -> None:
    with running(tmp_path) as broker:
        broker.create("t")
        broker.send(b"v")
        first = next_id(broker)
    (tmp_path / "catalog.sqlite").unlink()
    with running(tmp_path) as broker:
        assert next_id(broker) > first + 1_000_000
