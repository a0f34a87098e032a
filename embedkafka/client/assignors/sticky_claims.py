"""Who owned what before a rebalance, as far as the members' claims agree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from embedkafka.model import TopicPartition

NO_GENERATION = -1


class StickyMember(NamedTuple):
    """A member with what it subscribes to and what it says it owned in which generation (-1: it does not know)."""

    member_id: str
    topics: frozenset[str]
    owned: tuple[TopicPartition, ...] = ()
    generation: int = NO_GENERATION


class Claims(NamedTuple):
    """``owned`` has every member; ``disputed`` are partitions that two members of one generation claimed."""

    owned: dict[str, list[TopicPartition]]
    disputed: frozenset[TopicPartition]


def settle(members: Iterable[StickyMember], known_topics: Collection[str]) -> Claims:
    """Give each partition to the claim of the highest generation; two equal ones cancel each other (KIP-792)."""
    owned: dict[str, list[TopicPartition]] = {}
    owners: dict[TopicPartition, StickyMember] = {}
    disputed: set[TopicPartition] = set()
    for member in members:
        mine = owned[member.member_id] = []
        for topic_partition in member.owned:
            if topic_partition.topic not in known_topics:
                continue
            other = owners.get(topic_partition)
            if other is not None and other.generation > member.generation:
                continue
            if other is not None and topic_partition in owned[other.member_id]:
                owned[other.member_id].remove(topic_partition)
            owners[topic_partition] = member
            if other is not None and other.generation == member.generation:
                disputed.add(topic_partition)
            else:
                disputed.discard(topic_partition)
                mine.append(topic_partition)
    return Claims(owned, frozenset(disputed))


def stale_owners(members: Iterable[StickyMember]) -> dict[TopicPartition, str]:
    """The latest earlier owner of partitions, by members that missed the last generation."""
    members = list(members)
    latest = max((member.generation for member in members), default=NO_GENERATION)
    found: dict[TopicPartition, StickyMember] = {}
    for member in members:
        if member.generation == latest:
            continue
        for topic_partition in member.owned:
            if topic_partition not in found or found[topic_partition].generation < member.generation:
                found[topic_partition] = member
    return {topic_partition: member.member_id for topic_partition, member in found.items()}


def moved(
    owned: Mapping[str, Collection[TopicPartition]], assigned: Mapping[str, Collection[TopicPartition]]
) -> set[TopicPartition]:
    """The partitions that one member gets and another has to give up."""
    gained: set[TopicPartition] = set()
    lost: set[TopicPartition] = set()
    for member_id, partitions in assigned.items():
        before = set(owned.get(member_id, ()))
        gained |= set(partitions) - before
        lost |= before - set(partitions)
    return gained & lost
