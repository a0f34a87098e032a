"""Share partitions in their engine: fetching, waiting, sessions, dead letters, restarts, interrupts, threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from broker.interrupts import every_line, interrupted_at
from broker.share_worker import (
    ACCEPT,
    REJECT,
    RELEASE,
    RENEW,
    Job,
    Worker,
    initialize,
    jobs_in,
    partition_id,
    start_offset,
)
from broker.support import START_MS, TOPIC, Broker, batch, records_in, running

from embedkafka.broker import api
from embedkafka.clock import ManualClock, SystemClock
from embedkafka.coordinator.share_state.api import DeliveryState, ShareStateWrite, StateBatch
from embedkafka.errors import (
    InvalidRecordStateError,
    InvalidRequestError,
    InvalidShareSessionEpochError,
    KafkaStorageError,
    ShareSessionLimitReachedError,
    ShareSessionNotFoundError,
    UnknownError,
    UnknownTopicIdError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import encode_batch


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running() as started:
        started.create()
        initialize(started)
        yield started


@pytest.fixture
def worker(broker: Broker) -> Worker:
    return Worker(broker)


def clock_of(broker: Broker) -> ManualClock:
    clock = broker.engine.clock
    assert isinstance(clock, ManualClock)
    return clock


class TestTaking:
    def test_a_record_is_one_workers_and_then_nobodys(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2")
        assert worker.take() == [Job(0, b"1", 1), Job(1, b"2", 1)]
        assert Worker(broker, "other").take() == []
        assert worker.accept(0, 1) == 0
        assert start_offset(broker) == 2
        broker.send(b"3")
        assert Worker(broker, "third").take() == [Job(2, b"3", 1)]

    def test_only_the_batches_with_acquired_records_are_handed_out(self, broker: Broker, worker: Worker) -> None:
        for value in (b"1", b"2", b"3"):
            broker.send(value)
        reply = worker.fetch(max_records=1)
        (partition,) = reply.partitions
        assert sum(len(chunk) for chunk in partition.records) == len(batch(b"1"))
        assert jobs_in(reply) == [Job(0, b"1", 1)]

    def test_more_workers_than_partitions_share_its_records(self, broker: Broker) -> None:
        for number in range(6):
            broker.send(b"%d" % number)
        taken = [Worker(broker, name).take(max_records=2) for name in "abc"]
        assert [[job.offset for job in jobs] for jobs in taken] == [[0, 1], [2, 3], [4, 5]]

    def test_groups_do_not_know_of_each_other(self, broker: Broker, worker: Worker) -> None:
        initialize(broker, "h")
        broker.send(b"1")
        assert worker.take() == Worker(broker, "m", "h").take() == [Job(0, b"1", 1)]

    def test_a_reply_is_divided_among_partitions(self) -> None:
        with running() as broker:
            broker.create(partitions=3)
            initialize(broker, partitions=3)
            for number in range(3):
                for _ in range(4):
                    broker.send(b"x", to=TopicPartition("t", number))
            worker = Worker(broker, partitions=[partition_id(broker, partition=number) for number in range(3)])
            assert len(worker.take(max_records=6)) == 6
            assert len(worker.take(max_records=6)) == 6
            assert worker.take() == []

    def test_a_partition_that_is_new_in_a_session_is_answered_once_even_without_records(
        self, broker: Broker, worker: Worker
    ) -> None:
        assert [each.partition for each in worker.fetch().partitions] == worker.partitions
        assert worker.fetch().partitions == []

    def test_a_partition_that_was_forgotten_is_not_read_any_more(self, broker: Broker, worker: Worker) -> None:
        worker.take()
        broker.send(b"1")
        (forgotten,), worker.partitions = worker.partitions, []
        assert worker.take(forgotten=[forgotten]) == []

    def test_what_a_producer_has_not_sealed_is_sealed_first(self, broker: Broker, worker: Worker) -> None:
        class Lane:
            is_dirty = False

            def seal(self) -> None:
                broker.send(b"late")

        broker.engine.unsealed.add(TOPIC, Lane())
        assert worker.take() == [Job(0, b"late", 1)]

    def test_a_group_that_begins_with_the_latest_record_begins_there_for_good(self, tmp_path: Path) -> None:
        with running(tmp_path) as broker:
            broker.create()
            broker.send(b"before")
            initialize(broker, start_offset=-1)
            assert Worker(broker).take() == []
            broker.send(b"after")
        with running(tmp_path) as broker:
            assert Worker(broker).take() == [Job(1, b"after", 1)]

    @pytest.mark.parametrize(
        ("setting", "expected"),
        [("earliest", [0, 1]), ("latest", []), ("by_duration:PT1H", [1]), ("by_duration:P1D", [0, 1])],
    )
    def test_a_group_may_say_where_it_begins(self, setting: str, expected: list[int]) -> None:
        with running() as broker:
            broker.create()
            broker.send(b"1", timestamp=START_MS - 2 * 3_600_000)
            broker.send(b"2", timestamp=START_MS - 1_000)
            broker.set_config("g", resource_type=api.ResourceType.GROUP, share_auto_offset_reset=setting)
            initialize(broker, start_offset=-1)
            assert [job.offset for job in Worker(broker).take()] == expected

    def test_records_that_retention_has_taken_are_passed_over(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2")
        broker.send(b"3")
        worker.take(max_records=1)
        broker.port.delete_records(broker.context, {TOPIC: 2})
        assert Worker(broker, "other").take() == [Job(2, b"3", 1)]
        assert worker.accept(0, 1) == 0
        assert start_offset(broker) == 2

    def test_a_group_that_was_not_set_up_reads_nothing(self, broker: Broker) -> None:
        (partition,) = Worker(broker, group_id="unknown").fetch().partitions
        assert partition.error_code == UnknownError.errno

    def test_partitions_that_are_not_there_have_an_error_of_their_own(self, broker: Broker) -> None:
        here = partition_id(broker)
        partitions = [here, here._replace(partition=7), api.TopicIdPartition(UUID(int=9), 0)]
        worker = Worker(broker, partitions=partitions)
        broker.send(b"1")
        found = {each.partition: each.error_code for each in worker.fetch().partitions}
        assert found == {
            here: 0,
            partitions[1]: UnknownTopicOrPartitionError.errno,
            partitions[2]: UnknownTopicIdError.errno,
        }

    def test_a_topic_of_the_same_name_is_another_one(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        broker.port.delete_topics(broker.context, ["t"])
        assert worker.fetch().partitions[0].error_code == UnknownTopicIdError.errno
        broker.create()
        initialize(broker)
        broker.send(b"new")
        assert Worker(broker, "n").take() == [Job(0, b"new", 1)]
        assert broker.engine.share_states.read_summary("g", worker.partitions)[worker.partitions[0]].start_offset == -1


class TestTransactions:
    def test_aborted_records_are_seen_only_by_groups_that_read_uncommitted(self, broker: Broker) -> None:
        def send(*values: bytes, producer_id: int, sequence: int = 0) -> None:
            records = encode_batch(
                [(START_MS, None, value, ()) for value in values],
                producer_id=producer_id,
                producer_epoch=0,
                base_sequence=sequence,
                is_transactional=True,
            )
            partition = broker.engine.topics.partition(TOPIC)
            assert partition is not None
            verification = partition.start_verification(producer_id, 0, sequence, supports_epoch_bump=False)
            partition.append(records, verification=verification)

        def end(producer_id: int, *, commit: bool) -> None:
            partition = broker.engine.topics.partition(TOPIC)
            assert partition is not None
            partition.append_marker(producer_id, 0, commit=commit, coordinator_epoch=0, transaction_version=0)

        broker.set_config("c", resource_type=api.ResourceType.GROUP, share_isolation_level="read_committed")
        initialize(broker, "c")
        send(b"1", b"2", producer_id=5)
        send(b"3", producer_id=6)
        end(5, commit=False)
        send(b"4", producer_id=5, sequence=2)
        committed = Worker(broker, group_id="c")
        assert committed.take() == [], "a transaction is open"
        end(6, commit=True)
        assert [job.value for job in committed.take()] == [b"3"]
        end(5, commit=True)
        assert [job.value for job in committed.take()] == [b"4"]
        assert [job.value for job in Worker(broker).take()] == [b"1", b"2", b"3", b"4"]
        assert committed.acknowledge((2, 2, ACCEPT), (4, 4, ACCEPT)) == 0
        assert start_offset(broker, "c") == 7, "markers and what was aborted are done, too"


class TestWaiting:
    def test_an_append_wakes_who_waits(self, broker: Broker, worker: Worker) -> None:
        replies, parked = worker.start_fetch(max_wait_ms=-1)
        assert (replies, parked is None) == ([], False)
        broker.send(b"1")
        assert jobs_in(replies[0]) == [Job(0, b"1", 1)]
        assert broker.engine.topics.partition(TOPIC).parked == {}  # type: ignore[union-attr]

    def test_of_two_who_wait_one_is_woken_by_a_record_and_the_other_by_the_next(self, broker: Broker) -> None:
        first, _ = Worker(broker, "a").start_fetch(max_wait_ms=-1)
        second, _ = Worker(broker, "b").start_fetch(max_wait_ms=-1)
        broker.send(b"1")
        assert (len(first), len(second)) == (1, 0)
        broker.send(b"2")
        assert jobs_in(second[0]) == [Job(1, b"2", 1)]

    def test_a_released_record_wakes_who_waits(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        replies, _ = Worker(broker, "other").start_fetch(max_wait_ms=-1)
        worker.acknowledge((0, 0, RELEASE))
        assert jobs_in(replies[0]) == [Job(0, b"1", 2)]

    def test_a_lock_that_ends_wakes_who_waits(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        replies, _ = Worker(broker, "other").start_fetch(max_wait_ms=-1)
        clock_of(broker).advance(29_999)
        assert replies == []
        clock_of(broker).advance(1)
        assert jobs_in(replies[0]) == [Job(0, b"1", 2)]
        assert worker.accept(0) == InvalidRecordStateError.errno

    def test_a_session_that_is_closed_wakes_who_waits(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        replies, _ = Worker(broker, "other").start_fetch(max_wait_ms=-1)
        worker.close()
        assert jobs_in(replies[0]) == [Job(0, b"1", 2)]

    def test_room_for_more_locks_wakes_who_waits(self) -> None:
        with running() as broker:
            broker.create()
            broker.set_config("g", resource_type=api.ResourceType.GROUP, share_partition_max_record_locks="100")
            initialize(broker)
            for _ in range(101):
                broker.send(b"x")
            worker = Worker(broker)
            assert len(worker.take()) == 100
            replies, _ = Worker(broker, "other").start_fetch(max_wait_ms=-1)
            assert replies == []
            worker.accept(50)
            assert [job.offset for job in jobs_in(replies[0])] == [100]

    def test_when_the_time_is_up_the_answer_is_empty(self, broker: Broker, worker: Worker) -> None:
        replies, parked = worker.start_fetch(max_wait_ms=500)
        clock_of(broker).advance(500)
        assert [jobs_in(reply) for reply in replies] == [[]]
        assert parked is not None
        assert parked.cancel() is False

    def test_one_that_was_cancelled_takes_nothing(self, broker: Broker, worker: Worker) -> None:
        replies, parked = worker.start_fetch(max_wait_ms=-1)
        assert parked is not None
        assert parked.cancel() is True
        broker.send(b"1")
        assert replies == []
        assert Worker(broker, "other").take() == [Job(0, b"1", 1)]

    def test_enough_bytes_are_waited_for_without_taking_anything(self, broker: Broker, worker: Worker) -> None:
        size_bytes = len(batch(b"1"))
        replies, _ = worker.start_fetch(max_wait_ms=-1, min_bytes=2 * size_bytes)
        broker.send(b"1")
        assert replies == []
        assert len(Worker(broker, "other").take()) == 1
        broker.send(b"2")
        assert replies == []
        broker.send(b"3")
        assert [job.value for job in jobs_in(replies[0])] == [b"2", b"3"]

    def test_the_outcome_of_acknowledgements_comes_with_the_answer(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        replies, _ = worker.start_fetch(acknowledgements=[(0, 0, ACCEPT)], max_wait_ms=500)
        assert start_offset(broker) == 1, "stored at once"
        clock_of(broker).advance(500)
        (partition,) = replies[0].partitions
        assert (partition.acknowledge_error_code, partition.acquired) == (0, ())

    def test_of_many_partitions_the_one_that_has_more_answers(self) -> None:
        with running() as broker:
            broker.create(partitions=3)
            initialize(broker, partitions=3)
            worker = Worker(broker, partitions=[partition_id(broker, partition=number) for number in range(3)])
            replies, _ = worker.start_fetch(max_wait_ms=-1)
            broker.send(b"1", to=TopicPartition("t", 2))
            assert jobs_in(replies[0]) == [Job(0, b"1", 1)]

    def test_deleting_the_topic_answers_who_waits(self, broker: Broker, worker: Worker) -> None:
        replies, _ = worker.start_fetch(max_wait_ms=-1)
        broker.port.delete_topics(broker.context, ["t"])
        assert [each.error_code for each in replies[0].partitions] == [UnknownTopicOrPartitionError.errno]

    def test_a_failure_of_the_brokers_own_is_the_readers_answer_and_not_the_senders(
        self, broker: Broker, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replies, _ = worker.start_fetch(max_wait_ms=-1)

        def fail(*arguments: object) -> None:
            raise RuntimeError("a bug")

        with monkeypatch.context() as broken:
            broken.setattr("embedkafka.broker.share.partition.Extents", fail)
            broker.send(b"1")
        assert replies[0].error_code == UnknownError.errno
        assert worker.take() == [Job(0, b"1", 1)]

    def test_closing_the_engine_answers_who_waits(self) -> None:
        with running() as broker:
            broker.create()
            initialize(broker)
            replies, _ = Worker(broker).start_fetch(max_wait_ms=-1)
        assert [jobs_in(reply) for reply in replies] == [[]]


class TestAcknowledging:
    def test_a_renewed_lock_lasts_longer(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2")
        worker.take()
        clock_of(broker).advance(20_000)
        assert worker.acknowledge((0, 0, RENEW), is_renew_ack=True) == 0
        clock_of(broker).advance(10_000)
        assert Worker(broker, "other").take() == [Job(1, b"2", 2)]
        assert worker.accept(0) == 0
        clock_of(broker).advance(30_000)
        assert Worker(broker, "third").take() == [Job(1, b"2", 3)]

    def test_who_renews_has_to_say_so(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        assert worker.acknowledge((0, 0, RENEW)) == InvalidRequestError.errno

    def test_a_group_may_forbid_renewing(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        broker.set_config("g", resource_type=api.ResourceType.GROUP, share_renew_acknowledge_enable="false")
        assert worker.acknowledge((0, 0, RENEW), is_renew_ack=True) == InvalidRecordStateError.errno
        assert worker.acknowledge((0, 0, ACCEPT), is_renew_ack=True) == 0

    def test_a_fetch_that_renews_reads_nothing(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        broker.send(b"2")
        worker.take(max_records=1)
        nothing = {"max_wait_ms": 0, "min_bytes": 0, "max_bytes": 0, "max_records": 0}
        reply = worker.fetch(acknowledgements=[(0, 0, RENEW)], is_renew_ack=True, **nothing)
        assert (reply.error_code, reply.partitions[0].acquired) == (0, ())
        epoch, worker.epoch = worker.epoch, 0
        assert Worker(broker, "x").fetch(is_renew_ack=True).error_code == InvalidRequestError.errno
        worker.epoch = epoch

    def test_a_groups_lock_duration_is_told(self, broker: Broker, worker: Worker) -> None:
        assert worker.fetch().acquisition_lock_timeout_ms == 30_000
        broker.set_config("g", resource_type=api.ResourceType.GROUP, share_record_lock_duration_ms="20000")
        broker.send(b"1")
        assert worker.fetch().acquisition_lock_timeout_ms == 20_000
        clock_of(broker).advance(20_000)
        assert len(Worker(broker, "other").take()) == 1

    def test_moving_the_groups_offset_takes_everything_from_its_readers(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2", b"3")
        worker.take()
        initialize(broker, start_offset=1, state_epoch=2)
        assert worker.accept(2) != 0
        assert [job.offset for job in Worker(broker, "other").take()] == [1, 2]

    def test_a_disk_that_refuses_leaves_the_records_with_their_reader(
        self, broker: Broker, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broker.send(b"1")
        worker.take()

        def refuse(self: object, batch: bytearray, *of_batch: int) -> None:
            raise KafkaStorageError("no space")

        with monkeypatch.context() as broken:
            broken.setattr("embedkafka.broker.share.states_engine.EngineShareStateLog.append", refuse)
            assert worker.accept(0) == KafkaStorageError.errno
            assert Worker(broker, "other").take() == []
        assert worker.accept(0) == 0
        assert start_offset(broker) == 1


class TestSessions:
    def test_the_first_epoch_is_0_and_each_request_has_the_next(self, broker: Broker, worker: Worker) -> None:
        assert worker.fetch().error_code == 0
        assert worker.answer().error_code == 0
        assert worker.fetch().error_code == 0
        assert worker.epoch == 3

    @pytest.mark.parametrize("epoch", [1, 3, 2**31 - 1])
    def test_another_epoch_is_refused_and_nothing_changes(self, broker: Broker, worker: Worker, epoch: int) -> None:
        broker.send(b"1")
        worker.take()
        worker.answer()
        worker.epoch = epoch
        assert worker.answer((0, 0, ACCEPT)).error_code == InvalidShareSessionEpochError.errno
        worker.epoch = epoch
        assert worker.fetch().error_code == InvalidShareSessionEpochError.errno
        worker.epoch = 2
        assert worker.accept(0) == 0

    def test_after_the_highest_epoch_comes_1(self, broker: Broker, worker: Worker) -> None:
        worker.fetch()
        session = broker.engine.shares._sessions.find("g", "m")
        session.epoch = worker.epoch = 2**31 - 1
        assert worker.fetch().error_code == 0
        worker.epoch = 1
        assert worker.fetch().error_code == 0

    def test_who_has_no_session_is_told_so(self, worker: Worker) -> None:
        for epoch in (1, -1):
            worker.epoch = epoch
            assert worker.fetch().error_code == ShareSessionNotFoundError.errno
            worker.epoch = epoch
            assert worker.answer().error_code == ShareSessionNotFoundError.errno

    def test_a_session_does_not_begin_with_acknowledgements(self, worker: Worker) -> None:
        assert worker.answer().error_code == InvalidShareSessionEpochError.errno
        worker.epoch = 0
        assert worker.fetch(acknowledgements=[(0, 0, ACCEPT)]).error_code == InvalidRequestError.errno

    def test_a_session_begun_anew_keeps_what_the_member_has_acquired(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        worker.epoch = 0
        assert worker.take() == []
        assert worker.accept(0) == 0

    def test_closing_acknowledges_first_and_then_releases(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2")
        worker.take()
        reply = worker.close((0, 0, ACCEPT))
        assert (reply.error_code, reply.partitions[0].error_code) == (0, 0)
        assert Worker(broker, "other").take() == [Job(1, b"2", 2)]
        assert worker.close().error_code == ShareSessionNotFoundError.errno

    def test_a_fetch_can_close_a_session_too(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1", b"2")
        worker.take()
        worker.epoch = -1
        reply = worker.fetch(acknowledgements=[(1, 1, ACCEPT)])
        assert (reply.error_code, reply.partitions[0].acknowledge_error_code) == (0, 0)
        assert Worker(broker, "other").take() == [Job(0, b"1", 2)]

    def test_a_lost_connection_closes_the_session(self, broker: Broker, worker: Worker) -> None:
        broker.send(b"1")
        worker.take()
        broker.port.close_share_session(broker.context, "g", "m")
        broker.port.close_share_session(broker.context, "g", "m")
        assert Worker(broker, "other").take() == [Job(0, b"1", 2)]

    def test_a_member_of_this_process_that_left_its_group_has_no_session_any_more(
        self, broker: Broker, worker: Worker
    ) -> None:
        broker.send(b"1")
        worker.take()
        broker.engine.shares.member_gone("g", "m")
        assert Worker(broker, "other").take() == [Job(0, b"1", 2)]

    def test_a_remote_member_may_leave_its_group_and_close_its_session_then(self, broker: Broker) -> None:
        """As librdkafka does."""
        broker.context = broker.context._replace(in_process=False)
        broker.send(b"1")
        worker = Worker(broker)
        worker.take()
        broker.engine.shares.member_gone("g", "m")
        reply = worker.close((0, 0, ACCEPT))
        assert (reply.error_code, reply.partitions[0].error_code) == (0, 0)

    def test_there_is_a_limit_of_sessions(self) -> None:
        with running(**{"group.share.max.share.sessions": 1}) as broker:
            broker.create()
            initialize(broker)
            one, two = Worker(broker, "a"), Worker(broker, "b")
            assert one.fetch().error_code == 0
            assert two.fetch().error_code == ShareSessionLimitReachedError.errno
            one.close()
            two.epoch = 0
            assert two.fetch().error_code == 0

    @pytest.mark.parametrize(("group_id", "member_id"), [("", "m"), ("g", "")])
    def test_group_and_member_have_to_be_named(self, broker: Broker, group_id: str, member_id: str) -> None:
        assert Worker(broker, member_id, group_id).fetch().error_code == InvalidRequestError.errno


class TestDeadLetters:
    @pytest.fixture
    def graveyard(self, broker: Broker) -> Broker:
        broker.create("dlq.t", errors_deadletterqueue_group_enable="true")
        broker.set_config("g", resource_type=api.ResourceType.GROUP, errors_deadletterqueue_topic_name="dlq.t")
        return broker

    def letters(self, broker: Broker) -> list[tuple[bytes | None, bytes | None, dict[str, bytes | None]]]:
        records = records_in(broker.fetch(0, TopicPartition("dlq.t", 0)).records)
        return [(record.key, record.value, dict(record.headers)) for record in records]

    def test_a_rejected_record_is_named_there(self, graveyard: Broker, worker: Worker) -> None:
        graveyard.send(b"1", b"2")
        worker.take()
        assert worker.acknowledge((1, 1, REJECT)) == 0
        assert self.letters(graveyard) == [
            (
                None,
                None,
                {
                    "__dlq.errors.topic": b"t",
                    "__dlq.errors.partition": b"0",
                    "__dlq.errors.offset": b"1",
                    "__dlq.errors.group": b"g",
                    "__dlq.errors.delivery.count": b"1",
                    "__dlq.errors.message": b"Offset rejected by client.",
                },
            )
        ]

    def test_a_record_that_failed_too_often_is_copied_where_the_group_wants_that(
        self, graveyard: Broker, worker: Worker
    ) -> None:
        graveyard.set_config(
            "g",
            resource_type=api.ResourceType.GROUP,
            errors_deadletterqueue_copy_record_enable="true",
            share_delivery_count_limit="2",
        )
        graveyard.produce(encode_batch([(START_MS, b"key", b"poison", [("own", b"header")])]))
        for _ in range(2):
            assert len(worker.take()) == 1
            clock_of(graveyard).advance(30_000)
        assert worker.take() == []
        ((key, value, headers),) = self.letters(graveyard)
        assert (key, value, headers["own"]) == (b"key", b"poison", b"header")
        assert headers["__dlq.errors.delivery.count"] == b"2"
        assert headers["__dlq.errors.message"] == b"Offset delivery count exceeded the threshold."

    def test_whoever_waits_for_dead_letters_is_woken(self, graveyard: Broker, worker: Worker) -> None:
        graveyard.send(b"1")
        worker.take()
        replies, parked = graveyard.start_fetch({TopicPartition("dlq.t", 0): 0}, max_wait_ms=-1)
        worker.acknowledge((0, 0, REJECT))
        assert len(replies) == 1
        assert parked is not None

    def test_a_missing_topic_is_created_where_the_broker_allows_it(self) -> None:
        with running(**{"errors.deadletterqueue.auto.create.topics.enable": True}) as broker:
            broker.create()
            broker.set_config("g", resource_type=api.ResourceType.GROUP, errors_deadletterqueue_topic_name="dlq.t")
            initialize(broker)
            broker.send(b"1")
            worker = Worker(broker)
            worker.take()
            assert worker.acknowledge((0, 0, REJECT)) == 0
            assert len(self.letters(broker)) == 1
            assert broker.config("errors.deadletterqueue.group.enable", "dlq.t").value == "true"

    def test_a_reader_that_finds_locks_overdue_leaves_the_missing_topic_to_the_engines_turn(self) -> None:
        """The timer is late; the reader may be woken with a producer's lane locked, where no topic is created."""
        with running(**{"errors.deadletterqueue.auto.create.topics.enable": True}) as broker:
            broker.create()
            broker.set_config(
                "g",
                resource_type=api.ResourceType.GROUP,
                errors_deadletterqueue_topic_name="dlq.t",
                share_delivery_count_limit="2",
            )
            initialize(broker)
            broker.send(b"1")
            worker = Worker(broker)
            worker.take()
            worker.acknowledge((0, 0, RELEASE))
            worker.take()
            clock = clock_of(broker)
            clock._elapsed_ms += 30_000  # without a look at the timers
            broker.send(b"2")
            assert [job.offset for job in Worker(broker, "other").take()] == [1]
            assert broker.engine.topics.topic("dlq.t") is None
            clock.run_tasks()
            assert len(self.letters(broker)) == 1

    @pytest.mark.parametrize("name", ["dlq.missing", "dlq.forbidden", "other", "__internal"])
    def test_without_a_topic_that_may_be_used_the_record_is_given_up_all_the_same(
        self, broker: Broker, worker: Worker, name: str
    ) -> None:
        if name in ("dlq.forbidden", "other"):
            broker.create(name, errors_deadletterqueue_group_enable=str(name == "other").lower())
        broker.set_config("g", resource_type=api.ResourceType.GROUP, errors_deadletterqueue_topic_name=name)
        broker.send(b"1")
        worker.take()
        assert worker.acknowledge((0, 0, REJECT)) == 0
        assert start_offset(broker) == 1
        if broker.engine.topics.topic(name):
            assert broker.offset(-1, TopicPartition(name, 0)) == 0

    def test_a_copy_that_is_too_large_becomes_a_note(self, graveyard: Broker, worker: Worker) -> None:
        graveyard.set_config("dlq.t", max_message_bytes="600")
        graveyard.set_config(
            "g", resource_type=api.ResourceType.GROUP, errors_deadletterqueue_copy_record_enable="true"
        )
        graveyard.send(b"x" * 2_000)
        worker.take()
        assert worker.acknowledge((0, 0, REJECT)) == 0
        ((_, value, headers),) = self.letters(graveyard)
        assert (value, headers["__dlq.errors.offset"]) == (None, b"0")


class TestReopening:
    def test_acknowledged_records_never_come_back_and_acquired_ones_do(self, tmp_path: Path) -> None:
        with running(tmp_path) as broker:
            broker.create()
            initialize(broker)
            broker.send(b"1", b"2", b"3", b"4")
            worker = Worker(broker)
            worker.take()
            worker.acknowledge((1, 1, ACCEPT), (3, 3, RELEASE))
        with running(tmp_path) as broker:
            assert Worker(broker).take() == [Job(0, b"1", 1), Job(2, b"3", 1), Job(3, b"4", 2)]

    def test_records_that_a_power_cut_has_taken_are_not_done(self, tmp_path: Path) -> None:
        """The state says that offsets 1 to 4 are done; the log ends before them, and new records come there."""
        with running(tmp_path) as broker:
            broker.create()
            initialize(broker)
            broker.send(b"0")
            done = [StateBatch(1, 4, DeliveryState.ACKNOWLEDGED, 1)]
            partition = partition_id(broker)
            broker.engine.share_states.read("g", partition, 0)
            assert broker.engine.share_states.write("g", partition, ShareStateWrite(1, 0, 0, 4, done)) == 0
        with running(tmp_path) as broker:
            worker = Worker(broker)
            assert worker.take() == [Job(0, b"0", 1)]
            broker.send(b"1", b"2")
            assert worker.take() == [Job(1, b"1", 1), Job(2, b"2", 1)]
        with running(tmp_path) as broker:
            assert len(Worker(broker).take()) == 3

    def test_a_start_behind_the_logs_end_is_the_logs_end(self, tmp_path: Path) -> None:
        with running(tmp_path) as broker:
            broker.create()
            initialize(broker, start_offset=50)
            broker.send(b"0")
            worker = Worker(broker)
            assert worker.take() == []
            broker.send(b"1")
            assert worker.take() == [Job(1, b"1", 1)]

    def test_the_states_log_is_pruned_and_still_says_everything(self, tmp_path: Path) -> None:
        with running(tmp_path, **{"share.coordinator.snapshot.update.records.per.snapshot": 10}) as broker:
            broker.create()
            initialize(broker)
            worker = Worker(broker)
            for number in range(45):
                broker.send(b"%d" % number)
                worker.accept(worker.take()[0].offset)
            clock_of(broker).advance(300_000)
            index = broker.engine.share_states.shard_of(
                next(iter(broker.engine.shares._led.values()))._key  # the state's place
            ).index
            assert broker.offset(-2, TopicPartition("__share_group_state", index)) >= 40
        with running(tmp_path) as broker:
            assert start_offset(broker) == 45


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["take", "accept", "reject", "close", "end of a lock"])
def test_everything_can_be_interrupted_anywhere(what: str) -> None:
    """Whatever was answered holds: accepted records never come again, all others do, and the group goes on."""
    for line in every_line(usual_step=11):
        with running() as broker:
            broker.create()
            initialize(broker)
            broker.send(b"0", b"1")
            broker.send(b"2")
            worker = Worker(broker)
            worker.take(max_records=2)
            accepted = [0] if worker.accept(0) == 0 else []
            actions = {
                "take": lambda worker=worker: worker.take(),
                "accept": lambda worker=worker: worker.accept(1),
                "reject": lambda worker=worker: worker.acknowledge((1, 1, REJECT)),
                "close": lambda worker=worker: worker.close(),
                "end of a lock": lambda broker=broker: broker.engine.clock.advance(30_000),
            }
            interrupted = interrupted_at(line, actions[what])
            if not interrupted and what in ("accept", "reject"):
                accepted.append(1)
            clock_of(broker).advance(30_000)
            other = Worker(broker, "other")
            offsets = [job.offset for job in other.take()]
            if what in ("accept", "reject") and interrupted:
                assert set(offsets) - {1} == {2}
            else:
                assert offsets == [offset for offset in range(3) if offset not in accepted]
            for offset in offsets:
                assert other.accept(offset) == 0
            broker.send(b"3")
            assert [job.offset for job in other.take()] == [3]
        if not interrupted:
            return


def test_many_threads_do_every_job_once(tmp_path: Path) -> None:
    """Five workers, a producer beside them, releases now and then; locks do not end, so nothing is accepted twice."""
    count = 400
    accepted: list[int] = []
    failures: list[object] = []
    with running(tmp_path, clock=SystemClock()) as broker:
        broker.create()
        broker.set_config("g", resource_type=api.ResourceType.GROUP, share_delivery_count_limit="10")
        initialize(broker)

        def work(number: int) -> None:
            worker = Worker(broker, f"w{number}")
            released: set[int] = set()
            while len(accepted) < count:
                done = threading.Event()
                replies, _ = _start(worker, done)
                if not done.wait(10):
                    failures.append("nobody woke me")
                    return
                for job in jobs_in(replies[0]):
                    release = job.offset % 7 == number and job.offset not in released and job.delivery_count < 3
                    code = worker.acknowledge((job.offset, job.offset, RELEASE if release else ACCEPT))
                    if code:
                        failures.append((job, code))
                    released.add(job.offset)
                    if not release:
                        accepted.append(job.offset)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for number in range(0, count, 4):
            broker.send(*[b"%d" % each for each in range(number, number + 4)])
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert sorted(accepted) == list(range(count))
        assert start_offset(broker) == count


def _start(worker: Worker, done: threading.Event) -> tuple[list[api.ShareFetchReply], object]:
    replies: list[api.ShareFetchReply] = []

    def complete(reply: api.ShareFetchReply) -> None:
        replies.append(reply)
        done.set()

    request = api.ShareFetchRequest(
        worker.group_id,
        worker.member_id,
        worker.epoch,
        [api.ShareFetchPartition(each) for each in worker.partitions],
        max_wait_ms=50,
        max_records=10,
    )
    worker.epoch += 1
    return replies, worker.broker.port.share_fetch(worker.broker.context, request, complete)


def test_very_many_commits_are_pruned_before_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedkafka.broker.share.states_shard._PRUNE_AFTER_RECORDS", 600)
    with running(tmp_path, **{"share.coordinator.state.topic.num.partitions": 1}) as broker:
        broker.create()
        initialize(broker)
        initialize(broker, "quiet")
        worker = Worker(broker)
        for first in range(0, 2_000, 100):
            broker.send(*[b"x"] * 100)
            for job in worker.take():
                assert worker.accept(job.offset) == 0
            clock_of(broker).advance(0)
            assert first + 100 == start_offset(broker)
        state = TopicPartition("__share_group_state", 0)
        assert broker.offset(-1, state) > 2_000
        assert broker.offset(-1, state) - broker.offset(-2, state) < 1_200
    with running(tmp_path) as broker:
        assert (start_offset(broker), start_offset(broker, "quiet")) == (2_000, 0)
