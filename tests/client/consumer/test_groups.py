"""Being in a group: joining, sharing, listeners, leaving, dying."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Collection

import pytest
from client.consumer.records import Consumers, numbers, partitions, poll_in_turn, send, values

from embedkafka import (
    AsyncConsumerRebalanceListener,
    ConsumerGroupMetadata,
    ConsumerRebalanceListener,
    EmbeddedKafka,
    TopicPartition,
    errors,
)
from embedkafka.client.assignors import RangePartitionAssignor
from embedkafka.model import MemberState

Calls = list[tuple[str, list[int]]]


class Recorder(ConsumerRebalanceListener):
    """Notes each call with the numbers of the partitions; calls without partitions are left out."""

    def __init__(self) -> None:
        self.calls: Calls = []

    def _note(self, what: str, partitions: Collection[TopicPartition]) -> None:
        if partitions:
            self.calls.append((what, sorted(partition.partition for partition in partitions)))

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._note("revoked", revoked)

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._note("assigned", assigned)

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        self._note("lost", lost)


def test_one_poll_joins_and_reads(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    assert values(consumer("t", group_id="g").poll(0)) == numbers(3)


def test_members_share_the_partitions_and_each_record_comes_once(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    first, second = consumer("t", group_id="g"), consumer("t", group_id="g")
    poll_in_turn(first, second)
    assert sorted(partitions(first) + partitions(second)) == [0, 1, 2, 3]
    for partition in range(4):
        send(kafka, "t", numbers(5, start=5 * partition), partition=partition)
    got = [value for _ in range(3) for client in (first, second) for value in values(client.poll(0))]
    assert sorted(got) == sorted(numbers(20))


def test_an_eager_rebalance_revokes_everything_and_assigns_anew(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    recorder = Recorder()
    first = consumer(group_id="g")
    first.subscribe(["t"], listener=recorder)
    first.poll(0)
    second = consumer("t", group_id="g")
    poll_in_turn(second, first)
    kept = partitions(first)
    second.close()
    poll_in_turn(first)
    first.close()
    assert recorder.calls == [
        ("assigned", [0, 1, 2, 3]),
        ("revoked", [0, 1, 2, 3]),
        ("assigned", kept),
        ("revoked", kept),
        ("assigned", [0, 1, 2, 3]),
        ("revoked", [0, 1, 2, 3]),
    ]


def test_a_cooperative_rebalance_revokes_only_what_moves(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    strategy = {"partition_assignment_strategy": ["cooperative-sticky"], "group_id": "g"}
    recorders = Recorder(), Recorder()
    first, second = consumer(**strategy), consumer(**strategy)
    first.subscribe(["t"], listener=recorders[0])
    first.poll(0)
    second.subscribe(["t"], listener=recorders[1])
    poll_in_turn(second, first)
    moved = partitions(second)
    assert len(moved) == len(partitions(first)) == 2
    assert recorders[0].calls == [("assigned", [0, 1, 2, 3]), ("revoked", moved)]
    assert recorders[1].calls == [("assigned", moved)]


def test_a_cooperative_rebalance_goes_on_reading_what_stays(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    strategy = {
        "partition_assignment_strategy": ["cooperative-sticky"],
        "group_id": "g",
        "enable_auto_commit": False,
    }
    first = consumer("t", **strategy)
    first.poll(0)
    for partition in range(2):
        send(kafka, "t", numbers(2), partition=partition)
        first.seek(TopicPartition("t", partition), 1)
    second = consumer("t", **strategy)
    got = []
    for _ in range(4):
        second.poll(0)
        got += [(tp, record.offset) for tp, records in first.poll(0).items() for record in records]
    stays = first.assignment()
    assert len(stays) == 1
    assert [offset for tp, offset in got if tp in stays] == [1]  # not from 0, the committed position, again


def test_a_cooperative_rebalance_hands_out_records_while_it_waits_for_others(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t", 2)
    strategy = {"partition_assignment_strategy": ["cooperative-sticky"], "group_id": "g"}
    first, slow = consumer("t", **strategy), consumer("t", **strategy)
    poll_in_turn(first, slow)
    (held,) = first.assignment()
    third = consumer("t", **strategy)
    third.poll(0)
    first.poll(0)  # joins, and has to wait for the slow one
    assert first.group_metadata().state == MemberState.REBALANCING
    send(kafka, "t", [b"x"], partition=held.partition)
    assert values(first.poll(0)) == [b"x"]
    kafka.clock.call_later(300, lambda: send(kafka, "t", [b"y"], partition=held.partition))
    began_ms = kafka.clock.monotonic_ms()
    assert values(first.poll(10_000)) == [b"y"]
    assert kafka.clock.monotonic_ms() - began_ms == 300


def test_a_member_that_reads_on_in_a_rebalance_takes_its_next_step_as_soon_as_it_can(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    assigned_at_ms: list[float] = []

    class Stopwatch(Recorder):
        def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
            assigned_at_ms.append(kafka.clock.monotonic_ms())

    kafka.create_topic("t", 2)
    strategy = {"partition_assignment_strategy": ["cooperative-sticky"], "group_id": "g", "enable_auto_commit": False}
    first, slow, third = (consumer("t", **strategy) for _ in range(3))
    first.subscribe(["t"], listener=Stopwatch())
    poll_in_turn(first, slow)
    third.poll(0)
    first.poll(0)
    began_ms = kafka.clock.monotonic_ms()
    kafka.clock.call_later(300, lambda: slow.poll(0))
    kafka.clock.call_later(301, lambda: slow.poll(0))  # whichever of them leads
    first.poll(1_000)
    assert assigned_at_ms[-1] - began_ms <= 301


def test_an_eager_rebalance_begins_at_the_committed_offset_again(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    first = consumer("t", group_id="g", enable_auto_commit=False, group_instance_id="a")
    assert values(first.poll(0)) == numbers(3)
    second = consumer("t", group_id="g", enable_auto_commit=False, group_instance_id="b")
    got: list[bytes] = []
    for _ in range(4):
        second.poll(0)
        got += values(first.poll(0))
    assert partitions(first) == [0]
    assert got == numbers(3)


def test_a_custom_assignor_by_class_object_or_name(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    class Mine(RangePartitionAssignor):
        name = "mine"

    kafka.create_topic("t", 2)
    strategies = [
        ([Mine], "mine"),
        ([Mine()], "mine"),
        (Mine, "mine"),
        (["roundrobin"], "roundrobin"),
        ("range", "range"),
    ]
    for number, (strategy, name) in enumerate(strategies):
        client = consumer("t", group_id=f"g{number}", partition_assignment_strategy=strategy)
        client.poll(0)
        assert partitions(client) == [0, 1]
        assert kafka.admin().describe_groups([f"g{number}"])[f"g{number}"]["protocol_data"] == name


def test_members_without_a_common_assignor_are_refused(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    consumer("t", group_id="g", partition_assignment_strategy=["range"]).poll(0)
    with pytest.raises(errors.InconsistentGroupProtocolError):
        consumer("t", group_id="g", partition_assignment_strategy=["roundrobin"]).poll(0)


def test_a_static_member_comes_back_to_its_partitions_without_a_rebalance(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t", 4)
    recorder = Recorder()
    other = consumer(group_id="g", group_instance_id="b")
    other.subscribe(["t"], listener=recorder)
    first = consumer("t", group_id="g", group_instance_id="a")
    poll_in_turn(other, first)
    held = partitions(first)
    calls = list(recorder.calls)
    first.close()
    again = consumer("t", group_id="g", group_instance_id="a")
    poll_in_turn(other, again)
    assert partitions(again) == held
    assert recorder.calls == calls


def test_a_second_consumer_with_the_same_instance_id_fences_the_first(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    first = consumer("t", group_id="g", group_instance_id="a")
    first.poll(0)
    second = consumer("t", group_id="g", group_instance_id="a")
    second.poll(0)
    with pytest.raises(errors.FencedInstanceIdError):
        first.poll(0)
    assert partitions(second) == [0]


def test_a_pattern_follows_topics_that_come_and_go(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("log-a")
    kafka.create_topic("other")
    client = consumer(group_id="g")
    client.subscribe(pattern="^log-")
    client.poll(0)
    assert client.subscription() == {"log-a"}
    kafka.create_topic("log-b")
    poll_in_turn(client)
    assert {partition.topic for partition in client.assignment()} == {"log-a", "log-b"}
    kafka.admin().delete_topics(["log-a"])
    poll_in_turn(client)
    assert {partition.topic for partition in client.assignment()} == {"log-b"}


def test_a_pattern_also_works_without_a_group(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "log-a", [b"x"])
    client = consumer()
    client.subscribe(pattern="log-.*")
    assert values(client.poll(0)) == [b"x"]
    send(kafka, "log-b", [b"y"])
    assert values(client.poll(0)) == [b"y"]


def test_a_waiting_member_notices_a_topic_that_its_pattern_matches() -> None:
    with EmbeddedKafka() as kafka, kafka.consumer(group_id="g", auto_offset_reset="earliest") as client:
        client.subscribe(pattern="^log-")
        client.poll(0)
        sender = threading.Timer(0.05, lambda: kafka.producer().send("log-a", value=b"x").get(5))
        sender.start()
        assert values(client.poll(20_000)) == [b"x"]
        sender.join()


def test_a_member_that_waits_is_woken_by_a_new_topic_and_not_by_the_end_of_its_patience(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    client = consumer(group_id="g", enable_auto_commit=False)
    client.subscribe(pattern="^log-")
    client.poll(0)
    kafka.clock.call_later(300, lambda: send(kafka, "log-a", [b"x"]))
    began_ms = kafka.clock.monotonic_ms()
    assert values(client.poll(60_000)) == [b"x"]
    assert kafka.clock.monotonic_ms() - began_ms == 300


def test_a_leader_that_waits_gives_out_partitions_that_were_added(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    first, second = consumer("t", group_id="g"), consumer("t", group_id="g")
    poll_in_turn(first, second)
    kafka.admin().create_partitions({"t": 4})
    poll_in_turn(first, second)
    assert sorted(partitions(first) + partitions(second)) == [0, 1, 2, 3]


def test_changing_the_subscription_rebalances(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    client = consumer("a", group_id="g")
    client.poll(0)
    client.subscribe(["b"])
    poll_in_turn(client)
    assert client.assignment() == {TopicPartition("b", 0)}


def test_unsubscribing_leaves_the_group_without_a_call_to_the_listener(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    recorder = Recorder()
    client = consumer(group_id="g")
    client.subscribe(["t"], listener=recorder)
    client.poll(0)
    client.unsubscribe()
    assert client.assignment() == set()
    assert client.subscription() is None
    assert kafka.admin().describe_groups(["g"])["g"]["members"] == []
    assert recorder.calls == [("assigned", [0])]


def test_a_consumer_that_does_not_poll_for_max_poll_interval_ms_loses_its_partitions(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t", 2)
    recorder = Recorder()
    slow = consumer(group_id="g", max_poll_interval_ms=10_000)
    slow.subscribe(["t"], listener=recorder)
    busy = consumer("t", group_id="g")
    poll_in_turn(slow, busy)
    held = partitions(slow)
    began_ms = kafka.clock.monotonic_ms()
    while len(partitions(busy)) < 2:
        busy.poll(500)
    assert kafka.clock.monotonic_ms() - began_ms <= 10_500
    poll_in_turn(slow, busy)
    assert ("lost", held) in recorder.calls
    assert len(partitions(slow)) == 1


def test_a_consumer_that_polls_in_time_keeps_its_partitions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    recorder = Recorder()
    client = consumer(group_id="g", max_poll_interval_ms=10_000)
    client.subscribe(["t"], listener=recorder)
    for _ in range(5):
        client.poll(0)
        kafka.clock.advance(9_000)
    assert recorder.calls == [("assigned", [0])]


def test_a_killed_consumer_is_missed_when_its_session_is_over(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    victim = consumer("t", group_id="g", session_timeout_ms=6_000)
    other = consumer("t", group_id="g", session_timeout_ms=6_000)
    poll_in_turn(victim, other)
    began_ms = kafka.clock.monotonic_ms()
    kafka.kill(victim)
    while len(partitions(other)) < 2:
        other.poll(500)
    assert kafka.clock.monotonic_ms() - began_ms <= 6_500
    with pytest.raises(errors.IllegalStateError):
        victim.poll(0)


def test_a_collected_consumer_leaves_its_group(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    other = consumer("t", group_id="g")
    lost = kafka.consumer("t", group_id="g")
    poll_in_turn(lost, other)
    del lost
    gc.collect()
    poll_in_turn(other)
    assert partitions(other) == [0, 1]


def test_the_listener_may_use_the_consumer(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    class SeekToThree(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
            if revoked:
                client.commit()

        def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
            for partition in assigned:
                client.seek(partition, 3)

    send(kafka, "t", numbers(5))
    client = consumer(group_id="g", enable_auto_commit=False)
    client.subscribe(["t"], listener=SeekToThree())
    assert values(client.poll(0)) == numbers(2, start=3)
    client.close()
    assert kafka.admin().list_group_offsets("g")["g"][TopicPartition("t", 0)].offset == 5


def test_a_listener_of_coroutines_is_run(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    calls = []

    class Coroutines(AsyncConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
            calls.append("revoked")

        async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
            calls.append("assigned")

    client = consumer(group_id="g")
    client.subscribe(["t"], listener=Coroutines())
    client.poll(0)
    assert calls == ["revoked", "assigned"]


def test_what_a_listener_raises_comes_out_of_poll_and_the_member_stays(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    class Broken(Recorder):
        def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
            raise ValueError("mine")

    client = consumer(group_id="g")
    client.subscribe(["t"], listener=Broken())
    with pytest.raises(errors.KafkaError, match=re.escape("ValueError('mine')")):
        client.poll(0)
    assert client.poll(0) == {}
    assert partitions(client) == [0]


def test_group_metadata_says_who_one_is(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    assert consumer().group_metadata() == ConsumerGroupMetadata(group_id=None)
    client = consumer("t", group_id="g", group_instance_id="i")
    assert client.group_metadata() == ConsumerGroupMetadata("g", -1, "", "i", MemberState.UNJOINED)
    client.poll(0)
    metadata = client.group_metadata()
    assert metadata[:2] == ("g", 1)
    assert metadata.member_id
    assert metadata.state == MemberState.STABLE


def test_two_members_on_two_threads_come_to_share() -> None:
    with EmbeddedKafka() as real:
        real.create_topic("t", 2)
        shared = threading.Barrier(2, timeout=20)
        failures: list[BaseException] = []

        def member() -> None:
            try:
                with real.consumer("t", group_id="g") as client:
                    while len(client.assignment()) != 1 or client.group_metadata().generation_id < 2:
                        client.poll(20)
                    shared.wait()
            except BaseException as error:
                failures.append(error)
                shared.abort()

        threads = [threading.Thread(target=member) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
