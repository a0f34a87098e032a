"""The sticky assignor (KIP-54): balanced first, and then as little moves as possible.

A member tells the leader what it owned in its user data, with the generation (version 1), because the eager protocol
makes it give everything up before it joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from embedkafka.client.assignors.abstract import (
    AbstractPartitionAssignor,
    Cluster,
    GroupMember,
    known_partitions,
    to_assignment,
)
from embedkafka.client.assignors.sticky_claims import NO_GENERATION, Claims, StickyMember, settle
from embedkafka.client.assignors.sticky_general import assign_general
from embedkafka.client.assignors.sticky_uniform import assign_uniform
from embedkafka.errors import KafkaProtocolError
from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment
from embedkafka.protocol.consumer.sticky_user_data import (
    StickyUserData,
    decode_sticky_user_data,
    encode_sticky_user_data,
)
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription
from embedkafka.protocol.consumer.topic_partitions import TopicPartitions


class StickyPartitionAssignor(AbstractPartitionAssignor):
    """Balanced and sticky, by the eager protocol; Java's ``StickyAssignor``.

    ``member_assignment`` and ``generation`` are what this member was last given.
    """

    name = "sticky"
    version = 0

    def __init__(self) -> None:
        self.member_assignment: list[TopicPartition] | None = None
        self.generation = NO_GENERATION

    def assign(self, cluster: Cluster, members: Sequence[GroupMember]) -> dict[str, ConsumerProtocolAssignment]:
        partitions = known_partitions(cluster, members)
        sticky_members = sorted(self.sticky_member(member) for member in members)
        claims = settle(sticky_members, partitions)
        assigned = assign_sticky(partitions, sticky_members, claims)
        given = self.first_round(assigned, claims)
        return {
            member_id: to_assignment(topic_partitions, version=self.version)
            for member_id, topic_partitions in given.items()
        }

    def first_round(
        self, assigned: Mapping[str, list[TopicPartition]], claims: Claims
    ) -> Mapping[str, list[TopicPartition]]:
        """What of the new assignment is handed out at once: all of it."""
        return assigned

    def sticky_member(self, member: GroupMember) -> StickyMember:
        """What a member says it owned; user data that cannot be read counts as nothing."""
        subscription = member.metadata
        topics = frozenset(subscription.topics)
        if not subscription.user_data:
            return StickyMember(member.member_id, topics)
        try:
            data = decode_sticky_user_data(subscription.user_data)
        except KafkaProtocolError:
            return StickyMember(member.member_id, topics)
        return StickyMember(member.member_id, topics, tuple(data.partitions()), data.generation)

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        user_data = b""
        if self.member_assignment is not None:
            user_data = encode_sticky_user_data(StickyUserData(grouped(self.member_assignment), self.generation))
        return ConsumerProtocolSubscription(self.version, sorted(topics), user_data)

    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: int) -> None:
        self.member_assignment = assignment.partitions()
        self.generation = generation


def assign_sticky(
    partitions: Mapping[str, Sequence[int]], members: Sequence[StickyMember], claims: Claims
) -> dict[str, list[TopicPartition]]:
    """The new assignment; the quick way where all subscribe to the same topics."""
    if not members:
        return {}
    if len({member.topics for member in members}) == 1:
        return assign_uniform(partitions, claims)
    return assign_general(partitions, members, claims)


def grouped(partitions: Iterable[TopicPartition]) -> list[TopicPartitions]:
    """Partitions by topic, both in order."""
    by_topic: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        by_topic.setdefault(topic, []).append(partition)
    return [TopicPartitions(topic, numbers) for topic, numbers in by_topic.items()]
