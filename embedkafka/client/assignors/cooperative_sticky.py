"""The cooperative sticky assignor (KIP-429): members keep reading through a rebalance.

The leader works out the same assignment as the sticky assignor, and leaves out every partition that changes hands.
Its owner sees that it is gone, gives it up and joins again; in that second round it has no owner and goes where it
should.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from embedkafka.client.assignors.abstract import GroupMember, RebalanceProtocol
from embedkafka.client.assignors.sticky import StickyPartitionAssignor, grouped
from embedkafka.client.assignors.sticky_claims import NO_GENERATION, Claims, StickyMember, moved
from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription

_FIRST_VERSION_WITH_GENERATION = 2


class CooperativeStickyPartitionAssignor(StickyPartitionAssignor):
    """Balanced and sticky, by the cooperative protocol; Java's ``CooperativeStickyAssignor``.

    What a member owns is in the subscription itself (version 1), with its generation (version 2); the user data
    repeats the generation for leaders that know version 1 only, as Java's does.
    """

    name = "cooperative-sticky"
    version = 3

    def supported_protocols(self) -> list[RebalanceProtocol]:
        return [RebalanceProtocol.COOPERATIVE, RebalanceProtocol.EAGER]

    def first_round(
        self, assigned: Mapping[str, list[TopicPartition]], claims: Claims
    ) -> Mapping[str, list[TopicPartition]]:
        # Of a disputed partition nobody knows who reads it: whoever does has to give it up first.
        changing = moved(claims.owned, assigned) | claims.disputed
        return {member_id: [tp for tp in given if tp not in changing] for member_id, given in assigned.items()}

    def sticky_member(self, member: GroupMember) -> StickyMember:
        subscription = member.metadata
        generation = subscription.generation_id
        if subscription.version < _FIRST_VERSION_WITH_GENERATION and subscription.user_data:
            data = subscription.user_data
            generation = int.from_bytes(data, "big", signed=True) if len(data) == 4 else NO_GENERATION
        return StickyMember(member.member_id, frozenset(subscription.topics), tuple(subscription.owned()), generation)

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        return ConsumerProtocolSubscription(
            self.version,
            sorted(topics),
            self.generation.to_bytes(4, "big", signed=True),
            owned_partitions=grouped(self.member_assignment or ()),
            generation_id=self.generation,
        )
