"""The ways out of a share group: leaving, and being thrown out when a session is over."""

from __future__ import annotations

from embedkafka.coordinator.decision import SESSION, Decision, SessionExpired
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.api import ShareGroupHeartbeatReply, ShareGroupHeartbeatRequest
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.serialized import epoch_record, member_tombstones
from embedkafka.coordinator.share.target import wait_for_assignment
from embedkafka.coordinator.share.turn import ShareTurn
from embedkafka.errors import UnknownMemberIdError


def leave(request: ShareGroupHeartbeatRequest, turn: ShareTurn) -> Decision:
    """A member says that it goes.

    Raises:
        UnknownMemberIdError: it is no member.
    """
    if request.member_id not in turn.group.members:
        raise UnknownMemberIdError(f"{request.member_id!r} is no member of share group {request.group_id!r}")
    return _remove(
        turn,
        request.member_id,
        ShareGroupHeartbeatReply(member_id=request.member_id, member_epoch=request.member_epoch),
    )


def expire_session(command: SessionExpired, group: ShareGroup, moment: Moment) -> Decision:
    """Nothing was heard of a member."""
    return _remove(ShareTurn(group, moment), command.member_id) if command.member_id in group.members else Decision()


def _remove(turn: ShareTurn, member_id: str, reply: object = None) -> Decision:
    group_id = turn.group.group_id
    turn.write(*member_tombstones(group_id, member_id))
    group = turn.group
    turn.write(epoch_record(group_id, group.epoch + 1, turn.moment.topics.hash_of(group.subscribed_topics())))
    turn.cancel(SESSION, member_id)
    wait_for_assignment(turn)
    return turn.decide(reply)
