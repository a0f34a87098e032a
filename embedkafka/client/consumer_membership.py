"""A member's conversation with a group of the consumer protocol (KIP-848): heartbeats, and fenced commits.

:mod:`embedkafka.client.membership` is the same for the classic protocol.  A heartbeat is answered at once: the member
says what it reads and owns, the coordinator what it may own.  In this process it is sent when there is something to say
or to hear, which :meth:`EmbeddedConsumerMembership.watch` tells; nobody has to send one to stay alive.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from embedkafka.broker.api import ConsumerGroupHeartbeatReply, ConsumerGroupHeartbeatRequest, Liveness
from embedkafka.client.member import CommittingMember, GroupOffsets, Watching
from embedkafka.client.topic_ids import TopicIds
from embedkafka.model import ConsumerGroupMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

_JOIN_EPOCH = 0
_LEAVE_EPOCH = -1
_LEAVE_FOR_A_WHILE_EPOCH = -2
_NOT_IN_THE_GROUP = -1


class Wish(NamedTuple):
    """What a member reads: topics by name, or those that a regular expression matches on the broker."""

    topics: Collection[str]
    regex: str | None = None


class ConsumerMembership(GroupOffsets, Watching, Protocol):
    """What a consumer group's member can say, whatever carries it."""

    group_instance_id: str | None
    member_epoch: int

    def heartbeat(self, wish: Wish | None, owned: Collection[TopicPartition] | None) -> ConsumerGroupHeartbeatReply: ...
    def assignment(self, reply: ConsumerGroupHeartbeatReply) -> set[TopicPartition] | None: ...
    def leave(self, reason: str) -> None: ...
    def forget(self) -> None: ...


class EmbeddedConsumerMembership(CommittingMember):
    """The same, spoken to the coordinator in this process.

    Args:
        rebalance_timeout_ms: how long this member may take to give partitions up.
        server_assignor: which of the broker's assignors it would like; None leaves that to the broker.
        liveness: what the engine looks at instead of heartbeats.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        group_id: str,
        *,
        group_instance_id: str | None,
        rebalance_timeout_ms: int,
        server_assignor: str | None,
        rack_id: str | None,
        liveness: Liveness,
    ) -> None:
        # The client makes the id, and keeps it as long as it lives (KIP-1082).
        member_id = str(UUID(int=link.engine.ids.random.getrandbits(128), version=4))
        super().__init__(link, group_id, member_id, group_instance_id, liveness)
        self._rebalance_timeout_ms = rebalance_timeout_ms
        self._server_assignor = server_assignor
        self._rack_id = rack_id
        self._topic_ids = TopicIds(link)
        self._has_sent_regex = False
        self.member_epoch = _JOIN_EPOCH

    @property
    def is_member(self) -> bool:
        return self.member_epoch > _JOIN_EPOCH

    def heartbeat(self, wish: Wish | None, owned: Collection[TopicPartition] | None) -> ConsumerGroupHeartbeatReply:
        """Say what has changed, take the epoch that comes back.

        Args:
            wish: what this member reads, which makes the heartbeat a full one: the reply then holds the assignment
                whether it is new or not.  None: as before.
            owned: the partitions it owns; None: as before.  A join owns none.
        """
        joins = not self.is_member
        if wish is not None:
            self._topic_ids.learn(wish.topics)
        regex = None if wish is None else wish.regex
        if regex is None and wish is not None and self._has_sent_regex:
            regex = ""  # takes the last one back
        reply = self._send(
            ConsumerGroupHeartbeatRequest(
                self.group_id,
                self.member_id,
                self.member_epoch,
                instance_id=self.group_instance_id,
                rack_id=None if wish is None else self._rack_id,
                rebalance_timeout_ms=-1 if wish is None else self._rebalance_timeout_ms,
                subscribed_topic_names=None if wish is None else sorted(wish.topics),
                subscribed_topic_regex=regex,
                server_assignor=None if wish is None else self._server_assignor,
                topic_partitions={} if joins else None if owned is None else self._by_id(owned),
            )
        )
        if not reply.error_code:
            self.member_epoch = reply.member_epoch
            self._has_sent_regex = bool(regex) or (self._has_sent_regex and wish is None)
        return reply

    def assignment(self, reply: ConsumerGroupHeartbeatReply) -> set[TopicPartition] | None:
        """The partitions in a reply; None where it says nothing of them."""
        if reply.assignment is None:
            return None
        return {
            TopicPartition(name, number)
            for topic_id, numbers in reply.assignment.items()
            for name in [self._topic_ids.name_of(topic_id)]
            if name is not None
            for number in numbers
        }

    def _by_id(self, partitions: Collection[TopicPartition]) -> dict[UUID, list[int]]:
        ids = self._topic_ids.by_name()
        found: dict[UUID, list[int]] = {}
        for partition in sorted(partitions):
            if partition.topic in ids:
                found.setdefault(ids[partition.topic], []).append(partition.partition)
        return found

    def leave(self, reason: str) -> None:
        """Leave the group so that its partitions move at once; a static member's wait for it to come back."""
        if self.is_member:
            epoch = _LEAVE_EPOCH if self.group_instance_id is None else _LEAVE_FOR_A_WHILE_EPOCH
            self._send(
                ConsumerGroupHeartbeatRequest(self.group_id, self.member_id, epoch, instance_id=self.group_instance_id)
            )
        self.forget()

    def forget(self) -> None:
        """Be no member any more."""
        self.unwatch()
        self.member_epoch = _JOIN_EPOCH
        self._has_sent_regex = False

    def _send(self, request: ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatReply:
        return self._coordinator.consumer_group_heartbeat(self._context, request)

    def _fence(self) -> tuple[int, str]:
        return (self.member_epoch, self.member_id) if self.is_member else (_NOT_IN_THE_GROUP, "")

    def metadata(self, state: str) -> ConsumerGroupMetadata:
        epoch, member_id = self._fence()
        return ConsumerGroupMetadata(self.group_id, epoch, member_id, self.group_instance_id, state)
