"""A member's conversation with a share group (KIP-932): heartbeats.

:mod:`embedkafka.client.consumer_membership` is the same for a consumer group.  A share group's member owns nothing: the
reply says which partitions it may read from, together with others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from embedkafka.broker.api import Liveness, ShareGroupHeartbeatReply, ShareGroupHeartbeatRequest
from embedkafka.client.member import EmbeddedMember, Watching
from embedkafka.client.topic_ids import TopicIds
from embedkafka.model import TopicIdPartition, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

_JOIN_EPOCH = 0
_LEAVE_EPOCH = -1


class ShareMembership(Watching, Protocol):
    """What a share group's member can say, whatever carries it."""

    member_epoch: int

    def heartbeat(self, topics: Collection[str] | None) -> ShareGroupHeartbeatReply: ...
    def assignment(self, reply: ShareGroupHeartbeatReply) -> dict[TopicIdPartition, TopicPartition] | None: ...
    def leave(self) -> None: ...
    def forget(self) -> None: ...


class EmbeddedShareMembership(EmbeddedMember):
    """The same, spoken to the coordinator in this process.

    Args:
        liveness: what the engine looks at instead of heartbeats.
    """

    def __init__(self, link: EmbeddedLink, group_id: str, *, rack_id: str | None, liveness: Liveness) -> None:
        # The client makes the id, and keeps it as long as it lives.
        member_id = str(UUID(int=link.engine.ids.random.getrandbits(128), version=4))
        super().__init__(link, group_id, member_id, liveness)
        self._rack_id = rack_id
        self._topic_ids = TopicIds(link)
        self.member_epoch = _JOIN_EPOCH

    @property
    def is_member(self) -> bool:
        return self.member_epoch > _JOIN_EPOCH

    def heartbeat(self, topics: Collection[str] | None) -> ShareGroupHeartbeatReply:
        """Say what this member reads, take the epoch that comes back.

        Args:
            topics: by name; None: as before.
        """
        if topics is not None:
            self._topic_ids.learn(topics)
        reply = self._send(
            ShareGroupHeartbeatRequest(
                self.group_id,
                self.member_id,
                self.member_epoch,
                rack_id=None if topics is None else self._rack_id,
                subscribed_topic_names=None if topics is None else sorted(topics),
            )
        )
        if not reply.error_code:
            self.member_epoch = reply.member_epoch
        return reply

    def assignment(self, reply: ShareGroupHeartbeatReply) -> dict[TopicIdPartition, TopicPartition] | None:
        """The partitions in a reply, by the names that the share APIs use; None where it says nothing of them."""
        if reply.assignment is None:
            return None
        return {
            TopicIdPartition(topic_id, number): TopicPartition(name, number)
            for topic_id, numbers in reply.assignment.items()
            for name in [self._topic_ids.name_of(topic_id)]
            if name is not None
            for number in numbers
        }

    def leave(self) -> None:
        """Leave the group, so that what this member held goes to others at once."""
        if self.is_member:
            self._send(ShareGroupHeartbeatRequest(self.group_id, self.member_id, _LEAVE_EPOCH))
        self.forget()

    def forget(self) -> None:
        """Be no member any more."""
        self.unwatch()
        self.member_epoch = _JOIN_EPOCH

    def _send(self, request: ShareGroupHeartbeatRequest) -> ShareGroupHeartbeatReply:
        return self._coordinator.share_group_heartbeat(self._context, request)
