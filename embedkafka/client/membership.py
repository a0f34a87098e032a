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
    CommittedOffset,
    HeartbeatRequest,
    JoinGroupReply,
    JoinGroupRequest,
    LeavingMember,
    Liveness,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetToCommit,
    RequestContext,
    SyncGroupReply,
    SyncGroupRequest,
)
from embedkafka.errors import for_code
from embedkafka.model import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

NO_GENERATION = -1


class MemberLiveness:
    """What the engine looks at to know that an in-process member lives; holds nothing of the client."""

    __slots__ = ("alive", "last_poll_ms", "max_poll_interval_ms")

    def __init__(self, now_ms: float, max_poll_interval_ms: float) -> None:
        self.alive = True
        self.last_poll_ms = now_ms
        self.max_poll_interval_ms = max_poll_interval_ms


class GroupOffsets(Protocol):
    """What a member can say of its group's offsets, whatever the group's protocol."""

    group_id: str

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> Mapping[TopicPartition, int]: ...
    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, CommittedOffset]: ...


class Membership(GroupOffsets, Protocol):
    """What a classic group's member can say, whatever carries it."""

    group_instance_id: str | None
    member_id: str
    generation_id: int
    protocol_name: str | None

    def join(
        self, protocols: Sequence[tuple[str, bytes]], complete: Callable[[JoinGroupReply], None], reason: str = ""
    ) -> None: ...
    def sync(self, assignments: Mapping[str, bytes], complete: Callable[[SyncGroupReply], None]) -> None: ...
    def heartbeat(self) -> int: ...
    def leave(self, reason: str) -> None: ...
    def forget(self, *, keep_member_id: bool) -> None: ...
    def watch(self, changed: Callable[[], None]) -> None: ...
    def unwatch(self) -> None: ...


class EmbeddedMembership:
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
        self._link = link
        self._context = link.context._replace(liveness=liveness)
        self._session_timeout_ms = session_timeout_ms
        self._rebalance_timeout_ms = rebalance_timeout_ms
        self._protocol_type = protocol_type
        self._unwatch: Callable[[], None] | None = None
        self.group_id = group_id
        self.group_instance_id = group_instance_id
        self.member_id = ""
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
        self._link.coordinator_port(self.group_id).join_group(self._context, request, complete)

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
        self._link.coordinator_port(self.group_id).sync_group(self._context, request, complete)

    def heartbeat(self) -> int:
        """Say that this member lives; the error code says whether its generation is still the group's."""
        request = HeartbeatRequest(self.group_id, self.generation_id, self.member_id, self.group_instance_id)
        return self._link.coordinator_port(self.group_id).heartbeat(self._context, request)

    def leave(self, reason: str) -> None:
        """Leave the group so that its partitions move at once; a static member only stops and keeps its place."""
        if self.member_id and self.group_instance_id is None:
            member = LeavingMember(self.member_id, None, reason)
            self._link.coordinator_port(self.group_id).leave_group(self._context, self.group_id, [member])
        self.forget(keep_member_id=False)

    def forget(self, *, keep_member_id: bool) -> None:
        """Be no member of any generation any more."""
        self.unwatch()
        self.generation_id = NO_GENERATION
        self.protocol_name = None
        if not keep_member_id:
            self.member_id = ""

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> Mapping[TopicPartition, int]:
        """Commit as this member of this generation; error codes by partition, 0 for committed."""
        member_id = self.member_id if self.generation_id != NO_GENERATION else ""
        generation_id, instance_id = self.generation_id, self.group_instance_id
        return commit_offsets(self._link, self._context, self.group_id, offsets, generation_id, member_id, instance_id)

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, CommittedOffset]:
        """What the group has committed.

        Raises:
            BrokerResponseError: the coordinator's answer was an error.
        """
        return fetch_offsets(self._link, self._context, self.group_id, partitions)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, on any thread, when the next heartbeat would be answered with an error."""
        self.unwatch()
        port = self._link.coordinator_port(self.group_id)
        self._unwatch = port.watch_group(self._context, self.group_id, self.member_id, changed)

    def unwatch(self) -> None:
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def metadata(self, state: str) -> ConsumerGroupMetadata:
        return ConsumerGroupMetadata(self.group_id, self.generation_id, self.member_id, self.group_instance_id, state)


def commit_offsets(
    link: EmbeddedLink,
    context: RequestContext,
    group_id: str,
    offsets: Mapping[TopicPartition, OffsetAndMetadata],
    generation_id: int,
    member_id: str,
    group_instance_id: str | None,
) -> Mapping[TopicPartition, int]:
    """Commit, fenced by a generation or member epoch; error codes by partition."""
    request = OffsetCommitRequest(
        group_id,
        {partition: _to_commit(offset) for partition, offset in offsets.items()},
        generation_id=generation_id,
        member_id=member_id,
        group_instance_id=group_instance_id,
    )
    return link.coordinator_port(group_id).offset_commit(context, request).error_codes


def fetch_offsets(
    link: EmbeddedLink, context: RequestContext, group_id: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, CommittedOffset]:
    """What a group has committed; an offset that is pending in a transaction is an error (KIP-447).

    Raises:
        BrokerResponseError: the coordinator's answer was an error.
    """
    request = OffsetFetchRequest(group_id, partitions, require_stable=True)
    reply = link.coordinator_port(group_id).offset_fetch(context, request)
    if reply.error_code:
        raise for_code(reply.error_code)(group_id)
    return reply.offsets


def _to_commit(offset: OffsetAndMetadata) -> OffsetToCommit:
    assert offset.offset is not None
    epoch = -1 if offset.leader_epoch is None else offset.leader_epoch
    return OffsetToCommit(offset.offset, epoch, offset.metadata or "")
