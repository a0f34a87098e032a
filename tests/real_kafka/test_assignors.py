"""Our assignors against Java's own, on the same random groups."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedkafka.client.assignors import ASSIGNORS
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription

CASES = 300
Case = dict[str, Any]
Assigned = dict[str, list[tuple[str, int]]]


class FixedCluster:
    def __init__(self, topics: dict[str, int]) -> None:
        self._topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._topics[topic])) if topic in self._topics else None


def random_case(source: random.Random, assignor: str, *, same_topics: bool) -> Case:
    """A group that is new (nobody owns anything) and may have static members."""
    topics = {f"topic-{number}": source.randrange(1, 9) for number in range(source.randrange(1, 5))}
    everyone = sorted(topics)
    members = {}
    for number in range(source.randrange(1, 7)):
        wanted = everyone if same_topics else sorted(source.sample(everyone, source.randrange(1, len(everyone) + 1)))
        instance = f"instance-{source.randrange(1000)}-{number}" if source.random() < 0.3 else None
        members[f"member-{source.randrange(1000)}-{number}"] = {
            "topics": wanted,
            "instance": instance,
            "owned": [],
            "generation": -1,
        }
    return {"assignor": assignor, "topics": topics, "members": members}


def next_case(source: random.Random, case: Case, assigned: Assigned) -> Case:
    """The group after somebody left and somebody came, everyone else owning what they had."""
    members = {
        member_id: {**member, "owned": [list(one) for one in assigned[member_id]], "generation": 1}
        for member_id, member in case["members"].items()
    }
    if len(members) > 1 and source.random() < 0.6:
        del members[source.choice(sorted(members))]
    if source.random() < 0.6:
        members["newcomer"] = {"topics": sorted(case["topics"]), "instance": None, "owned": [], "generation": -1}
    return {**case, "members": members}


def java_answers(kafka_jars: Any, scratch: Path, cases: list[Case]) -> list[Assigned]:
    (scratch / "cases").write_text("".join(json.dumps(case) + "\n" for case in cases))
    return [
        {member_id: [(topic, partition) for topic, partition in got] for member_id, got in answer.items()}
        for answer in kafka_jars.run_json_lines("AssignPartitions", scratch / "cases")
    ]


def our_answer(case: Case) -> Assigned:
    members = []
    for member_id, member in case["members"].items():
        owned: dict[str, list[int]] = {}
        for topic, partition in member["owned"]:
            owned.setdefault(topic, []).append(partition)
        subscription = _subscription(case["assignor"], member["topics"], owned, member["generation"])
        members.append(
            SimpleNamespace(member_id=member_id, group_instance_id=member["instance"], metadata=subscription)
        )
    assigned = ASSIGNORS[case["assignor"]]().assign(FixedCluster(case["topics"]), members)
    return {member_id: list(assignment.partitions()) for member_id, assignment in assigned.items()}


def _subscription(assignor: str, topics: list[str], owned: dict[str, list[int]], generation: int) -> Any:
    if assignor == "sticky" and owned:
        # The eager sticky assignor carries what a member owned in its user data.
        from embedkafka.client.assignors.sticky import StickyPartitionAssignor
        from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment

        member = StickyPartitionAssignor()
        member.on_assignment(ConsumerProtocolAssignment(0, list(owned.items()), b""), generation)
        return member.metadata(topics)
    named = [ConsumerProtocolSubscription.TopicPartition(topic, numbers) for topic, numbers in owned.items()]
    return ConsumerProtocolSubscription(3, topics, b"", owned_partitions=named, generation_id=generation)


def _sorted(assigned: Assigned) -> Assigned:
    return {member_id: sorted(got) for member_id, got in assigned.items()}


@pytest.mark.parametrize("assignor", ["range", "roundrobin"])
def test_the_same_group_is_shared_out_as_in_java(kafka_jars: Any, scratch: Path, seed: int, assignor: str) -> None:
    source = random.Random(seed)
    cases = [random_case(source, assignor, same_topics=number % 2 == 0) for number in range(CASES)]
    for case, theirs in zip(cases, java_answers(kafka_jars, scratch, cases), strict=True):
        assert _sorted(our_answer(case)) == _sorted(theirs), case


def _sizes(assigned: Assigned) -> list[int]:
    return sorted(map(len, assigned.values()))


def _kept(case: Case, assigned: Assigned) -> int:
    """How many partitions stay where they were."""
    return sum(
        tuple(one) in set(assigned[member_id])
        for member_id, member in case["members"].items()
        for one in member["owned"]
    )


def _check(cases: list[Case], theirs: list[Assigned], measure: Callable[[Case, Assigned], Any]) -> None:
    for case, java in zip(cases, theirs, strict=True):
        ours = our_answer(case)
        assert measure(case, ours) == measure(case, java), f"{case}\nours {ours}\nJava {java}"


@pytest.mark.parametrize("assignor", ["sticky", "cooperative-sticky"])
def test_sticky_assignors_balance_as_well_as_javas(kafka_jars: Any, scratch: Path, seed: int, assignor: str) -> None:
    source = random.Random(seed)
    cases = [random_case(source, assignor, same_topics=number % 2 == 0) for number in range(CASES)]
    _check(cases, java_answers(kafka_jars, scratch, cases), lambda case, assigned: _sizes(assigned))


@pytest.mark.parametrize("assignor", ["sticky", "cooperative-sticky"])
def test_sticky_assignors_move_as_little_as_javas(kafka_jars: Any, scratch: Path, seed: int, assignor: str) -> None:
    source = random.Random(seed)
    first = [random_case(source, assignor, same_topics=True) for _ in range(CASES)]
    cases = [next_case(source, case, our_answer(case)) for case in first]
    # Java's eager sticky assignor reads its own user data, not the owned partitions; the cooperative one gives the same
    # first answer before it takes back what has to be given up, so each is compared with itself on owned partitions.
    theirs = java_answers(kafka_jars, scratch, [{**case, "assignor": "cooperative-sticky"} for case in cases])
    if assignor == "sticky":
        _check(cases, theirs, lambda case, assigned: _kept(case, assigned))
    else:
        _check(cases, theirs, lambda case, assigned: (_kept(case, assigned), _sizes(assigned)))
