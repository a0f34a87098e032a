"""The leader's work: everyone's subscription in, everyone's partitions out; and which assignor does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from embedkafka.broker.api import JoinedMember
from embedkafka.client.assignors import AbstractPartitionAssignor, RebalanceProtocol
from embedkafka.errors import KafkaConfigurationError, KafkaError
from embedkafka.protocol.consumer.assignment import encode_assignment
from embedkafka.protocol.consumer.subscription import (
    ConsumerProtocolSubscription,
    decode_subscription,
    encode_subscription,
)


class _Member(NamedTuple):
    """A member as an assignor sees it."""

    member_id: str
    group_instance_id: str | None
    metadata: ConsumerProtocolSubscription


class _Topics:
    """The cluster as an assignor sees it."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self._counts.get(topic)
        return None if count is None else set(range(count))


class Assigning:
    """The assignors of one member, in the order it prefers them.

    ``protocol`` is the best way through a rebalance that all of them can do (KIP-429).

    Raises:
        KafkaConfigurationError: there is none.
    """

    def __init__(self, assignors: Sequence[AbstractPartitionAssignor]) -> None:
        self._assignors = {assignor.name: assignor for assignor in assignors}
        common = set(RebalanceProtocol)
        for assignor in assignors:
            common &= set(assignor.supported_protocols())
        if not common:
            raise KafkaConfigurationError(
                f"no rebalance protocol that all assignors can do: {', '.join(self._assignors)}"
            )
        self.protocol = max(common)

    def subscriptions(self, topics: set[str]) -> list[tuple[str, bytes]]:
        """What this member joins with: each assignor's name and subscription."""
        return [
            (name, encode_subscription(_as_subscription(assignor.metadata(set(topics)))))
            for name, assignor in self._assignors.items()
        ]

    def by_name(self, name: str | None) -> AbstractPartitionAssignor:
        """The assignor that the group has chosen."""
        assignor = self._assignors.get(name or "")
        if assignor is None:
            raise KafkaError(f"the group chose assignor {name!r}, which this consumer did not offer")
        return assignor

    def assign(self, name: str | None, members: Sequence[JoinedMember], counts: Mapping[str, int]) -> dict[str, bytes]:
        """Everyone's assignment, ready to be sent, by member id; ``counts`` are the topics' partitions."""
        assigned = self.by_name(name).assign(_Topics(counts), [_member(joined) for joined in members])
        return {
            member_id: assignment if isinstance(assignment, bytes) else encode_assignment(assignment)
            for member_id, assignment in assigned.items()
        }


def subscribed_topics(members: Sequence[JoinedMember]) -> set[str]:
    """Every topic that any member reads."""
    return {topic for joined in members for topic in decode_subscription(joined.metadata).topics}


def _member(joined: JoinedMember) -> _Member:
    return _Member(joined.member_id, joined.group_instance_id, decode_subscription(joined.metadata))


def _as_subscription(metadata: Any) -> ConsumerProtocolSubscription:
    """An assignor's metadata, also in kafka-python's own class, which has the same fields."""
    if isinstance(metadata, ConsumerProtocolSubscription):
        return metadata
    return ConsumerProtocolSubscription(metadata.version, list(metadata.topics), metadata.user_data)
