"""What every assignor is: kafka-python's interface, so a program's own assignor works unchanged.

The leader of a group calls :meth:`AbstractPartitionAssignor.assign` with everyone's subscriptions; every member calls
:meth:`~AbstractPartitionAssignor.metadata` before it joins and :meth:`~AbstractPartitionAssignor.on_assignment` after.
The assignors here keep the arithmetic in plain functions over counts and names; the classes only translate.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription

_log = logging.getLogger(__name__)


class RebalanceProtocol(IntEnum):
    """How members go through a rebalance (KIP-429); where all of a group's assignors allow both, COOPERATIVE wins."""

    EAGER = 0  # give up everything before joining
    COOPERATIVE = 1  # keep what one has, give up only what moves


class Cluster(Protocol):
    """What an assignor may ask about topics."""

    def partitions_for_topic(self, topic: str) -> Collection[int] | None:
        """The topic's partition numbers, or None where the topic is unknown."""


class GroupMember(Protocol):
    """A member as the leader sees it."""

    @property
    def member_id(self) -> str: ...
    @property
    def group_instance_id(self) -> str | None: ...
    @property
    def metadata(self) -> ConsumerProtocolSubscription: ...


class AbstractPartitionAssignor(ABC):
    """Decides which member of a group reads which partition."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the members' protocols are compared by; Java's name of the assignor."""

    def supported_protocols(self) -> list[RebalanceProtocol]:
        """The ways through a rebalance that this assignor can do."""
        return [RebalanceProtocol.EAGER]

    @abstractmethod
    def assign(self, cluster: Cluster, members: Sequence[GroupMember]) -> Mapping[str, ConsumerProtocolAssignment]:
        """Every member's partitions, by member id.  Runs on the leader only."""

    @abstractmethod
    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        """This member's subscription, to join with."""

    @abstractmethod
    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: int) -> None:
        """Take note of what this member was given in ``generation``."""


class StatelessAssignor(AbstractPartitionAssignor):
    """An assignor that remembers nothing: the result follows from subscriptions and partition counts."""

    version = 0

    @abstractmethod
    def assign_partitions(
        self, partitions: Mapping[str, Sequence[int]], members: Sequence[GroupMember]
    ) -> Mapping[str, Sequence[TopicPartition]]:
        """The members' partitions; ``partitions`` holds the known topics' numbers in order."""

    def assign(self, cluster: Cluster, members: Sequence[GroupMember]) -> dict[str, ConsumerProtocolAssignment]:
        assigned = self.assign_partitions(known_partitions(cluster, members), members)
        return {
            member.member_id: to_assignment(assigned.get(member.member_id, ()), version=self.version)
            for member in members
        }

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        return ConsumerProtocolSubscription(self.version, sorted(topics), b"")

    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: int) -> None:
        pass


def known_partitions(cluster: Cluster, members: Sequence[GroupMember]) -> dict[str, list[int]]:
    """The sorted partition numbers of every subscribed topic the cluster knows, by topic in order."""
    subscribed = sorted({topic for member in members for topic in member.metadata.topics})
    known: dict[str, list[int]] = {}
    for topic in subscribed:
        numbers = cluster.partitions_for_topic(topic)
        if numbers is None:
            _log.warning("a group subscribes to topic %s, of which nothing is known", topic)
        else:
            known[topic] = sorted(numbers)
    return known


def in_order(members: Iterable[GroupMember]) -> list[GroupMember]:
    """Static members by instance id, then dynamic ones by member id (Java's MemberInfo).

    A static member comes back with a new member id; ordering by instance id lets it keep its partitions.
    """
    return sorted(members, key=lambda m: (m.group_instance_id is None, m.group_instance_id or "", m.member_id))


def to_assignment(
    partitions: Iterable[TopicPartition], *, version: int, user_data: bytes | None = b""
) -> ConsumerProtocolAssignment:
    """The wire form: topics in order, each with its partitions in order."""
    by_topic: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        by_topic.setdefault(topic, []).append(partition)
    return ConsumerProtocolAssignment(version, list(by_topic.items()), user_data)  # type: ignore[arg-type] # pairs too
