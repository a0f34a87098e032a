"""Our simple assignor of share groups against Java's own, on the same random groups."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from embedkafka.coordinator.share.assignor import Sharer, assign

CASES = 300
Case = dict[str, Any]
Assigned = dict[str, set[tuple[int, int]]]


def random_case(source: random.Random, *, same_topics: bool) -> Case:
    topics = {number: source.randrange(1, 9) for number in range(1, source.randrange(2, 5))}
    members = {}
    for number in range(source.randrange(1, 12)):
        some = source.sample(sorted(topics), source.randrange(1, len(topics) + 1))
        members[f"member-{number}"] = {"topics": sorted(topics) if same_topics else sorted(some), "target": []}
    return {"topics": topics, "members": members}


def next_case(source: random.Random, case: Case, assigned: Assigned) -> Case:
    """The group after somebody left or came, or a topic grew."""
    members = {
        member_id: {**member, "target": sorted(assigned[member_id])} for member_id, member in case["members"].items()
    }
    topics = dict(case["topics"])
    what = source.choice(["leave", "join", "grow"])
    if what == "leave" and len(members) > 1:
        del members[source.choice(sorted(members))]
    elif what == "join":
        members["newcomer"] = {"topics": sorted(topics), "target": []}
    else:
        topics[source.choice(sorted(topics))] += source.randrange(1, 4)
    return {"topics": topics, "members": members}


def java_answers(kafka_jars: Any, scratch: Path, cases: list[Case]) -> list[Assigned]:
    (scratch / "cases").write_text("".join(json.dumps(case) + "\n" for case in cases))
    return [
        {member_id: {(topic, partition) for topic, partition in got} for member_id, got in answer.items()}
        for answer in kafka_jars.run_json_lines("AssignShares", scratch / "cases")
    ]


def our_answer(case: Case) -> Assigned:
    sharers = []
    for member_id, member in case["members"].items():
        target: dict[UUID, set[int]] = {}
        for topic, partition in member["target"]:
            target.setdefault(UUID(int=topic), set()).add(partition)
        topic_ids = frozenset(UUID(int=topic) for topic in member["topics"])
        sharers.append(Sharer(member_id, topic_ids, {topic: frozenset(each) for topic, each in target.items()}))
    targets = assign(sharers, {UUID(int=topic): range(count) for topic, count in case["topics"].items()})
    return {
        member_id: {(topic.int, each) for topic, partitions in target.items() for each in partitions}
        for member_id, target in targets.items()
    }


def measured(assigned: Assigned) -> tuple[list[int], list[int]]:
    """How many partitions members read, and by how many members partitions are read."""
    readers = Counter(partition for share in assigned.values() for partition in share)
    return sorted(map(len, assigned.values())), sorted(readers.values())


def kept(case: Case, assigned: Assigned) -> int:
    return sum(
        tuple(one) in assigned[member_id] for member_id, member in case["members"].items() for one in member["target"]
    )


def test_a_new_group_is_shared_out_as_evenly_as_by_java(kafka_jars: Any, scratch: Path, seed: int) -> None:
    source = random.Random(seed)
    cases = [random_case(source, same_topics=number % 2 == 0) for number in range(CASES)]
    for number, (case, java) in enumerate(zip(cases, java_answers(kafka_jars, scratch, cases), strict=True)):
        ours = our_answer(case)
        if number % 2 == 0:
            assert measured(ours) == measured(java), f"{case}\nours {ours}\nJava {java}"
        else:  # topic by topic, which members get the odd ones hangs on their order
            assert measured(ours)[1] == measured(java)[1], f"{case}\nours {ours}\nJava {java}"


def test_a_changed_group_keeps_no_less_than_in_java(kafka_jars: Any, scratch: Path, seed: int) -> None:
    """In all; neither is optimal, and in one case of 300 Java's order happens to be luckier by one partition."""
    source = random.Random(seed)
    first = [random_case(source, same_topics=True) for _ in range(CASES)]
    firsts = zip(first, java_answers(kafka_jars, scratch, first), strict=True)
    cases = [next_case(source, case, java) for case, java in firsts]
    ours_kept = javas_kept = 0
    for case, java in zip(cases, java_answers(kafka_jars, scratch, cases), strict=True):
        ours = our_answer(case)
        ours_kept += kept(case, ours)
        javas_kept += kept(case, java)
        assert kept(case, ours) >= kept(case, java) - 2, f"{case}\nours {ours}\nJava {java}"
        assert set().union(*ours.values()) >= set().union(*java.values()), f"{case}\nours {ours}\nJava {java}"
    assert ours_kept >= javas_kept
