"""The range assignor: per topic, members in order take consecutive runs of partitions; the first ones one more.

Topics with the same number of partitions and the same members are thus co-partitioned: partition 0 of each goes to one
member, which a join of two topics needs.  Java's rack-aware variant (KIP-881) only matters where replicas lie on racks;
without racks, as here, it gives exactly this result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embedkafka.client.assignors.abstract import GroupMember, StatelessAssignor, in_order
from embedkafka.model import TopicPartition


class RangePartitionAssignor(StatelessAssignor):
    """Consecutive runs per topic; Java's ``RangeAssignor``."""

    name = "range"

    def assign_partitions(
        self, partitions: Mapping[str, Sequence[int]], members: Sequence[GroupMember]
    ) -> dict[str, list[TopicPartition]]:
        assigned: dict[str, list[TopicPartition]] = {member.member_id: [] for member in members}
        ordered = in_order(members)
        for topic, numbers in partitions.items():
            takers = [member.member_id for member in ordered if topic in member.metadata.topics]
            each, extra = divmod(len(numbers), len(takers))
            start = 0
            for position, member_id in enumerate(takers):
                end = start + each + (position < extra)
                assigned[member_id] += [TopicPartition(topic, number) for number in numbers[start:end]]
                start = end
        return assigned
