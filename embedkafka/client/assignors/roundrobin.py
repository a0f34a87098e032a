"""The round-robin assignor: all partitions in order are dealt to the members in turn, skipping who did not subscribe.

With equal subscriptions the members' counts differ by one at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embedkafka.client.assignors.abstract import GroupMember, StatelessAssignor, in_order
from embedkafka.model import TopicPartition


class RoundRobinPartitionAssignor(StatelessAssignor):
    """Partitions dealt in turn; Java's ``RoundRobinAssignor``."""

    name = "roundrobin"

    def assign_partitions(
        self, partitions: Mapping[str, Sequence[int]], members: Sequence[GroupMember]
    ) -> dict[str, list[TopicPartition]]:
        assigned: dict[str, list[TopicPartition]] = {member.member_id: [] for member in members}
        ordered = in_order(members)
        subscribed = [frozenset(member.metadata.topics) for member in ordered]
        turn = 0
        for topic, numbers in partitions.items():
            for number in numbers:
                while topic not in subscribed[turn]:  # ends: a topic is here because someone subscribed to it
                    turn = (turn + 1) % len(ordered)
                assigned[ordered[turn].member_id].append(TopicPartition(topic, number))
                turn = (turn + 1) % len(ordered)
        return assigned
