"""Sets of partitions by topic id, plain and with the epoch in which each was assigned.  Values are never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

Assignment = Mapping[UUID, frozenset[int]]
"""Partitions by topic; a topic without partitions is not in it."""

Owned = Mapping[UUID, Mapping[int, int]]
"""By topic and partition, the epoch in which it was assigned."""

Partitions = Mapping[UUID, Collection[int]]
"""Either of them, or what a request names."""

NOTHING: Mapping[UUID, Any] = {}


def partitions_of(owned: Partitions) -> Assignment:
    """The partitions without their epochs."""
    return {topic_id: frozenset(partitions) for topic_id, partitions in owned.items()}


def only(owned: Owned, wanted: Partitions) -> Owned:
    """Those that are wanted too."""
    return _map(
        {
            topic_id: {each: epoch for each, epoch in partitions.items() if each in wanted[topic_id]}
            for topic_id, partitions in owned.items()
            if topic_id in wanted
        }
    )


def without(owned: Owned, unwanted: Partitions) -> Owned:
    """Those that are not unwanted."""
    return _map(
        {
            topic_id: {each: epoch for each, epoch in partitions.items() if each not in unwanted.get(topic_id, ())}
            for topic_id, partitions in owned.items()
        }
    )


def with_added(owned: Owned, added: Partitions, epoch: int) -> Owned:
    """With more partitions, assigned in ``epoch``."""
    result = {topic_id: dict(partitions) for topic_id, partitions in owned.items()}
    for topic_id, partitions in added.items():
        result.setdefault(topic_id, {}).update(dict.fromkeys(sorted(partitions), epoch))
    return result


def both(one: Owned, other: Owned) -> Owned:
    """All partitions of the two."""
    result = {topic_id: dict(partitions) for topic_id, partitions in one.items()}
    for topic_id, partitions in other.items():
        result.setdefault(topic_id, {}).update(partitions)
    return result


def overlap(one: Partitions, other: Partitions) -> bool:
    """Whether a partition is in both."""
    return any(partition in other.get(topic_id, ()) for topic_id, partitions in one.items() for partition in partitions)


def contains(whole: Partitions, part: Partitions) -> bool:
    """Whether every partition of ``part`` is in ``whole``."""
    return all(
        partition in whole.get(topic_id, ()) for topic_id, partitions in part.items() for partition in partitions
    )


def count(partitions: Partitions) -> int:
    return sum(map(len, partitions.values()))


def _map(partitions: Mapping[UUID, Mapping[int, int]]) -> Owned:
    return {topic_id: each for topic_id, each in partitions.items() if each}
