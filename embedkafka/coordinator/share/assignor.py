"""Kafka's ``SimpleAssignor``: every partition to at least one member, members share where there are more of them.

Of ``M`` members and ``P`` partitions each partition is read by ``ceil(M / P)`` members, and members have as many
partitions as the others, one more or less.  Balance comes first, then what members read already.  Where members do not
all read the same topics, each topic is shared out for itself among those that read it.

Kafka's takes members and partitions in the order of Java's hash tables, here it is theirs by name and number; who reads
how many, and by how many each is read, is the same (``tests/real_kafka/test_assignors.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment
from embedkafka.model import TopicIdPartition

SIMPLE = "simple"


class Sharer(NamedTuple):
    """A member as the assignor sees it: ``topic_ids`` exist all; ``target`` is what it was to read until now."""

    member_id: str
    topic_ids: frozenset[UUID]
    target: Assignment


def assign(sharers: Sequence[Sharer], assignable: Mapping[UUID, Collection[int]]) -> dict[str, Assignment]:
    """New targets by member id; O(members x partitions) at worst.

    Args:
        sharers: all members of a group.
        assignable: the partitions of every topic that a member reads.
    """
    if len({each.topic_ids for each in sharers}) <= 1:
        topic_ids = sorted(sharers[0].topic_ids) if sharers else []
        return _result(sharers, _share(sharers, _listed(topic_ids, assignable)))
    shares: dict[str, set[TopicIdPartition]] = {each.member_id: set() for each in sharers}
    for topic_id in sorted(frozenset[UUID]().union(*(each.topic_ids for each in sharers))):
        readers = [each for each in sharers if topic_id in each.topic_ids]
        for member_id, share in _share(readers, _listed([topic_id], assignable)).items():
            shares[member_id] |= share
    return _result(sharers, shares)


def _listed(topic_ids: Sequence[UUID], assignable: Mapping[UUID, Collection[int]]) -> list[TopicIdPartition]:
    return [TopicIdPartition(topic_id, each) for topic_id in topic_ids for each in sorted(assignable.get(topic_id, ()))]


def _result(sharers: Sequence[Sharer], shares: Mapping[str, set[TopicIdPartition]]) -> dict[str, Assignment]:
    result: dict[str, Assignment] = {}
    for sharer in sharers:
        by_topic: dict[UUID, set[int]] = {}
        for topic_id, partition in sorted(shares[sharer.member_id]):
            by_topic.setdefault(topic_id, set()).add(partition)
        after = {topic_id: frozenset(partitions) for topic_id, partitions in by_topic.items()}
        result[sharer.member_id] = sharer.target if after == sharer.target else after
    return result


def _share(sharers: Sequence[Sharer], partitions: Sequence[TopicIdPartition]) -> dict[str, set[TopicIdPartition]]:
    """Share partitions out among members that read them all."""
    if not partitions:
        return {each.member_id: set() for each in sharers}
    sharing = -(-len(sharers) // len(partitions))
    shares, readers = _kept(sharers, partitions)
    quotas = _quotas(shares, sharing * len(partitions))
    _thin_out(shares, readers, sharing, quotas)
    _cut(shares, readers, quotas)
    _fill(shares, readers, sharing, quotas)
    return shares


_Shares = dict[str, set[TopicIdPartition]]
_Readers = dict[TopicIdPartition, set[str]]


def _quotas(shares: _Shares, total: int) -> dict[str, int]:
    """How many partitions each member shall read: ``total`` in all, evenly; one more goes to those who have most."""
    quota, extra = divmod(total, len(shares))
    by_size = sorted(shares, key=lambda member_id: -len(shares[member_id]))
    return {member_id: quota + (rank < extra) for rank, member_id in enumerate(by_size)}


def _kept(sharers: Sequence[Sharer], partitions: Sequence[TopicIdPartition]) -> tuple[_Shares, _Readers]:
    readers: _Readers = {each: set() for each in partitions}
    shares: _Shares = {}
    for sharer in sharers:
        before = (TopicIdPartition(topic_id, each) for topic_id, owned in sharer.target.items() for each in owned)
        shares[sharer.member_id] = {each for each in before if each in readers}
        for each in shares[sharer.member_id]:
            readers[each].add(sharer.member_id)
    return shares, readers


def _thin_out(shares: _Shares, readers: _Readers, sharing: int, quotas: Mapping[str, int]) -> None:
    """Take partitions that too many read from those who have most beyond their quota."""
    for partition, by in readers.items():
        while len(by) > sharing:
            member_id = max(by, key=lambda each: (len(shares[each]) - quotas[each], each))
            by.discard(member_id)
            shares[member_id].discard(partition)


def _cut(shares: _Shares, readers: _Readers, quotas: Mapping[str, int]) -> None:
    """Take from members what is beyond their quota, first what others read too."""
    for member_id, share in shares.items():
        surplus = len(share) - quotas[member_id]
        if surplus > 0:
            for partition in sorted(share, key=lambda each: (-len(readers[each]), each))[:surplus]:
                share.discard(partition)
                readers[partition].discard(member_id)


def _fill(shares: _Shares, readers: _Readers, sharing: int, quotas: Mapping[str, int]) -> None:
    """Give partitions that too few read to members below their quota, in turn.

    A partition that every such member reads already stays below ``sharing``, as in Kafka: it is read, and another
    distribution would move more.
    """
    unfilled = deque(member_id for member_id, share in shares.items() if len(share) < quotas[member_id])
    for partition, by in sorted(readers.items(), key=lambda each: len(each[1])):
        tries = len(unfilled)
        while len(by) < sharing and tries:
            tries -= 1
            member_id = unfilled.popleft()
            if member_id not in by:
                by.add(member_id)
                shares[member_id].add(partition)
            if len(shares[member_id]) < quotas[member_id]:
                unfilled.append(member_id)
