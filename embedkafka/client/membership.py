"""A member's conversation with the coordinator of its group: join, sync, heartbeat, leave, fenced commits.

This is the primitive under consumers, and under everything else that shares work through a group (DESIGN section 9):
it knows nothing of topics or assignors, it carries bytes.  :class:`EmbeddedMembership` speaks to the engine in this
process; a network one will speak the same over a connection.

``join`` and ``sync`` may wait for other members; their replies come by callback, on any thread, possibly before the
call returns.  One request at a time; a reply to a request that was overtaken by another is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from embedkafka.broker.api import (
    HeartbeatRequest,
    JoinGroupReply,
    JoinGroupRequest,
    LeavingMember,
    Liveness,
    SyncGroupReply,
    SyncGroupRequest,
)
from embedkafka.client.member import CommittingMember, GroupOffsets, Watching
from embedkafka.model import ConsumerGroupMetadata

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

NO_GENERATION = -1


class Membership(GroupOffsets, Watching, Protocol):
    """What a classic group's member can say, whatever carries it."""

    group_instance_id: str | None
    generation_id: int
    protocol_name: str | None

    def join(
        self, protocols: Sequence[tuple[str, bytes]], complete: Callable[[JoinGroupReply], None], reason: str = ""
    ) -> None: ...
    def sync(self, assignments: Mapping[str, bytes], complete: Callable[[SyncGroupReply], None]) -> None: ...
    def heartbeat(self) -> int: ...
    def leave(self, reason: str) -> None: ...
    def forget(self, *, keep_member_id: bool) -> None: ...


class EmbeddedMembership(CommittingMember):
    """The same, spoken to the coordinator in this process.

    Args:
        session_timeout_ms: how long the coordinator waits for a member that is no longer known to live.
        rebalance_timeout_ms: how long it waits for this member to join again when a rebalance began.
        protocol_type: ``consumer``, ``connect``, ...; all members of a group have the same.
        liveness: what the engine looks at instead of heartbeats.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        group_id: str,
        *,
        group_instance_id: str | None,
        session_timeout_ms: int,
        rebalance_timeout_ms: int,
        protocol_type: str,
        liveness: Liveness,
    ) -> None:
        super().__init__(link, group_id, "", group_instance_id, liveness)
        self._session_timeout_ms = session_timeout_ms
        self._rebalance_timeout_ms = rebalance_timeout_ms
        self._protocol_type = protocol_type
        self.generation_id = NO_GENERATION
        self.protocol_name: str | None = None

    def join(
        self, protocols: Sequence[tuple[str, bytes]], complete: Callable[[JoinGroupReply], None], reason: str = ""
    ) -> None:
        """Ask to be in the group's next generation; answered once every member has asked or run out of time."""
        request = JoinGroupRequest(
            group_id=self.group_id,
            session_timeout_ms=self._session_timeout_ms,
            rebalance_timeout_ms=self._rebalance_timeout_ms,
            member_id=self.member_id,
            protocol_type=self._protocol_type,
            protocols=protocols,
            group_instance_id=self.group_instance_id,
            reason=reason or None,
        )
        self._coordinator.join_group(self._context, request, complete)

    def joined(self, reply: JoinGroupReply) -> None:
        """Take the identity that a successful join gave."""
        self.member_id = reply.member_id
        self.generation_id = reply.generation_id
        self.protocol_name = reply.protocol_name

    def sync(self, assignments: Mapping[str, bytes], complete: Callable[[SyncGroupReply], None]) -> None:
        """Hand in everyone's assignment (the leader) or none, and get one's own."""
        request = SyncGroupRequest(
            group_id=self.group_id,
            generation_id=self.generation_id,
            member_id=self.member_id,
            group_instance_id=self.group_instance_id,
            protocol_type=self._protocol_type,
            protocol_name=self.protocol_name,
            assignments=assignments,
        )
        self._coordinator.sync_group(self._context, request, complete)

    def heartbeat(self) -> int:
        """Say that this member lives; the error code says whether its generation is still the group's."""
        request = HeartbeatRequest(self.group_id, self.generation_id, self.member_id, self.group_instance_id)
        return self._coordinator.heartbeat(self._context, request)

    def leave(self, reason: str) -> None:
        """Leave the group so that its partitions move at once; a static member only stops and keeps its place."""
        if self.member_id and self.group_instance_id is None:
            member = LeavingMember(self.member_id, None, reason)
            self._coordinator.leave_group(self._context, self.group_id, [member])
        self.forget(keep_member_id=False)

    def forget(self, *, keep_member_id: bool) -> None:
        """Be no member of any generation any more."""
        self.unwatch()
        self.generation_id = NO_GENERATION
        self.protocol_name = None
        if not keep_member_id:
            self.member_id = ""

    def _fence(self) -> tuple[int, str]:
        return self.generation_id, self.member_id if self.generation_id != NO_GENERATION else ""

    def metadata(self, state: str) -> ConsumerGroupMetadata:
        return ConsumerGroupMetadata(self.group_id, self.generation_id, self.member_id, self.group_instance_id, state)
