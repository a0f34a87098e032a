"""``group_protocol="consumer"`` (KIP-848): joining, reconciling on poll, fencing, regular expressions, migration."""

from __future__ import annotations

import gc
import math
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from client.consumer.records import Consumers, numbers, partitions, poll_in_turn, send, values
from client.consumer.test_groups import Recorder

from embedkafka import EmbeddedKafka, KafkaConsumer, ManualClock, SubscriptionPattern, TopicPartition, errors
from embedkafka.model import MemberState

NEW = {"group_id": "g", "group_protocol": "consumer"}
OLD = {"group_id": "g", "group_protocol": "classic"}


def described(kafka: EmbeddedKafka, group_id: str = "g") -> object:
    port = next(iter(kafka.engine.ports.values()))
    (group,) = port.consumer_group_describe(kafka_context(), [group_id])
    return group


def kafka_context() -> object:
    from embedkafka.broker.api import RequestContext

    return RequestContext()


def group_type(kafka: EmbeddedKafka, group_id: str = "g") -> str:
    port = next(iter(kafka.engine.ports.values()))
    return next(group.group_type for group in port.list_groups(kafka_context()) if group.group_id == group_id)


# Being a member ------------------------------------------------------------------------------------------------------


def test_one_poll_joins_and_reads(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    assert values(consumer("t", **NEW).poll(0)) == numbers(3)
    assert group_type(kafka) == "consumer"


def test_members_share_the_partitions_and_each_record_comes_once(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    first, second = consumer("t", **NEW), consumer("t", **NEW)
    poll_in_turn(first, second)
    assert sorted(partitions(first) + partitions(second)) == [0, 1, 2, 3]
    for partition in range(4):
        send(kafka, "t", numbers(5, start=5 * partition), partition=partition)
    got = [value for _ in range(3) for client in (first, second) for value in values(client.poll(0))]
    assert sorted(got) == sorted(numbers(20))


def test_only_what_moves_is_revoked(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    recorders = Recorder(), Recorder()
    first, second = consumer(**NEW), consumer(**NEW)
    first.subscribe(["t"], listener=recorders[0])
    first.poll(0)
    second.subscribe(["t"], listener=recorders[1])
    poll_in_turn(second, first)
    moved = partitions(second)
    assert len(moved) == len(partitions(first)) == 2
    assert recorders[0].calls == [("assigned", [0, 1, 2, 3]), ("revoked", moved)]
    assert recorders[1].calls == [("assigned", moved)]
    second.close()
    poll_in_turn(first)
    assert recorders[0].calls[2:] == [("assigned", moved)]
    assert recorders[1].calls[1:] == [("revoked", moved)]


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_a_join_moves_at_most_its_fair_share(kafka: EmbeddedKafka, consumer: Consumers, size: int) -> None:
    kafka.create_topic("t", 20)
    members = [consumer("t", **NEW) for _ in range(size)]
    poll_in_turn(*members)
    owner = {partition: member for member in members for partition in member.assignment()}
    late = consumer("t", **NEW)
    poll_in_turn(late, *members)
    members.append(late)
    moved = [tp for member in members for tp in member.assignment() if owner[tp] is not member]
    assert sum(len(member.assignment()) for member in members) == 20
    assert len(moved) <= math.ceil(20 / (size + 1))


def test_partitions_that_stay_are_read_on_without_a_gap_or_a_second_look(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    """Each poll of the first member, through the whole rebalance, gives a record of every partition that stays."""
    kafka.create_topic("t", 4)
    first = consumer("t", **NEW, enable_auto_commit=False)
    first.poll(0)
    others: list[KafkaConsumer] = []
    stays: set[TopicPartition] = set()
    got: list[dict[TopicPartition, list[int]]] = []
    for round_number in range(8):
        for partition in range(4):
            send(kafka, "t", [b"%d" % round_number], partition=partition)
        if round_number == 2:
            others.append(consumer("t", **NEW, enable_auto_commit=False))
        polled = first.poll(0)
        got.append({tp: [record.offset for record in records] for tp, records in polled.items()})
        for other in others:
            other.poll(0)
        stays = first.assignment()
    assert len(stays) == 2
    for round_number, polled_offsets in enumerate(got):
        assert {tp: polled_offsets.get(tp) for tp in stays} == {tp: [round_number] for tp in stays}


def test_a_member_that_waits_for_partitions_does_not_keep_others_waiting(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    """The first member does not poll, so the second waits for its share; the third gets what is left of others."""
    kafka.create_topic("t", 6)
    idle, second = consumer("t", **NEW), consumer("t", **NEW)
    poll_in_turn(idle, second)
    third = consumer("t", **NEW)
    for _ in range(4):
        third.poll(0)
        second.poll(0)
    assert (len(second.assignment()), len(third.assignment())) == (2, 1)
    poll_in_turn(idle, third)
    assert [len(each.assignment()) for each in (idle, second, third)] == [2, 2, 2]


def test_a_member_knows_its_epoch_and_its_state(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    member = consumer("t", **NEW)
    assert member.group_metadata().state == MemberState.UNJOINED
    member.poll(0)
    metadata = member.group_metadata()
    assert (metadata.group_id, metadata.generation_id, metadata.state) == ("g", 2, MemberState.STABLE)
    assert metadata.member_id


def test_new_topics_and_new_partitions_are_read(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    member = consumer("t", **NEW, allow_auto_create_topics=False)
    assert member.poll(0) == {}
    kafka.create_topic("t", 1)
    send(kafka, "t", [b"a"])
    assert values(member.poll(0)) == [b"a"]
    with kafka.admin() as admin:
        admin.create_partitions({"t": 2})
    send(kafka, "t", [b"b"], partition=1)
    assert values(member.poll(0)) == [b"b"]


def test_a_deleted_topic_goes(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    kafka.create_topic("u", 1)
    member = consumer("t", "u", **NEW, allow_auto_create_topics=False)
    member.poll(0)
    with kafka.admin() as admin:
        admin.delete_topics(["u"])
    member.poll(0)
    assert member.assignment() == {TopicPartition("t", 0)}


def test_another_subscription_moves_the_partitions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    kafka.create_topic("u", 1)
    member = consumer("t", **NEW)
    member.poll(0)
    member.subscribe(["u"])
    member.poll(0)
    assert member.assignment() == {TopicPartition("u", 0)}


def test_unsubscribing_leaves_the_group(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    first, second = consumer("t", **NEW), consumer("t", **NEW)
    poll_in_turn(first, second)
    first.unsubscribe()
    assert first.assignment() == set()
    poll_in_turn(second)
    assert partitions(second) == [0, 1]
    first.subscribe(["t"])
    poll_in_turn(first, second)
    assert len(first.assignment()) == 1


def test_closing_leaves_the_group_and_commits(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", numbers(3))
    member = consumer("t", **NEW)
    member.poll(0)
    member.close()
    assert described(kafka).members == []  # type: ignore[attr-defined]
    assert consumer("t", **NEW).poll(0) == {}


def test_the_program_may_choose_among_the_brokers_assignors(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    kafka.create_topic("u", 2)
    first, second = (consumer("t", "u", **NEW, group_remote_assignor="range") for _ in range(2))
    poll_in_turn(first, second)
    assert {frozenset(first.assignment()), frozenset(second.assignment())} == {
        frozenset({TopicPartition("t", 0), TopicPartition("u", 0)}),
        frozenset({TopicPartition("t", 1), TopicPartition("u", 1)}),
    }
    with pytest.raises(errors.UnsupportedAssignorError, match="best"):
        consumer("t", **NEW, group_remote_assignor="best").poll(0)


# Fencing and dying ---------------------------------------------------------------------------------------------------


def test_a_member_that_does_not_poll_in_time_loses_its_partitions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    recorder = Recorder()
    slow = consumer(**NEW, max_poll_interval_ms=60_000)
    slow.subscribe(["t"], listener=recorder)
    slow.poll(0)
    kafka.clock.advance(60_001)
    other = consumer("t", **NEW)
    other.poll(0)
    assert partitions(other) == [0, 1]
    with pytest.raises(errors.CommitFailedError):
        slow.commit({TopicPartition("t", 0): errors_free_offset()})
    poll_in_turn(slow, other)
    assert recorder.calls[:2] == [("assigned", [0, 1]), ("lost", [0, 1])]
    assert len(slow.assignment()) == len(other.assignment()) == 1


def errors_free_offset() -> object:
    from embedkafka import OffsetAndMetadata

    return OffsetAndMetadata(1, "", -1)


def test_a_member_that_polls_is_never_out_however_long_it_takes(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    member = consumer("t", **NEW)
    member.poll(0)
    for _ in range(20):
        kafka.clock.advance(250_000)
        member.poll(0)
    assert member.group_metadata().generation_id == 2


def test_a_member_that_does_not_give_up_in_time_is_out(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    slow = consumer("t", **NEW, max_poll_interval_ms=30_000)
    slow.poll(0)
    waiting = consumer("t", **NEW)
    waiting.poll(0)
    waiting.poll(31_000)
    poll_in_turn(waiting)
    assert partitions(waiting) == [0, 1]


def test_a_killed_member_is_out_after_its_session(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    dead, alive = consumer("t", **NEW), consumer("t", **NEW)
    poll_in_turn(dead, alive)
    dead._kill()
    kafka.clock.advance(44_000)
    poll_in_turn(alive)
    assert len(alive.assignment()) == 1
    kafka.clock.advance(2_000)
    poll_in_turn(alive)
    assert partitions(alive) == [0, 1]


def test_a_collected_member_leaves(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 2)
    member = consumer("t", **NEW)
    forgotten = kafka.consumer("t", **NEW)
    poll_in_turn(member, forgotten)
    del forgotten
    gc.collect()
    poll_in_turn(member)
    assert partitions(member) == [0, 1]


def test_a_static_member_comes_back_to_its_partitions(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    other = consumer("t", **NEW)
    static = consumer("t", **NEW, group_instance_id="i")
    poll_in_turn(other, static)
    held = partitions(static)
    static.close()
    poll_in_turn(other)
    assert len(other.assignment()) == 2
    again = consumer("t", **NEW, group_instance_id="i")
    again.poll(0)
    assert partitions(again) == held


def test_an_instance_id_in_use_is_refused(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 1)
    consumer("t", **NEW, group_instance_id="i").poll(0)
    with pytest.raises(errors.UnreleasedInstanceIdError):
        consumer("t", **NEW, group_instance_id="i").poll(0)


def test_a_listener_that_raises_gets_its_error_out_of_poll_and_the_group_goes_on(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    class Failing(Recorder):
        def on_partitions_revoked(self, revoked: object) -> None:
            raise RuntimeError("no")

    kafka.create_topic("t", 2)
    first, second = consumer(**NEW), consumer("t", **NEW)
    first.subscribe(["t"], listener=Failing())
    first.poll(0)
    second.poll(0)
    with pytest.raises(errors.KafkaError, match="no"):
        first.poll(0)
    poll_in_turn(first, second)
    assert len(first.assignment()) == len(second.assignment()) == 1
    first.unsubscribe()


def test_groups_and_offsets_survive_a_restart(tmp_path: object) -> None:
    with EmbeddedKafka(tmp_path, clock=ManualClock()) as kafka:
        send(kafka, "t", numbers(4))
        with kafka.consumer("t", **NEW, auto_offset_reset="earliest") as member:
            assert len(values(member.poll(0, max_records=3))) == 3
    with EmbeddedKafka(tmp_path, clock=ManualClock()) as kafka:
        assert group_type(kafka) == "consumer"
        with kafka.consumer("t", **NEW, auto_offset_reset="earliest") as member:
            assert values(member.poll(0)) == numbers(1, start=3)


# Patterns ------------------------------------------------------------------------------------------------------------


def test_a_pattern_in_the_client_matches_from_the_beginning_of_the_name(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    for topic in ("log-a", "log-b", "my-log"):
        kafka.create_topic(topic, 1)
    member = consumer(**NEW)
    member.subscribe(pattern="log-")
    member.poll(0)
    assert {tp.topic for tp in member.assignment()} == {"log-a", "log-b"}


def test_a_pattern_for_the_broker_matches_whole_names_and_follows_new_topics(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    for topic in ("log-a", "log-bc"):
        kafka.create_topic(topic, 1)
    member = consumer(**NEW)
    member.subscribe(pattern=SubscriptionPattern("log-."))
    member.poll(0)
    assert {tp.topic for tp in member.assignment()} == {"log-a"}
    kafka.create_topic("log-d", 1)
    send(kafka, "log-d", [b"x"])
    assert values(member.poll(0)) == [b"x"]
    (shown,) = described(kafka).members  # type: ignore[attr-defined]
    assert (shown.subscribed_topic_regex, list(shown.subscribed_topic_names)) == ("log-.", [])


def test_a_pattern_that_is_none_is_refused_by_the_broker(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    member = consumer(**NEW)
    member.subscribe(pattern=SubscriptionPattern("("))
    with pytest.raises(errors.InvalidRegularExpressionError):
        member.poll(0)


@pytest.mark.parametrize("settings", [OLD, {}])
def test_a_pattern_for_the_broker_needs_the_consumer_protocol(
    kafka: EmbeddedKafka, consumer: Consumers, settings: dict[str, object]
) -> None:
    with pytest.raises(errors.IllegalStateError, match="group_protocol"):
        consumer(**settings).subscribe(pattern=SubscriptionPattern("t"))


def test_a_pattern_gives_way_to_names(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("a", 1)
    kafka.create_topic("b", 1)
    member = consumer(**NEW)
    member.subscribe(pattern=SubscriptionPattern(".*a"))
    member.poll(0)
    member.unsubscribe()
    member.subscribe(["b"])
    member.poll(0)
    assert member.assignment() == {TopicPartition("b", 0)}


# Migration -----------------------------------------------------------------------------------------------------------


def test_the_first_new_member_turns_a_classic_group_into_a_consumer_group(
    kafka: EmbeddedKafka, consumer: Consumers
) -> None:
    kafka.create_topic("t", 4)
    old = consumer("t", **OLD)
    old.poll(0)
    assert group_type(kafka) == "classic"
    new = consumer("t", **NEW)
    poll_in_turn(new, old)
    assert group_type(kafka) == "consumer"
    assert len(old.assignment()) == len(new.assignment()) == 2
    assert sorted(member.member_type for member in described(kafka).members) == [0, 1]  # type: ignore[attr-defined]


def test_the_last_new_member_that_goes_gives_the_classic_group_back(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    old, new = consumer("t", **OLD), consumer("t", **NEW)
    poll_in_turn(old, new)
    new.close()
    assert group_type(kafka) == "classic"
    poll_in_turn(old)
    assert partitions(old) == [0, 1, 2, 3]


def test_a_classic_member_may_join_a_consumer_group(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    new, old = consumer("t", **NEW), consumer("t", **OLD)
    poll_in_turn(new, old)
    assert group_type(kafka) == "consumer"
    assert len(old.assignment()) == len(new.assignment()) == 2


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_rolling_a_group_over_and_back_loses_and_repeats_nothing(
    kafka: EmbeddedKafka, consumer: Consumers, strategy: str
) -> None:
    """Members are replaced one by one, records are sent all the while, every position is committed on the way out."""
    kafka.create_topic("t", 6)
    got: Counter[bytes] = Counter()
    sent: list[bytes] = []
    old = {**OLD, "partition_assignment_strategy": [strategy]}
    members = [consumer("t", **old) for _ in range(3)]

    def work(rounds: int = 4) -> None:
        for _ in range(rounds):
            for partition in range(6):
                sent.append(b"%d" % len(sent))
                send(kafka, "t", sent[-1:], partition=partition)
            for member in members:
                got.update(values(member.poll(0)))

    work()
    for settings in (NEW, old):
        for _ in range(3):
            members.pop(0).close()
            members.append(consumer("t", **settings))
            work()
        assert group_type(kafka) == str(settings["group_protocol"])
    work()
    assert sorted(got) == sorted(sent)
    assert not [value for value, count in got.items() if count > 1]


@pytest.mark.parametrize(("policy", "allowed"), [("upgrade", True), ("downgrade", False), ("disabled", False)])
def test_the_policy_decides_about_upgrades(policy: str, allowed: bool) -> None:
    configs = {"group.consumer.migration.policy": policy}
    with EmbeddedKafka(clock=ManualClock(), **configs) as kafka:
        kafka.create_topic("t", 2)
        with kafka.consumer("t", **OLD) as old, kafka.consumer("t", **NEW) as new:
            old.poll(0)
            if allowed:
                poll_in_turn(new, old)
                assert len(new.assignment()) == 1
            else:
                with pytest.raises(errors.GroupIdNotFoundError, match="migration"):
                    new.poll(0)


def test_without_downgrades_the_group_stays_what_it_is() -> None:
    configs = {"group.consumer.migration.policy": "upgrade"}
    with EmbeddedKafka(clock=ManualClock(), **configs) as kafka:
        kafka.create_topic("t", 2)
        with kafka.consumer("t", **OLD) as old:
            with kafka.consumer("t", **NEW) as new:
                poll_in_turn(old, new)
            poll_in_turn(old)
            assert (group_type(kafka), partitions(old)) == ("consumer", [0, 1])


def test_an_empty_group_changes_its_type_whatever_the_policy() -> None:
    with EmbeddedKafka(clock=ManualClock(), **{"group.consumer.migration.policy": "disabled"}) as kafka:
        send(kafka, "t", numbers(2))
        for settings, left in ((OLD, 2), (NEW, 0), (OLD, 0)):
            with kafka.consumer("t", **settings, auto_offset_reset="earliest") as member:
                assert len(values(member.poll(0))) == left
            assert group_type(kafka) == settings["group_protocol"]


# Real threads --------------------------------------------------------------------------------------------------------


def test_members_on_threads_of_their_own_settle_and_read_everything_once() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t", 8)
        got: Counter[bytes] = Counter()
        lock, stop = threading.Lock(), threading.Event()
        shares: dict[int, int] = {}

        def read(name: int) -> None:
            with kafka.consumer("t", **NEW, auto_offset_reset="earliest") as member:
                while not stop.is_set():
                    found = values(member.poll(20))
                    with lock:
                        got.update(found)
                        shares[name] = len(member.assignment())

        threads = [threading.Thread(target=read, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        try:
            for partition in range(8):
                send(kafka, "t", numbers(50, start=50 * partition), partition=partition)
            wait_for(lambda: len(got) == 400 and sorted(shares.values()) == [2, 2, 2, 2])
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert sorted(got) == sorted(numbers(400))


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for something that threads of the test's own bring about, at most ten seconds."""
    tick = threading.Event()
    for _ in range(1000):
        if happened():
            return
        tick.wait(0.01)
    raise AssertionError("it did not happen")


def test_a_hundred_members_share_a_thousand_partitions_within_three_heartbeat_intervals() -> None:
    """At Kafka's defaults; the CPU that this takes is what benchmarks/consumer_groups.py shows."""
    configs = {"num.partitions": 1_000, "group.consumer.assignment.interval.ms": 1_000}
    with EmbeddedKafka(clock=ManualClock(), **configs) as kafka:
        members = [kafka.consumer("t", **NEW) for _ in range(100)]
        began_ms = kafka.clock.monotonic_ms()
        while [len(member.assignment()) for member in members] != [10] * 100:
            for member in members:
                member.poll(0)
            kafka.clock.advance(250)
            assert kafka.clock.monotonic_ms() - began_ms <= 3 * 5_000
        assert len({tp for member in members for tp in member.assignment()}) == 1_000
        for member in members:
            member.close(autocommit=False)
