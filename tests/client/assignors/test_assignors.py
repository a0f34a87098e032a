"""The four assignors: everything assigned once, balance, stickiness; agreement with kafka-python's."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import kafka.coordinator.assignors.range as kp_range
import kafka.coordinator.assignors.roundrobin as kp_roundrobin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.client.assignors import (
    ASSIGNORS,
    AbstractPartitionAssignor,
    CooperativeStickyPartitionAssignor,
    RangePartitionAssignor,
    RebalanceProtocol,
    RoundRobinPartitionAssignor,
    StickyPartitionAssignor,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment
from embedkafka.protocol.consumer.subscription import (
    ConsumerProtocolSubscription,
    decode_subscription,
    encode_subscription,
)


@dataclass
class Cluster:
    counts: dict[str, int]

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self.counts.get(topic)
        return None if count is None else set(range(count))


@dataclass
class Member:
    member_id: str
    metadata: ConsumerProtocolSubscription
    group_instance_id: str | None = None


def plain(*subscriptions: tuple[str, list[str]], **instance_ids: str) -> list[Member]:
    return [
        Member(member_id, ConsumerProtocolSubscription(0, topics, b""), instance_ids.get(member_id))
        for member_id, topics in subscriptions
    ]


def by_member(assignments: dict[str, ConsumerProtocolAssignment]) -> dict[str, list[TopicPartition]]:
    return {member_id: assignment.partitions() for member_id, assignment in assignments.items()}


def named(assignments: dict[str, ConsumerProtocolAssignment]) -> dict[str, str]:
    return {
        member_id: " ".join(f"{topic}{number}" for topic, number in partitions)
        for member_id, partitions in by_member(assignments).items()
    }


@dataclass
class Group:
    """Members with an assignor each, taken through rebalances as a leader would."""

    assignor: type[StickyPartitionAssignor]
    counts: dict[str, int]
    topics: dict[str, list[str]]
    assignors: dict[str, StickyPartitionAssignor] = field(default_factory=dict)
    generation: int = 0

    def rebalance(self) -> dict[str, list[TopicPartition]]:
        self.generation += 1
        self.assignors = {m: self.assignors.get(m) or self.assignor() for m in self.topics}
        members = []
        for member_id, topics in self.topics.items():
            sent = encode_subscription(self.assignors[member_id].metadata(topics))
            members.append(Member(member_id, decode_subscription(sent)))
        result = self.assignor().assign(Cluster(self.counts), members)
        for member_id, assignment in result.items():
            self.assignors[member_id].on_assignment(assignment, self.generation)
        return by_member(result)

    def settle(self) -> dict[str, list[TopicPartition]]:
        before = self.rebalance()
        after = self.rebalance()
        assert before == after or self.assignor is CooperativeStickyPartitionAssignor
        return after


@pytest.mark.parametrize("name", ["range", "roundrobin", "sticky", "cooperative-sticky"])
def test_every_assignor_is_found_by_javas_name(name: str) -> None:
    assert ASSIGNORS[name]().name == name


def test_range_gives_the_first_members_one_more_per_topic() -> None:
    assigned = RangePartitionAssignor().assign(Cluster({"a": 3, "b": 3}), plain(("m1", ["a", "b"]), ("m2", ["a", "b"])))
    assert named(assigned) == {"m1": "a0 a1 b0 b1", "m2": "a2 b2"}


def test_range_co_partitions_topics_of_equal_size() -> None:
    members = plain(*((f"m{number}", ["a", "b"]) for number in range(3)))
    for partitions in by_member(RangePartitionAssignor().assign(Cluster({"a": 7, "b": 7}), members)).values():
        numbers = {topic: [tp.partition for tp in partitions if tp.topic == topic] for topic in "ab"}
        assert numbers["a"] == numbers["b"]


def test_static_members_come_first_and_in_the_order_of_their_instance_ids() -> None:
    members = plain(("m1", ["a"]), ("m2", ["a"]), ("m3", ["a"]), m2="y", m3="x")
    assert named(RangePartitionAssignor().assign(Cluster({"a": 3}), members)) == {"m1": "a2", "m2": "a1", "m3": "a0"}


def test_a_member_of_a_topic_that_nobody_knows_gets_nothing() -> None:
    assert named(RangePartitionAssignor().assign(Cluster({}), plain(("m1", ["a"])))) == {"m1": ""}


def test_roundrobin_skips_members_that_did_not_subscribe() -> None:
    members = plain(("c0", ["a"]), ("c1", ["a", "b"]), ("c2", ["a", "b", "c"]))
    assigned = RoundRobinPartitionAssignor().assign(Cluster({"a": 1, "b": 2, "c": 3}), members)
    assert named(assigned) == {"c0": "a0", "c1": "b0", "c2": "b1 c0 c1 c2"}


groups = st.tuples(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 12), min_size=1),
    st.dictionaries(
        st.sampled_from([f"m{number}" for number in range(6)]),
        st.sets(st.sampled_from("abcd"), min_size=1).map(sorted),
        min_size=1,
    ),
)


def check_assigned_once(counts: dict[str, int], topics: dict[str, list[str]], assigned: dict[str, list]) -> None:
    given_out = Counter(tp for partitions in assigned.values() for tp in partitions)
    subscribed = {topic for chosen in topics.values() for topic in chosen if topic in counts}
    assert given_out == Counter(TopicPartition(topic, n) for topic in subscribed for n in range(counts[topic]))
    assert all(tp.topic in topics[member_id] for member_id, partitions in assigned.items() for tp in partitions)


@given(groups, st.sampled_from([RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor]))
def test_every_partition_goes_to_exactly_one_subscriber(
    group: tuple[dict[str, int], dict[str, list[str]]], assignor: type[AbstractPartitionAssignor]
) -> None:
    counts, topics = group
    assigned = assignor().assign(Cluster(counts), plain(*topics.items()))
    check_assigned_once(counts, topics, by_member(assigned))


@given(groups, st.sampled_from([(RangePartitionAssignor, kp_range.RangePartitionAssignor)]))
def test_range_agrees_with_kafka_python(group: tuple[dict[str, int], dict[str, list[str]]], pair: tuple) -> None:
    counts, topics = group
    members = plain(*topics.items())
    theirs = pair[1].assign(Cluster(counts), members)
    expected = {
        m: sorted(TopicPartition(t, n) for t, ns in a.assigned_partitions for n in ns) for m, a in theirs.items()
    }
    assert by_member(pair[0]().assign(Cluster(counts), members)) == expected


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 12), min_size=1),
    st.sets(st.sampled_from([f"m{number}" for number in range(6)]), min_size=1),
)
def test_roundrobin_agrees_with_kafka_python_for_equal_subscriptions(counts: dict[str, int], ids: set[str]) -> None:
    members = plain(*((member_id, sorted(counts)) for member_id in sorted(ids)))
    theirs = kp_roundrobin.RoundRobinPartitionAssignor.assign(Cluster(counts), members)
    expected = {
        m: sorted(TopicPartition(t, n) for t, ns in a.assigned_partitions for n in ns) for m, a in theirs.items()
    }
    assert by_member(RoundRobinPartitionAssignor().assign(Cluster(counts), members)) == expected


@given(groups, st.sampled_from([StickyPartitionAssignor, CooperativeStickyPartitionAssignor]))
def test_sticky_assignments_cannot_be_made_more_even(
    group: tuple[dict[str, int], dict[str, list[str]]], assignor: type[StickyPartitionAssignor]
) -> None:
    counts, topics = group
    assigned = Group(assignor, counts, topics).rebalance()
    check_assigned_once(counts, topics, assigned)
    owner = {tp: member_id for member_id, partitions in assigned.items() for tp in partitions}
    for tp, member_id in owner.items():
        for other, chosen in topics.items():
            if tp.topic in chosen:
                assert len(assigned[member_id]) - len(assigned[other]) <= 1


@given(groups, st.sampled_from([StickyPartitionAssignor, CooperativeStickyPartitionAssignor]))
def test_a_sticky_rebalance_without_a_change_moves_nothing(
    group: tuple[dict[str, int], dict[str, list[str]]], assignor: type[StickyPartitionAssignor]
) -> None:
    counts, topics = group
    members = Group(assignor, counts, topics)
    assert members.rebalance() == members.rebalance()


@given(
    st.integers(1, 40),
    st.sets(st.sampled_from([f"m{number}" for number in range(8)]), min_size=2),
    st.data(),
)
def test_when_a_member_leaves_the_others_keep_all_they_had(count: int, ids: set[str], data: st.DataObject) -> None:
    group = Group(StickyPartitionAssignor, {"a": count}, {member_id: ["a"] for member_id in sorted(ids)})
    before = group.rebalance()
    gone = data.draw(st.sampled_from(sorted(ids)))
    del group.topics[gone]
    after = group.rebalance()
    assert all(set(before[member_id]) <= set(after[member_id]) for member_id in after)


@given(st.integers(1, 40), st.integers(1, 7))
def test_a_new_member_takes_no_more_than_its_share(count: int, members: int) -> None:
    group = Group(StickyPartitionAssignor, {"a": count}, {f"m{n}": ["a"] for n in range(members)})
    before = group.rebalance()
    group.topics["new"] = ["a"]
    after = group.rebalance()
    moved = sum(len(set(before[member_id]) - set(after[member_id])) for member_id in before)
    assert moved == len(after["new"]) == count // (members + 1)


def test_cooperative_rebalancing_withholds_a_partition_until_its_owner_gave_it_up() -> None:
    group = Group(CooperativeStickyPartitionAssignor, {"a": 4}, {"m1": ["a"]})
    assert len(group.rebalance()["m1"]) == 4
    group.topics["m2"] = ["a"]
    first = group.rebalance()
    assert (len(first["m1"]), len(first["m2"])) == (2, 0)
    second = group.rebalance()
    assert second["m1"] == first["m1"]
    assert len(second["m2"]) == 2


@given(groups, groups)
def test_a_cooperative_round_never_gives_a_partition_that_another_member_holds(
    start: tuple[dict[str, int], dict[str, list[str]]], then: tuple[dict[str, int], dict[str, list[str]]]
) -> None:
    counts = {**start[0], **then[0]}
    group = Group(CooperativeStickyPartitionAssignor, counts, dict(start[1]))
    held = group.settle()
    group.topics = dict(then[1])
    group.assignors = {m: a for m, a in group.assignors.items() if m in group.topics}
    first = group.rebalance()
    for member_id, partitions in first.items():
        for other, had in held.items():
            if other != member_id and other in group.topics:
                assert not set(partitions) & set(had)
    check_assigned_once(counts, group.topics, group.rebalance())


def test_of_two_claims_the_later_generation_wins() -> None:
    old, new = StickyPartitionAssignor(), StickyPartitionAssignor()
    given_out = ConsumerProtocolAssignment(0, [("a", [0, 1])])  # type: ignore[list-item]
    old.on_assignment(given_out, 1)
    new.on_assignment(given_out, 2)
    members = [Member("m1", old.metadata(["a"])), Member("m2", new.metadata(["a"]))]
    assert named(StickyPartitionAssignor().assign(Cluster({"a": 2}), members)) == {"m1": "a1", "m2": "a0"}


def test_a_partition_that_two_members_of_one_generation_claim_is_given_to_neither_at_first() -> None:
    claims = [CooperativeStickyPartitionAssignor() for _ in range(2)]
    for each in claims:
        each.on_assignment(ConsumerProtocolAssignment(3, [("a", [0])]), 5)  # type: ignore[list-item]
    members = [Member(f"m{n}", each.metadata(["a"])) for n, each in enumerate(claims)]
    assigned = CooperativeStickyPartitionAssignor().assign(Cluster({"a": 2}), members)
    assert sorted(named(assigned).values()) == ["", "a1"]


def test_unreadable_user_data_counts_as_owning_nothing() -> None:
    member = Member("m", ConsumerProtocolSubscription(0, ["a"], b"\x07nonsense"))
    assert named(StickyPartitionAssignor().assign(Cluster({"a": 1}), [member])) == {"m": "a0"}


def test_only_the_cooperative_assignor_does_without_giving_everything_up() -> None:
    assert StickyPartitionAssignor().supported_protocols() == [RebalanceProtocol.EAGER]
    assert RebalanceProtocol.COOPERATIVE in CooperativeStickyPartitionAssignor().supported_protocols()


def test_random_histories_stay_balanced_and_complete(seed: int) -> None:
    source = random.Random(seed)
    group = Group(StickyPartitionAssignor, {"a": 17, "b": 6}, {"m0": ["a", "b"]})
    for _ in range(60):
        if len(group.topics) > 1 and source.random() < 0.5:
            del group.topics[source.choice(sorted(group.topics))]
        else:
            group.topics[f"m{source.randrange(12)}"] = source.choice([["a"], ["b"], ["a", "b"]])
        group.assignors = {m: a for m, a in group.assignors.items() if m in group.topics}
        check_assigned_once(group.counts, group.topics, group.rebalance())
