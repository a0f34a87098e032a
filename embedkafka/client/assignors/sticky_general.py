"""Sticky assignment where members subscribe to different topics: as balanced as subscriptions allow, moving little.

Everyone keeps what it owned and still subscribes to; partitions without an owner go to the least loaded subscriber;
then partitions move from a member to a subscriber with at least two fewer, until none can (KIP-54).  A partition that
would move back between two members of a topic is exchanged for one that moved the other way.  Java's
``GeneralAssignmentBuilder``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sortedcontainers import SortedSet

from embedkafka.client.assignors.sticky_claims import Claims, StickyMember, stale_owners
from embedkafka.model import TopicPartition


def assign_general(
    partitions: Mapping[str, Sequence[int]], members: Sequence[StickyMember], claims: Claims
) -> dict[str, list[TopicPartition]]:
    """Every partition of a subscribed topic to exactly one subscriber."""
    return _Balance(partitions, members, claims).run()


class _Movements:
    """Which partitions went from whom to whom in this rebalance."""

    def __init__(self) -> None:
        self._pair_of: dict[TopicPartition, tuple[str, str]] = {}

    def instead_of(self, topic_partition: TopicPartition, source: str, target: str) -> TopicPartition:
        """The partition to move: one of the same topic that came the other way, if there is one."""
        if topic_partition in self._pair_of:
            source = self._pair_of[topic_partition][0]
        reverse = (target, source)
        came = [tp for tp, pair in self._pair_of.items() if pair == reverse and tp.topic == topic_partition.topic]
        return min(came, default=topic_partition)

    def note(self, topic_partition: TopicPartition, source: str, target: str) -> None:
        earlier = self._pair_of.pop(topic_partition, None)
        first = source if earlier is None else earlier[0]
        if first != target:
            self._pair_of[topic_partition] = (first, target)


class _Balance:
    def __init__(
        self, partitions: Mapping[str, Sequence[int]], members: Sequence[StickyMember], claims: Claims
    ) -> None:
        self.partitions = partitions
        self.topics_of = {m.member_id: [t for t in sorted(m.topics) if t in partitions] for m in members}
        self.subscribers = {topic: [m.member_id for m in members if topic in m.topics] for topic in partitions}
        self.stale = stale_owners(members)
        self.assigned: dict[str, list[TopicPartition]] = {m.member_id: [] for m in members}
        self.owner: dict[TopicPartition, str] = {}
        self.movements = _Movements()
        self.must_revoke = self._keep_owned(claims)
        # The least loaded member first; positions depend on ``assigned``, so a member is taken out while that changes.
        self.by_load: SortedSet[str] = SortedSet(self.assigned, key=lambda m: (len(self.assigned[m]), m))

    def run(self) -> dict[str, list[TopicPartition]]:
        topics = sorted(self.partitions, key=lambda topic: (len(self.subscribers[topic]), topic))
        everything = [TopicPartition(topic, number) for topic in topics for number in self.partitions[topic]]
        unowned = [tp for tp in everything if tp not in self.owner]
        is_first = not any(self.assigned.values())
        for topic_partition in unowned:
            self._give_to_least_loaded(topic_partition)

        contested = {topic for topic in self.partitions if len(self.subscribers[topic]) > 1}
        fixed = {m: self.assigned[m] for m in list(self.assigned) if not self._can_change(m, contested)}
        for member_id in fixed:
            self.by_load.remove(member_id)
            del self.assigned[member_id]

        before = {member_id: list(given) for member_id, given in self.assigned.items()}
        if not self.must_revoke:
            self._move_while_better([tp for tp in unowned if tp.topic in contested])
        has_moved = self._move_while_better([tp for tp in everything if tp.topic in contested])
        if not is_first and has_moved and _imbalance(self.assigned) >= _imbalance(before):
            self.assigned = before
        return {**self.assigned, **fixed}

    def _keep_owned(self, claims: Claims) -> bool:
        """Whether somebody has to give up a partition because it unsubscribed from the topic."""
        must_revoke = False
        for member_id, owned in claims.owned.items():
            for topic_partition in owned:
                if topic_partition.partition not in self.partitions[topic_partition.topic]:
                    continue
                if topic_partition.topic not in self.topics_of[member_id]:
                    must_revoke = True
                    continue
                self.assigned[member_id].append(topic_partition)
                self.owner[topic_partition] = member_id
        return must_revoke

    def _give_to_least_loaded(self, topic_partition: TopicPartition) -> None:
        for member_id in self.by_load:
            if topic_partition.topic in self.topics_of[member_id]:
                self.by_load.remove(member_id)
                self.assigned[member_id].append(topic_partition)
                self.owner[topic_partition] = member_id
                self.by_load.add(member_id)
                return

    def _most(self, member_id: str) -> int:
        return sum(len(self.partitions[topic]) for topic in self.topics_of[member_id])

    def _can_change(self, member_id: str, contested: set[str]) -> bool:
        """Whether the member could get a partition more, or give one to somebody else."""
        given = self.assigned[member_id]
        return len(given) < self._most(member_id) or any(tp.topic in contested for tp in given)

    def _is_balanced(self) -> bool:
        """Whether no member could get a partition from one that has at least two more."""
        if len(self.assigned[self.by_load[-1]]) - len(self.assigned[self.by_load[0]]) <= 1:
            return True
        for member_id in self.by_load:
            count = len(self.assigned[member_id])
            if count == self._most(member_id):
                continue
            for topic in self.topics_of[member_id]:
                for number in self.partitions[topic]:
                    if len(self.assigned[self.owner[TopicPartition(topic, number)]]) > count + 1:
                        return False
        return True

    def _move_while_better(self, candidates: Sequence[TopicPartition]) -> bool:
        has_moved = False
        again = True
        while again:
            again = False
            for topic_partition in candidates:
                if self._is_balanced():
                    break
                target = self._better_owner(topic_partition)
                if target is not None:
                    source = self.owner[topic_partition]
                    self._move(self.movements.instead_of(topic_partition, source, target), target)
                    again = has_moved = True
        return has_moved

    def _better_owner(self, topic_partition: TopicPartition) -> str | None:
        """An earlier owner if it has at least two fewer, else the least loaded subscriber if that has."""
        load = len(self.assigned[self.owner[topic_partition]])
        earlier = self.stale.get(topic_partition)
        may_return = earlier in self.assigned and earlier in self.subscribers[topic_partition.topic]
        if earlier is not None and may_return and load > len(self.assigned[earlier]) + 1:
            return earlier
        least = next(m for m in self.by_load if topic_partition.topic in self.topics_of[m])
        return least if load > len(self.assigned[least]) + 1 else None

    def _move(self, topic_partition: TopicPartition, target: str) -> None:
        source = self.owner[topic_partition]
        self.by_load.remove(source)
        self.by_load.remove(target)
        self.movements.note(topic_partition, source, target)
        self.assigned[source].remove(topic_partition)
        self.assigned[target].append(topic_partition)
        self.owner[topic_partition] = target
        self.by_load.add(source)
        self.by_load.add(target)


def _imbalance(assigned: Mapping[str, Sequence[TopicPartition]]) -> int:
    """The sum of the differences of all pairs of loads; smaller is more even."""
    loads = [len(given) for given in assigned.values()]
    return sum(abs(a - b) for position, a in enumerate(loads) for b in loads[position + 1 :])
