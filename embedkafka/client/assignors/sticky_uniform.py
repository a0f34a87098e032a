"""Sticky assignment where all members subscribe to the same topics: quotas, and everyone keeps what fits.

With P partitions and N members everyone gets floor(P/N), and P mod N of them one more.  A member keeps what it owned
up to its quota, in the order of partition numbers, so that what it gives up spreads over topics.  What is left is
dealt to those that have too little, in turn.  Java's ``ConstrainedAssignmentBuilder``; O(P log P).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from embedkafka.client.assignors.sticky_claims import Claims
from embedkafka.model import TopicPartition


def assign_uniform(partitions: Mapping[str, Sequence[int]], claims: Claims) -> dict[str, list[TopicPartition]]:
    """Every partition to exactly one of the members in ``claims``, of which there is at least one."""
    total = sum(len(numbers) for numbers in partitions.values())
    min_quota, above_quota_count = divmod(total, len(claims.owned))
    existing = {topic: frozenset(numbers) for topic, numbers in partitions.items()}

    assigned: dict[str, list[TopicPartition]] = {}
    too_few: list[str] = []
    exactly_min: list[str] = []
    places_above = above_quota_count
    for member_id, owned in claims.owned.items():
        # Kafka relies on topics not shrinking; a deleted and created one may have, so what is gone is left out here.
        keepable = sorted(
            (tp for tp in owned if tp not in claims.disputed and tp.partition in existing[tp.topic]),
            key=lambda tp: (tp.partition, tp.topic),
        )
        if len(keepable) < min_quota:
            assigned[member_id] = keepable
            too_few.append(member_id)
        elif len(keepable) > min_quota and places_above:
            assigned[member_id] = keepable[: min_quota + 1]
            places_above -= 1
        else:
            assigned[member_id] = keepable[:min_quota]
            exactly_min.append(member_id)

    taken = {topic_partition for kept in assigned.values() for topic_partition in kept}
    left = deque(
        topic_partition
        for topic in sorted(partitions)
        for topic_partition in (TopicPartition(topic, number) for number in partitions[topic])
        if topic_partition not in taken
    )
    _deal(left, assigned, sorted(too_few), sorted(exactly_min), min_quota)
    return assigned


def _deal(
    left: deque[TopicPartition],
    assigned: dict[str, list[TopicPartition]],
    too_few: list[str],
    exactly_min: list[str],
    min_quota: int,
) -> None:
    """Fill up to the smaller quota in turn, then one more each to as many as partitions are left."""
    ready = deque(exactly_min)
    while too_few:
        still_too_few = []
        for member_id in too_few:
            if left:
                assigned[member_id].append(left.popleft())
            if len(assigned[member_id]) < min_quota:
                still_too_few.append(member_id)
            else:
                ready.append(member_id)
        too_few = still_too_few
    while left:
        assigned[ready.popleft()].append(left.popleft())
