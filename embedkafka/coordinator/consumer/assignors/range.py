"""Ranges: per topic, every member gets the next few partitions (Kafka's server-side ``RangeAssignor``).

Members with the same subscription get the same numbers in every topic of the same size, so topics can be joined.  It is
not sticky but for the order: static members come first, by instance id, so that who joins later moves them least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment
from embedkafka.coordinator.consumer.assignors.subscriber import Subscriber


def assign_ranges(subscribers: Sequence[Subscriber], partition_counts: Mapping[UUID, int]) -> dict[str, Assignment]:
    """New targets by member id; O(members x topics + partitions)."""
    sharers = Counter(topic_id for each in subscribers for topic_id in each.topic_ids)
    following = dict.fromkeys(sharers, 0)
    ranks = dict.fromkeys(sharers, 0)
    targets: dict[str, Assignment] = {}
    for subscriber in sorted(subscribers, key=_static_first):
        target: dict[UUID, frozenset[int]] = {}
        for topic_id in subscriber.topic_ids:
            quota, extra = divmod(partition_counts[topic_id], sharers[topic_id])
            first = following[topic_id]
            following[topic_id] = end = first + quota + (ranks[topic_id] < extra)
            ranks[topic_id] += 1
            if end > first:
                target[topic_id] = frozenset(range(first, end))
        targets[subscriber.member_id] = target
    return targets


def _static_first(subscriber: Subscriber) -> tuple[bool, str]:
    is_dynamic = subscriber.instance_id is None
    return is_dynamic, subscriber.member_id if subscriber.instance_id is None else subscriber.instance_id
