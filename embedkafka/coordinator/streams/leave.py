"""The ways out of a streams group: leaving, and being thrown out when a session or a rebalance timeout is over."""

from __future__ import annotations

from embedkafka.coordinator.decision import Decision, MemberOverdue, SessionExpired
from embedkafka.coordinator.streams.api import StreamsGroupHeartbeatReply, StreamsGroupHeartbeatRequest
from embedkafka.coordinator.streams.commands import StreamsHeartbeatResult
from embedkafka.coordinator.streams.serialized import epoch_record, member_tombstones
from embedkafka.coordinator.streams.target import wait_for_assignment
from embedkafka.coordinator.streams.turn import StreamsTurn
from embedkafka.errors import UnknownMemberIdError


def leave(request: StreamsGroupHeartbeatRequest, turn: StreamsTurn) -> Decision:
    """A member says that it goes, and perhaps that the whole application shall.

    Raises:
        UnknownMemberIdError: it is no member.
    """
    member_id = request.member_id
    if member_id not in turn.group.members:
        raise UnknownMemberIdError(f"{member_id!r} is no member of streams group {request.group_id!r}")
    if request.shutdown_application and turn.soft.shutdown_by is None:
        turn.soft = turn.soft._replace(shutdown_by=member_id)
    reply = StreamsGroupHeartbeatReply(member_id=member_id, member_epoch=request.member_epoch, status=[])
    return _remove(turn, member_id, StreamsHeartbeatResult(reply))


def expire_session(command: SessionExpired, turn: StreamsTurn) -> Decision:
    """Nothing was heard of a member."""
    return _remove(turn, command.member_id) if command.member_id in turn.group.members else Decision()


def throw_out(command: MemberOverdue, turn: StreamsTurn) -> Decision:
    """A member has not let tasks go in time."""
    member = turn.group.members.get(command.member_id)
    if member is None or member.epoch != command.epoch:
        return Decision()
    return _remove(turn, command.member_id)


def _remove(turn: StreamsTurn, member_id: str, reply: object = None) -> Decision:
    group_id = turn.group.group_id
    turn.write(*member_tombstones(group_id, member_id))
    group = turn.group
    turn.write(
        epoch_record(group_id, group.epoch + 1, group.metadata_hash, group.validated_topology_epoch, group.configs)
    )
    turn.end_timers(member_id)
    if not turn.soft.is_delayed:
        wait_for_assignment(turn)
    return turn.decide(reply)
