"""KafkaProducer's transactions: what readers see, which calls are allowed when, and what each error means."""

from __future__ import annotations

from typing import Any

import pytest

from embedkafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from embedkafka.client.producer.transaction import TransactionState
from embedkafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidProducerEpochError,
    InvalidTransactionTimeoutError,
    InvalidTxnStateError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFencedError,
    TransactionAbortedError,
)
from embedkafka.model import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

T0 = TopicPartition("t", 0)


def began(world: Any, **configs: Any) -> KafkaProducer:
    """A transactional producer inside a transaction."""
    producer: KafkaProducer = world.producer(transactional_id="mine", **configs)
    producer.init_transactions()
    producer.begin_transaction()
    return producer


def seen(world: Any, isolation_level: str = "read_committed") -> list[bytes | None]:
    """Every value that a reader gets now."""
    consumer = KafkaConsumer(
        bootstrap_servers=world.kafka, auto_offset_reset="earliest", isolation_level=isolation_level
    )
    try:
        consumer.assign([T0])
        return [record.value for records in consumer.poll(timeout_ms=10).values() for record in records]
    finally:
        consumer.close()


def committed(world: Any, group_id: str = "g") -> int | None:
    admin = KafkaAdminClient(bootstrap_servers=world.kafka)
    try:
        offsets = admin.list_group_offsets(group_id)[group_id]
        return offsets[T0].offset if T0 in offsets else None
    finally:
        admin.close()


class TestVisibility:
    def test_records_are_seen_at_once_after_the_commit_and_not_before(self, world: Any) -> None:
        producer = began(world)
        future = producer.send("t", b"1")
        producer.flush()
        assert (seen(world), seen(world, "read_uncommitted")) == ([], [b"1"])
        producer.commit_transaction()
        assert seen(world) == [b"1"]
        assert future.get().offset == 0

    def test_aborted_records_are_never_seen(self, world: Any) -> None:
        producer = began(world)
        producer.send("t", b"1")
        producer.flush()
        producer.abort_transaction()
        producer.begin_transaction()
        producer.send("t", b"2")
        producer.commit_transaction()
        assert (seen(world), seen(world, "read_uncommitted")) == ([b"2"], [b"1", b"2"])

    def test_a_commit_sends_what_was_not_sent(self, world: Any) -> None:
        producer = began(world, linger_ms=60_000)
        futures = [producer.send("t", b"%d" % number) for number in range(100)]
        producer.commit_transaction()
        assert [future.is_done for future in futures] == [True] * 100
        assert len(seen(world)) == 100

    def test_an_abort_drops_what_was_not_sent(self, world: Any) -> None:
        producer = began(world, linger_ms=60_000)
        sent = producer.send("t", b"1")
        producer.flush()
        dropped = producer.send("t", b"2")
        producer.abort_transaction()
        assert sent.succeeded()
        with pytest.raises(TransactionAbortedError):
            dropped.get()
        assert seen(world, "read_uncommitted") == [b"1"]

    def test_several_partitions_and_topics_end_together(self, world: Any) -> None:
        world.create("u", 3)
        producer = began(world)
        producer.send("t", b"1")
        for partition in range(3):
            producer.send("u", b"2", partition=partition)
        producer.commit_transaction()
        producer.begin_transaction()
        producer.send("u", b"3", partition=1)
        producer.commit_transaction()
        assert seen(world) == [b"1"]
        assert [len(world.values("u", partition)) for partition in range(3)] == [2, 4, 2]  # with the markers

    def test_a_transaction_without_a_record_costs_nothing(self, world: Any) -> None:
        producer = began(world)
        before = world.engine.ports[0].request_counts[26]
        producer.commit_transaction()
        producer.begin_transaction()
        producer.abort_transaction()
        assert world.engine.ports[0].request_counts[26] == before


class TestOffsets:
    @pytest.mark.parametrize("group", ["g", ConsumerGroupMetadata("g")])
    def test_they_count_with_the_commit(self, world: Any, group: Any) -> None:
        world.create("t")
        producer = began(world)
        producer.send_offsets_to_transaction({T0: OffsetAndMetadata(7, "why", 0)}, group)
        assert committed(world) is None
        producer.commit_transaction()
        assert committed(world) == 7

    def test_they_go_with_the_abort(self, world: Any) -> None:
        world.create("t")
        producer = began(world)
        producer.send_offsets_to_transaction({T0: OffsetAndMetadata(7, "", -1)}, "g")
        producer.abort_transaction()
        assert committed(world) is None

    def test_a_consumer_that_lost_its_place_makes_the_transaction_abortable(self, world: Any) -> None:
        world.create("t")
        producer = began(world)
        gone = ConsumerGroupMetadata("g", 3, "gone")
        with pytest.raises(CommitFailedError):
            producer.send_offsets_to_transaction({T0: OffsetAndMetadata(7, "", -1)}, gone)
        with pytest.raises(KafkaError, match=r"abort_transaction\(\)"):
            producer.commit_transaction()
        producer.abort_transaction()
        producer.begin_transaction()

    def test_a_consumer_waits_for_stable_offsets(self, world: Any) -> None:
        world.create("t")
        producer = began(world)
        producer.send("t", b"1")
        producer.send("t", b"2")
        producer.send_offsets_to_transaction({T0: OffsetAndMetadata(1, "", -1)}, "g")
        consumer = KafkaConsumer("t", bootstrap_servers=world.kafka, group_id="g", auto_offset_reset="earliest")
        try:
            assert consumer.poll(timeout_ms=500) == {}
            producer.commit_transaction()
            (records,) = consumer.poll(timeout_ms=500).values()
            assert [record.value for record in records] == [b"2"]
        finally:
            consumer.close()

    @pytest.mark.parametrize(
        ("offsets", "group", "error"),
        [
            ({T0: OffsetAndMetadata(-1, "", -1)}, "g", ValueError),
            ({T0: OffsetAndMetadata(1, "", -1)}, "", ValueError),
            ({T0: OffsetAndMetadata(1, "", -1)}, ConsumerGroupMetadata("g", 3, ""), ValueError),
            ({T0: OffsetAndMetadata(1, "", -1)}, 7, TypeError),
        ],
    )
    def test_nonsense_is_refused_and_the_transaction_goes_on(
        self, world: Any, offsets: Any, group: Any, error: type[Exception]
    ) -> None:
        world.create("t")
        producer = began(world)
        with pytest.raises(error):
            producer.send_offsets_to_transaction(offsets, group)
        producer.send("t", b"1")
        producer.commit_transaction()
        assert seen(world) == [b"1"]


class TestOrder:
    def test_nothing_but_init_is_allowed_first(self, world: Any) -> None:
        producer = world.producer(transactional_id="mine")
        for call in (
            producer.begin_transaction,
            producer.commit_transaction,
            producer.abort_transaction,
            lambda: producer.send_offsets_to_transaction({}, "g"),
            lambda: producer.send("t", b"1"),
        ):
            with pytest.raises(IllegalStateError, match="before init_transactions"):
                call()

    def test_outside_a_transaction_there_is_nothing_to_send_or_end(self, world: Any) -> None:
        producer = began(world)
        producer.commit_transaction()
        for call in (
            producer.commit_transaction,
            producer.abort_transaction,
            producer.init_transactions,
            lambda: producer.send_offsets_to_transaction({}, "g"),
            lambda: producer.send("t", b"1"),
        ):
            with pytest.raises(IllegalStateError, match="outside a transaction"):
                call()
        producer.begin_transaction()

    def test_transactions_do_not_nest(self, world: Any) -> None:
        producer = began(world)
        with pytest.raises(IllegalStateError):
            producer.begin_transaction()
        producer.send("t", b"1")
        producer.commit_transaction()

    def test_a_closed_producer_refuses(self, world: Any) -> None:
        producer = began(world)
        producer.close()
        with pytest.raises(IllegalStateError):
            producer.begin_transaction()

    def test_closing_aborts(self, world: Any) -> None:
        producer = began(world)
        future = producer.send("t", b"1")
        producer.flush()
        producer.close()
        assert future.succeeded()
        assert seen(world) == []
        assert (
            KafkaAdminClient(bootstrap_servers=world.kafka).describe_transactions(["mine"])["mine"].state.value
            == "CompleteAbort"
        )


class TestWithBlock:
    def test_it_commits_at_the_end(self, world: Any) -> None:
        producer = world.producer(transactional_id="mine")
        producer.init_transactions()
        with producer.transaction():
            producer.send("t", b"1")
        assert seen(world) == [b"1"]

    def test_it_aborts_where_the_block_raises(self, world: Any) -> None:
        producer = world.producer(transactional_id="mine")
        producer.init_transactions()

        def fail() -> None:
            with producer.transaction():
                producer.send("t", b"1")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert seen(world) == []
        with producer.transaction():
            producer.send("t", b"2")
        assert seen(world) == [b"2"]


class TestErrors:
    def test_a_newer_producer_fences_for_good(self, world: Any) -> None:
        old = began(world)
        old.send("t", b"1")
        old.flush()
        new = world.producer(transactional_id="mine")
        new.init_transactions()
        with pytest.raises(ProducerFencedError):
            old.commit_transaction()
        for call in (old.begin_transaction, old.abort_transaction, lambda: old.send("t", b"2")):
            with pytest.raises(ProducerFencedError):
                call()
        with new.transaction():
            new.send("t", b"3")
        assert seen(world) == [b"3"]

    def test_what_a_fenced_producer_sends_fails_and_is_not_seen(self, world: Any) -> None:
        old = began(world)
        old.send("t", b"1")
        old.flush()
        world.producer(transactional_id="mine").init_transactions()
        future = old.send("t", b"2")
        with pytest.raises(InvalidProducerEpochError):
            future.get()
        assert seen(world, "read_uncommitted") == [b"1"]

    def test_after_a_timeout_the_transaction_can_only_be_aborted(self, world: Any) -> None:
        producer = began(world, transaction_timeout_ms=1_000)
        producer.send("t", b"1")
        producer.flush()
        world.clock.advance(20_000)
        future = producer.send("t", b"2")
        producer.flush()
        assert isinstance(future.exception, InvalidProducerEpochError)
        with pytest.raises(KafkaError, match="can only be aborted"):
            producer.send("t", b"3")
        producer.abort_transaction()
        with producer.transaction():
            producer.send("t", b"4")
        assert seen(world) == [b"4"]

    def test_a_commit_after_a_timeout_is_fatal_as_in_java(self, world: Any) -> None:
        producer = began(world, transaction_timeout_ms=1_000)
        producer.send("t", b"1")
        producer.flush()
        world.clock.advance(20_000)
        with pytest.raises(InvalidTxnStateError):
            producer.commit_transaction()
        with pytest.raises(KafkaError, match="of no use any more"):
            producer.abort_transaction()
        assert seen(world) == []

    def test_a_record_that_fails_makes_the_commit_fail_with_its_error(self, world: Any) -> None:
        world.create("t", **{"max.message.bytes": "200"})
        producer = began(world)
        producer.send("t", b"1")
        producer.flush()
        producer.send("t", b"x" * 1_000)
        with pytest.raises(MessageSizeTooLargeError):
            producer.commit_transaction()
        producer.abort_transaction()
        with producer.transaction():
            producer.send("t", b"2")
        assert seen(world) == [b"2"]

    def test_a_timeout_that_the_broker_does_not_grant_is_fatal(self, world: Any) -> None:
        producer = world.producer(transactional_id="mine", transaction_timeout_ms=900_001)
        with pytest.raises(InvalidTransactionTimeoutError):
            producer.init_transactions()
        assert producer._transactions.state is TransactionState.FATAL_ERROR

    def test_the_next_producer_ends_what_a_dead_one_left_open(self, world: Any) -> None:
        dead = began(world)
        dead.send("t", b"1")
        dead.flush()
        dead._kill()
        producer = world.producer(transactional_id="mine")
        producer.init_transactions()
        with producer.transaction():
            producer.send("t", b"2")
        assert seen(world) == [b"2"]


class TestAdmin:
    def test_transactions_are_listed_described_and_ended_by_hand(self, world: Any) -> None:
        from embedkafka.admin import AbortTransactionSpec, TransactionState

        producer = began(world)
        producer.send("t", b"1")
        producer.flush()
        admin = KafkaAdminClient(bootstrap_servers=world.kafka)
        ((listing,),) = admin.list_transactions().values()
        assert (listing.transactional_id, listing.state) == ("mine", TransactionState.ONGOING)
        assert admin.list_transactions(state_filters=[TransactionState.EMPTY]) == {0: []}
        described = admin.describe_transactions(["mine"])["mine"]
        assert (described.producer_id, described.topic_partitions) == (listing.producer_id, {T0})
        (active,) = admin.describe_producers([T0])[T0].active_producers
        assert (active.producer_id, active.current_transaction_start_offset) == (listing.producer_id, 0)
        assert admin.find_hanging_transactions() == []
        (hanging,) = admin.find_hanging_transactions(max_transaction_timeout_ms=-300_000)
        assert hanging["transactional_id"] == "mine"
        admin.abort_transaction(AbortTransactionSpec(T0, active.producer_id, active.producer_epoch))
        assert seen(world) == []
        (active,) = admin.describe_producers([T0])[T0].active_producers
        assert active.current_transaction_start_offset == -1
        admin.close()
