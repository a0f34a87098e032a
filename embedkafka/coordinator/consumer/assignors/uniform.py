"""Uniform: everyone gets as many partitions as the others, and keeps what it has (Kafka's ``UniformAssignor``).

Where all members read the same topics, nobody has two partitions more than another, and no partition moves that need
not: a member that joins takes at most ``ceil(partitions / members)``.  Otherwise each partition goes to the subscriber
with the fewest, and then partitions move from who has more to who has fewer as long as that evens things out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment, count
from embedkafka.coordinator.consumer.assignors.subscriber import Subscriber

_ROUNDS = 16  # of evening out; what is left then is left, as in Kafka

_Shares = dict[str, dict[UUID, set[int]]]


def assign_uniformly(subscribers: Sequence[Subscriber], partition_counts: Mapping[UUID, int]) -> dict[str, Assignment]:
    """New targets by member id."""
    if not subscribers:
        return {}
    kept = {each.member_id: _kept(each, partition_counts) for each in subscribers}
    if len({each.topic_ids for each in subscribers}) == 1:
        _fill(kept, subscribers[0].topic_ids, partition_counts)
    else:
        _balance(kept, subscribers, partition_counts)
    before = {each.member_id: each.target for each in subscribers}
    return {member_id: _frozen(shares, before[member_id]) for member_id, shares in kept.items()}


def _kept(subscriber: Subscriber, partition_counts: Mapping[UUID, int]) -> dict[UUID, set[int]]:
    """What a member may keep: partitions that still exist, of topics it still reads."""
    return {
        topic_id: {each for each in partitions if each < partition_counts[topic_id]}
        for topic_id, partitions in subscriber.target.items()
        if topic_id in subscriber.topic_ids
    }


def _frozen(shares: Mapping[UUID, set[int]], before: Assignment) -> Assignment:
    after = {topic_id: frozenset(partitions) for topic_id, partitions in shares.items() if partitions}
    return before if after == before else after


def _unowned(
    shares: _Shares, topic_ids: Sequence[UUID], partition_counts: Mapping[UUID, int]
) -> Iterator[tuple[UUID, int]]:
    """Partitions that nobody has, in order."""
    for topic_id in topic_ids:
        owned = set[int]().union(*(share[topic_id] for share in shares.values() if topic_id in share))
        for partition in range(partition_counts[topic_id]):
            if partition not in owned:
                yield topic_id, partition


def _fill(shares: _Shares, topic_ids: frozenset[UUID], partition_counts: Mapping[UUID, int]) -> None:
    """All read the same: cut everyone down to the quota, give the rest to who is below it.  O(members + partitions)."""
    ordered = sorted(topic_ids)
    quota, extra = divmod(sum(partition_counts[topic_id] for topic_id in ordered), len(shares))
    sizes = {member_id: count(share) for member_id, share in shares.items()}
    # One more than the quota goes to those who have most, so that the fewest partitions move.
    by_size = sorted(shares, key=lambda member_id: -sizes[member_id])
    limits = {member_id: quota + (rank < extra) for rank, member_id in enumerate(by_size)}
    for member_id, share in shares.items():
        _cut(share, sizes[member_id] - limits[member_id])
    free = _unowned(shares, ordered, partition_counts)
    for member_id, share in shares.items():
        for _ in range(limits[member_id] - sizes[member_id]):
            topic_id, partition = next(free)
            share.setdefault(topic_id, set()).add(partition)


def _cut(share: dict[UUID, set[int]], surplus: int) -> None:
    """Take ``surplus`` partitions away, the last ones first."""
    for topic_id in sorted(share, reverse=True):
        if surplus <= 0:
            return
        for partition in sorted(share[topic_id], reverse=True)[:surplus]:
            share[topic_id].discard(partition)
            surplus -= 1


def _balance(shares: _Shares, subscribers: Sequence[Subscriber], partition_counts: Mapping[UUID, int]) -> None:
    """Subscriptions differ: give what nobody has to who has least, then even out."""
    readers: dict[UUID, list[str]] = {}
    for subscriber in subscribers:
        for topic_id in subscriber.topic_ids:
            readers.setdefault(topic_id, []).append(subscriber.member_id)
    sizes = {member_id: count(share) for member_id, share in shares.items()}
    # Topics with few readers first: their readers have less of a choice.
    ordered = sorted(readers, key=lambda topic_id: (-partition_counts[topic_id] / len(readers[topic_id]), topic_id))
    for topic_id, partition in list(_unowned(shares, ordered, partition_counts)):
        member_id = min(readers[topic_id], key=lambda each: sizes[each])
        shares[member_id].setdefault(topic_id, set()).add(partition)
        sizes[member_id] += 1
    for _ in range(_ROUNDS):
        moved = [_even_out(topic_id, readers[topic_id], shares, sizes) for topic_id in ordered]
        if not any(moved):
            return


def _even_out(topic_id: UUID, readers: Sequence[str], shares: _Shares, sizes: dict[str, int]) -> bool:
    """Move a topic's partitions from its readers with most to those with least; True if one moved."""
    moved = False
    while True:
        owners = [member_id for member_id in readers if shares[member_id].get(topic_id)]
        if not owners:
            return moved
        giver = max(owners, key=lambda member_id: sizes[member_id])
        taker = min(readers, key=lambda member_id: sizes[member_id])
        if sizes[giver] - sizes[taker] < 2:
            return moved
        partition = max(shares[giver][topic_id])
        shares[giver][topic_id].discard(partition)
        shares[taker].setdefault(topic_id, set()).add(partition)
        sizes[giver] -= 1
        sizes[taker] += 1
        moved = True
