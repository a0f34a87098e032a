"""Seek, position, reset, offsets by time, lag, pause."""

from __future__ import annotations

import pytest
from client.consumer.records import Consumers, numbers, send, values

from embedkafka import EmbeddedKafka, OffsetAndMetadata, OffsetAndTimestamp, TopicPartition, errors

TP = TopicPartition("t", 0)
NOWHERE = TopicPartition("nowhere", 0)


@pytest.fixture
def ten(kafka: EmbeddedKafka) -> EmbeddedKafka:
    """Ten records, a second apart from 1,000 s on."""
    with kafka.producer() as producer:
        for number in range(10):
            producer.send("t", value=b"%d" % number, timestamp_ms=1_000_000 + 1_000 * number)
    return kafka


def test_seek_reads_on_from_there(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    client.assign([TP])
    client.seek(TP, 7)
    assert client.position(TP) == 7
    assert values(client.poll(0)) == numbers(3, start=7)


def test_seek_takes_an_offset_with_metadata(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    client.assign([TP])
    client.seek(TP, OffsetAndMetadata(8, "", 0))
    assert values(client.poll(0)) == numbers(2, start=8)


def test_seek_drops_what_was_fetched_before(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.poll(0, max_records=1)
    client.seek(TP, 9)
    assert values(client.poll(0)) == [b"9"]


def test_seek_to_beginning_and_end(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    client.assign([TP])
    client.seek_to_end()
    assert client.position(TP) == 10
    client.seek_to_beginning(TP)
    assert client.position(TP) == 0


@pytest.mark.parametrize(
    ("policy", "first"), [("earliest", 0), ("latest", 10), ("smallest", 0), ("largest", 10), ("by_duration:PT5S", 5)]
)
def test_without_a_committed_offset_auto_offset_reset_says_where_to_begin(
    ten: EmbeddedKafka, consumer: Consumers, policy: str, first: int
) -> None:
    now_ms = ten.clock.now_ms()
    with ten.producer() as producer:  # a record every second up to now, for by_duration
        for number in range(10):
            producer.send("now", value=b"x", timestamp_ms=now_ms - 10_000 + 1_000 * number)
    client = consumer(auto_offset_reset=policy)
    partition = TopicPartition("now", 0)
    client.assign([partition])
    assert client.position(partition) == first


def test_by_duration_begins_at_the_end_where_everything_is_older(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer(auto_offset_reset="by_duration:PT1S")
    client.assign([TP])
    assert client.position(TP) == 10


def test_without_a_policy_a_missing_position_is_an_error(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer(auto_offset_reset="none", group_id="g")
    client.assign([TP])
    with pytest.raises(errors.NoOffsetForPartitionError):
        client.poll(0)
    with pytest.raises(errors.NoOffsetForPartitionError):
        client.position(TP)
    client.seek(TP, 9)
    assert values(client.poll(0)) == [b"9"]


def test_the_committed_offset_comes_before_the_policy(ten: EmbeddedKafka, consumer: Consumers) -> None:
    ten.admin().alter_group_offsets("g", {TP: OffsetAndMetadata(6, "", -1)})
    client = consumer(group_id="g")
    client.assign([TP])
    assert values(client.poll(0)) == numbers(4, start=6)


@pytest.mark.parametrize(("policy", "first"), [("earliest", 0), ("latest", 10)])
def test_a_position_beyond_the_end_is_reset_by_policy(
    ten: EmbeddedKafka, consumer: Consumers, policy: str, first: int
) -> None:
    client = consumer(auto_offset_reset=policy)
    client.assign([TP])
    client.seek(TP, 1_000)
    assert client.poll(0) == {}
    assert client.position(TP) == first


def test_a_position_beyond_the_end_without_policy_is_an_error(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer(auto_offset_reset="none")
    client.assign([TP])
    client.seek(TP, 1_000)
    with pytest.raises(errors.OffsetOutOfRangeError):
        client.poll(0)


def test_a_position_below_the_log_start_is_reset(ten: EmbeddedKafka, consumer: Consumers) -> None:
    ten.admin().delete_records({TP: 4})
    client = consumer()
    client.assign([TP])
    client.seek(TP, 1)
    assert values(client.poll(100)) == numbers(6, start=4)


def test_the_ends_of_partitions(ten: EmbeddedKafka, consumer: Consumers) -> None:
    ten.admin().delete_records({TP: 4})
    client = consumer()
    assert client.beginning_offsets([TP]) == {TP: 4}
    assert client.end_offsets([TP]) == {TP: 10}


def test_offsets_for_times_finds_the_first_record_at_or_after(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer()
    assert client.offsets_for_times({TP: 1_002_500}) == {TP: OffsetAndTimestamp(3, 1_003_000, 0)}
    assert client.offsets_for_times({TP: 1_003_000}) == {TP: OffsetAndTimestamp(3, 1_003_000, 0)}
    assert client.offsets_for_times({TP: 9_999_999}) == {TP: None}


def test_offsets_of_what_is_not_there_are_an_error_at_once(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer(allow_auto_create_topics=False)
    began_ms = ten.clock.monotonic_ms()
    for ask in (client.end_offsets, client.beginning_offsets):
        with pytest.raises(errors.UnknownTopicOrPartitionError):
            ask([NOWHERE])
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        client.end_offsets([TopicPartition("t", 5)])
    assert ten.clock.monotonic_ms() == began_ms


def test_highwater_and_lag(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.poll(0, max_records=3)
    assert client.highwater(TP) == 10
    assert client.lag(TP) == 7
    send(ten, "t", [b"x"])
    assert client.lag(TP) == 8
    assert client.highwater(TP) == 10  # what the last fetch knew


def test_lag_counts_records_that_a_producer_here_still_holds(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.poll(0)
    with ten.producer(linger_ms=10_000) as producer:
        producer.send("t", value=b"x")
        assert client.lag(TP) == 1


def test_a_paused_partition_gives_nothing_until_resumed(ten: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.poll(0, max_records=2)
    client.pause(TP)
    assert client.paused() == {TP}
    assert client.poll(100) == {}
    client.resume(TP)
    assert client.paused() == set()
    assert values(client.poll(0)) == numbers(8, start=2)


def test_topics_and_partitions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 3)
    client = consumer("t", group_id="g")
    client.poll(0)
    assert client.topics() == {"t"}
    assert client.partitions_for_topic("t") == {0, 1, 2}
    assert client.partitions_for_topic("nowhere") == set()
    assert "__consumer_offsets" in consumer(exclude_internal_topics=False).topics()


def test_assigning_again_keeps_the_positions_of_what_stays(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 3)
    client = consumer()
    client.assign([TP, TopicPartition("t", 1)])
    client.seek(TP, 5)
    client.seek(TopicPartition("t", 1), 6)
    client.assign([TP, TopicPartition("t", 2)])
    assert client.position(TP) == 5
    client.assign([TopicPartition("t", 1)])
    assert client.position(TopicPartition("t", 1)) == 0


def test_assigning_nothing_unsubscribes(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("t")
    client.assign([])
    assert client.subscription() is None
    assert client.assignment() == set()
    client.assign([TP])
    assert client.assignment() == {TP}
