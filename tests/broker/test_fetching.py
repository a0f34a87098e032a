from __future__ import annotations

import threading

import pytest
from broker.support import TOPIC, Broker, batch, records_in, running

from embedkafka.broker import api
from embedkafka.broker.api import FetchReply
from embedkafka.clock import ManualClock
from embedkafka.model import TopicPartition

OTHER = TopicPartition("u", 0)
NOWHERE = TopicPartition("nowhere", 0)


def only(replies: list[FetchReply]) -> FetchReply:
    (reply,) = replies
    return reply


def test_a_fetch_finds_what_was_produced(broker: Broker) -> None:
    broker.send(b"a", b"b")
    broker.send(b"c")
    reply = broker.fetch(0)
    assert (reply.high_watermark, reply.log_start_offset) == (3, 0)
    assert [(record.offset, record.value) for record in records_in(reply.records)] == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_a_fetch_in_the_middle_of_a_batch_gets_the_whole_batch(broker: Broker) -> None:
    broker.send(b"a", b"b")
    assert [record.offset for record in records_in(broker.fetch(1).records)] == [0, 1]


def test_a_fetch_at_the_end_gets_nothing_and_no_error(broker: Broker) -> None:
    broker.send(b"a")
    reply = broker.fetch(1)
    assert (reply.error_code, reply.records) == (0, ())


@pytest.mark.parametrize("offset", [-1, 2])
def test_a_fetch_outside_the_log_says_what_there_is(broker: Broker, offset: int) -> None:
    broker.send(b"a")
    reply = broker.fetch(offset)
    assert reply.error_code == 1
    assert reply.error_message is not None
    assert "offsets 0 to 1" in reply.error_message


def test_the_first_batch_comes_even_when_it_is_larger_than_the_limits(broker: Broker) -> None:
    broker.send(b"x" * 5000)
    broker.send(b"y" * 5000)
    replies, _ = broker.start_fetch({TOPIC: 0}, partition_max_bytes=10, max_bytes=10)
    assert len(records_in(only(replies).partitions[0].records)) == 1


def test_a_second_partition_gets_only_what_the_limit_leaves(broker: Broker) -> None:
    broker.create("u")
    broker.send(b"x" * 500)
    broker.send(b"y" * 500, to=OTHER)
    replies, _ = broker.start_fetch({TOPIC: 0, OTHER: 0}, max_bytes=600)
    sizes = [len(records_in(partition.records)) for partition in only(replies).partitions]
    assert sizes == [1, 0]


def test_a_partition_gets_no_more_than_its_own_limit(broker: Broker) -> None:
    for _ in range(10):
        broker.send(b"x" * 100)
    size_bytes = len(batch(b"x" * 100))
    replies, _ = broker.start_fetch({TOPIC: 0}, partition_max_bytes=3 * size_bytes + 1)
    assert len(records_in(only(replies).partitions[0].records)) == 3


def test_the_broker_limits_a_fetch_too() -> None:
    with running(fetch_max_bytes=1024) as broker:
        broker.create()
        for _ in range(10):
            broker.send(b"x" * 300)
        assert len(records_in(broker.fetch(0).records)) == 2


def test_an_epoch_older_or_newer_than_the_leaders_is_refused(broker: Broker) -> None:
    codes = []
    for epoch in (0, 1):
        replies: list[FetchReply] = []
        asked = api.PartitionFetch(TOPIC, 0, current_leader_epoch=epoch)
        broker.port.fetch(broker.context, api.FetchRequest([asked]), replies.append)
        codes.append(only(replies).partitions[0].error_code)
    assert codes == [0, 75]


def test_a_fetch_of_nothing_is_answered_at_once(broker: Broker) -> None:
    replies, parked = broker.start_fetch({}, max_wait_ms=1000)
    assert (only(replies).partitions, parked) == ([], None)


# Waiting ------------------------------------------------------------------------------------------------------------


def test_a_waiting_fetch_is_answered_by_the_next_append(broker: Broker) -> None:
    replies, parked = broker.start_fetch({TOPIC: 0}, max_wait_ms=1000)
    assert (replies, parked is None) == ([], False)
    broker.send(b"a")
    assert [record.value for record in records_in(only(replies).partitions[0].records)] == [b"a"]
    broker.send(b"b")
    assert len(replies) == 1


def test_a_waiting_fetch_is_answered_empty_when_its_time_is_up(broker: Broker, clock: ManualClock) -> None:
    replies, _ = broker.start_fetch({TOPIC: 0}, max_wait_ms=500)
    clock.advance(499)
    assert replies == []
    clock.advance(1)
    assert only(replies).partitions[0].records == ()
    broker.send(b"a")
    assert len(replies) == 1


def test_a_fetch_waits_until_min_bytes_are_there(broker: Broker) -> None:
    size_bytes = len(batch(b"a"))
    replies, _ = broker.start_fetch({TOPIC: 0}, max_wait_ms=1000, min_bytes=2 * size_bytes)
    broker.send(b"a")
    assert replies == []
    broker.send(b"b")
    assert len(records_in(only(replies).partitions[0].records)) == 2


def test_min_bytes_count_over_all_partitions(broker: Broker) -> None:
    broker.create("u")
    size_bytes = len(batch(b"a"))
    replies, _ = broker.start_fetch({TOPIC: 0, OTHER: 0}, max_wait_ms=1000, min_bytes=2 * size_bytes)
    broker.send(b"a")
    broker.send(b"b", to=OTHER)
    assert [len(partition.records) for partition in only(replies).partitions] == [1, 1]


def test_an_error_in_any_partition_is_answered_at_once(broker: Broker) -> None:
    replies, parked = broker.start_fetch({TOPIC: 0, NOWHERE: 0}, max_wait_ms=1000)
    assert parked is None
    assert [partition.error_code for partition in only(replies).partitions] == [0, 3]


def test_a_wake_up_answers_with_the_partition_that_has_something(broker: Broker) -> None:
    broker.create("u")
    replies, _ = broker.start_fetch({TOPIC: 0, OTHER: 0}, max_wait_ms=1000)
    broker.send(b"b", to=OTHER)
    assert [partition.topic_partition for partition in only(replies).partitions] == [OTHER]


def test_a_fetch_without_time_limit_waits_until_it_is_cancelled(broker: Broker, clock: ManualClock) -> None:
    replies, parked = broker.start_fetch({TOPIC: 0}, max_wait_ms=-1)
    clock.advance(10_000_000)
    assert parked is not None
    assert parked.cancel()
    broker.send(b"a")
    assert replies == []
    assert not parked.cancel()


def test_a_cancelled_fetch_leaves_nothing_behind(broker: Broker) -> None:
    _, parked = broker.start_fetch({TOPIC: 0}, max_wait_ms=1000)
    assert parked is not None
    parked.cancel()
    partition = broker.engine.topics.partition(TOPIC)
    assert partition is not None
    assert partition.parked == {}
    assert not broker.engine.unsealed.add(TOPIC, _Lane())


class _Lane:
    is_dirty = False

    def seal(self) -> None: ...


def test_a_lane_that_gets_a_record_while_a_reader_waits_is_told_so(broker: Broker) -> None:
    broker.start_fetch({TOPIC: 0}, max_wait_ms=-1)
    assert broker.engine.unsealed.add(TOPIC, _Lane())


def test_a_fetch_seals_what_producers_hold(broker: Broker) -> None:
    class Lane:
        is_dirty = False

        def seal(self) -> None:
            broker.send(b"sealed")

    broker.engine.unsealed.add(TOPIC, Lane())
    assert [record.value for record in records_in(broker.fetch(0).records)] == [b"sealed"]


def test_a_record_that_was_unsealed_when_a_reader_parked_is_not_missed(broker: Broker) -> None:
    class Lane:
        is_dirty = False

        def seal(self) -> None:
            broker.send(b"late")

    park = broker.engine.unsealed.park

    def add_just_before(topic_partitions: list[TopicPartition]) -> None:
        assert not broker.engine.unsealed.add(TOPIC, Lane())  # nobody waits yet, as far as the sender can see
        park(topic_partitions)

    broker.engine.unsealed.park = add_just_before  # type: ignore[method-assign,assignment]
    replies, _ = broker.start_fetch({TOPIC: 0}, max_wait_ms=-1)
    assert [record.value for record in records_in(only(replies).partitions[0].records)] == [b"late"]


def test_deleting_a_topic_answers_its_waiting_fetches(broker: Broker) -> None:
    replies, _ = broker.start_fetch({TOPIC: 0}, max_wait_ms=-1)
    broker.port.delete_topics(broker.context, ["t"])
    assert only(replies).partitions[0].error_code == 3


def test_closing_the_engine_answers_waiting_fetches() -> None:
    with running() as broker:
        broker.create()
        replies, _ = broker.start_fetch({TOPIC: 0}, max_wait_ms=-1)
    assert only(replies).partitions[0].records == ()


def test_a_reader_that_fails_over_its_answer_does_not_fail_the_sender(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(reply: FetchReply) -> None:
        raise ZeroDivisionError

    request = api.FetchRequest([api.PartitionFetch(TOPIC, 0)], max_wait_ms=-1)
    broker.port.fetch(broker.context, request, fail)
    assert broker.send(b"a").error_code == 0
    assert "a reader failed over its answer" in caplog.text


def test_an_answer_may_fetch_again(broker: Broker) -> None:
    seen: list[int] = []

    def again(reply: FetchReply) -> None:
        (partition,) = reply.partitions
        seen.append(partition.high_watermark)
        if partition.high_watermark < 3:
            asked = api.PartitionFetch(TOPIC, partition.high_watermark)
            broker.port.fetch(broker.context, api.FetchRequest([asked], max_wait_ms=-1), again)

    broker.port.fetch(broker.context, api.FetchRequest([api.PartitionFetch(TOPIC, 0)], max_wait_ms=-1), again)
    for value in (b"a", b"b", b"c"):
        broker.send(value)
    assert seen == [1, 2, 3]


def test_many_threads_that_append_and_wait_lose_nothing() -> None:
    rounds = 200
    with running() as broker:
        broker.create()
        found: list[bytes | None] = []

        def read() -> None:
            offset = 0
            while offset < 2 * rounds:
                answered = threading.Event()
                replies: list[FetchReply] = []

                def complete(
                    reply: FetchReply, replies: list[FetchReply] = replies, answered: threading.Event = answered
                ) -> None:
                    replies.append(reply)
                    answered.set()

                asked = api.PartitionFetch(TOPIC, offset)
                broker.port.fetch(broker.context, api.FetchRequest([asked], max_wait_ms=-1), complete)
                assert answered.wait(30)
                records = [r for r in records_in(replies[0].partitions[0].records) if r.offset >= offset]
                found.extend(record.value for record in records)
                offset = records[-1].offset + 1

        def write(name: bytes) -> None:
            for number in range(rounds):
                broker.send(b"%s%d" % (name, number))

        threads = [threading.Thread(target=read)] + [threading.Thread(target=write, args=(n,)) for n in (b"a", b"b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in (b"a", b"b"):
            assert [v for v in found if v is not None and v.startswith(name)] == [
                b"%s%d" % (name, i) for i in range(rounds)
            ]


def test_a_fetch_is_prompt_where_everything_lies_in_memory_and_nothing_is_to_be_sealed(broker: Broker) -> None:
    def is_prompt(offset: int, topic: str = TOPIC.topic) -> bool:
        asked = api.PartitionFetch(TopicPartition(topic, 0), offset)
        return broker.port.fetches_promptly(api.FetchRequest([asked]))

    assert not is_prompt(0)  # the log is not open
    broker.send(b"v")
    assert is_prompt(0)
    assert is_prompt(1)
    assert is_prompt(0, "nowhere")


def test_a_reader_that_has_seen_a_later_epoch_than_the_leaders_is_out_of_range(broker: Broker) -> None:
    broker.send(b"v")
    replies: list[FetchReply] = []
    asked = api.PartitionFetch(TOPIC, 0, last_fetched_epoch=1)
    broker.port.fetch(broker.context, api.FetchRequest([asked]), replies.append)
    assert [each.error_code for each in replies[0].partitions] == [1]
