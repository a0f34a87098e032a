"""ShareGroupHeartbeat (76): a member joins, says what it reads, and learns of which partitions.

Epoch 0 joins, a positive one goes on, -1 leaves.
"""

from __future__ import annotations

from dataclasses import replace

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.api import ShareGroupHeartbeatReply, ShareGroupHeartbeatRequest
from embedkafka.coordinator.share.commands import ShareHeartbeat
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.leave import leave
from embedkafka.coordinator.share.member import JOIN_EPOCH, LEAVE_EPOCH, NEXT_STATES, ShareMember
from embedkafka.coordinator.share.serialized import assignment_record, epoch_record, member_record, states_record
from embedkafka.coordinator.share.target import update_target
from embedkafka.coordinator.share.turn import ShareTurn
from embedkafka.errors import (
    BrokerResponseError,
    FencedMemberEpochError,
    GroupIdNotFoundError,
    GroupMaxSizeReachedError,
    InvalidRequestError,
    UnknownMemberIdError,
)


def heartbeat(command: ShareHeartbeat, group: AnyGroup | None, moment: Moment) -> Decision:
    """Decide about a heartbeat; ``group`` is None where there is none yet, and may be of another type."""
    try:
        _check(command.request)
        turn = _turn(command.request, group, moment)
        return leave(command.request, turn) if command.request.member_epoch == LEAVE_EPOCH else _go_on(command, turn)
    except BrokerResponseError as error:
        return Decision(reply=ShareGroupHeartbeatReply(error.errno, *error.args))


def _turn(request: ShareGroupHeartbeatRequest, group: AnyGroup | None, moment: Moment) -> ShareTurn:
    if group is None and request.member_epoch == JOIN_EPOCH:
        return ShareTurn(ShareGroup(request.group_id), moment)
    if not isinstance(group, ShareGroup):
        what = "there is no share group" if group is None else f"a {group.group_type} group, no share group, is"
        raise GroupIdNotFoundError(f"{what} {request.group_id!r}")
    return ShareTurn(group, moment)


def _go_on(command: ShareHeartbeat, turn: ShareTurn) -> Decision:
    request = command.request
    _check_size(turn, request.member_id)
    member = _find(turn.group, request)
    described = _described(member, command)
    subscription_changed = _update_member(turn, member, described)
    _forget_deleted_topics(turn)
    _update_epoch(turn, must_grow=subscription_changed)
    update_target(turn)
    updated = _take_target(turn, turn.group.members[member.member_id], subscription_changed=subscription_changed)
    turn.start_session(updated.member_id)
    _ask_for_states(turn)
    is_told = (
        request.member_epoch == JOIN_EPOCH
        or request.subscribed_topic_names is not None
        or updated.assigned != member.assigned
    )
    reply = ShareGroupHeartbeatReply(
        member_id=updated.member_id,
        member_epoch=updated.epoch,
        heartbeat_interval_ms=turn.settings.share_heartbeat_interval_ms,
        assignment={topic_id: sorted(each) for topic_id, each in updated.assigned.items()} if is_told else None,
    )
    return turn.decide(reply)


# Checks --------------------------------------------------------------------------------------------------------------


def _check(request: ShareGroupHeartbeatRequest) -> None:
    for name, value in (("MemberId", request.member_id), ("GroupId", request.group_id), ("RackId", request.rack_id)):
        if value is not None and not value.strip():
            raise InvalidRequestError(f"{name} can't be empty.")
    if request.member_epoch == JOIN_EPOCH and not request.subscribed_topic_names:
        raise InvalidRequestError("SubscribedTopicNames must be set in first request.")
    if request.member_epoch < LEAVE_EPOCH:
        raise InvalidRequestError(f"MemberEpoch is {request.member_epoch}")


def _check_size(turn: ShareTurn, member_id: str) -> None:
    group, limit = turn.group, turn.moment.config.share_max_size
    if len(group.members) >= limit and member_id not in group.members:
        raise GroupMaxSizeReachedError(f"share group {group.group_id!r} has {len(group.members)} members, no more fit")


def _find(group: ShareGroup, request: ShareGroupHeartbeatRequest) -> ShareMember:
    """The member that sends the heartbeat; a new one where it joins."""
    member = group.members.get(request.member_id)
    if request.member_epoch == JOIN_EPOCH:
        return member or ShareMember(request.member_id)
    if member is None:
        raise UnknownMemberIdError(f"{request.member_id!r} is no member of share group {request.group_id!r}")
    # The reply with the next epoch may have been lost.
    if request.member_epoch not in (member.epoch, member.previous_epoch):
        raise FencedMemberEpochError(
            f"member {member.member_id!r} is in epoch {member.epoch}, not {request.member_epoch}; it has to join again"
        )
    return member


# Steps ---------------------------------------------------------------------------------------------------------------


def _described(member: ShareMember, command: ShareHeartbeat) -> ShareMember:
    """The member with what its heartbeat says of it; what is not said is as it was."""
    request = command.request
    names = request.subscribed_topic_names
    return replace(
        member,
        rack_id=member.rack_id if request.rack_id is None else request.rack_id,
        client_id=command.client_id,
        client_host=command.client_host,
        subscribed_topics=member.subscribed_topics if names is None else frozenset(names),
    )


def _update_member(turn: ShareTurn, old: ShareMember, new: ShareMember) -> bool:
    """Write what a member says of itself, if it is new; True where what it reads has changed."""
    if new == old and new.member_id in turn.group.members:
        return False
    turn.write(member_record(turn.group.group_id, new))
    return new.subscribed_topics != old.subscribed_topics


def _forget_deleted_topics(turn: ShareTurn) -> None:
    """Topics that went while nobody told the group: a crash came between."""
    states, topics = turn.group.states, turn.moment.topics
    gone = {topic_id for topic_id in states.topic_ids() if topics.with_id(topic_id) is None}
    if gone:
        turn.write(states_record(turn.group.group_id, states.without_topics(gone)))


def _update_epoch(turn: ShareTurn, *, must_grow: bool) -> None:
    """Bump the group's epoch where what members read has changed, or which partitions of it can be assigned."""
    group = turn.group
    metadata_hash = turn.moment.topics.hash_of(group.subscribed_topics())
    if group.epoch <= group.assignment_epoch:
        must_grow = must_grow or group.has_unassigned_states()
    if must_grow or metadata_hash != group.metadata_hash:
        turn.write(epoch_record(group.group_id, group.epoch + 1, metadata_hash))


def _take_target(turn: ShareTurn, member: ShareMember, *, subscription_changed: bool) -> ShareMember:
    """Give a member its target, without the topics that it does not read any more."""
    group = turn.group
    if member.epoch == group.assignment_epoch and not subscription_changed:
        return member
    subscribed = {topic.topic_id for topic in turn.moment.topics.existing(member.subscribed_topics)}
    target = group.target_of(member.member_id)
    updated = replace(member, assigned={topic_id: target[topic_id] for topic_id in target if topic_id in subscribed})
    if member.epoch != group.assignment_epoch:
        updated = replace(
            updated, state=NEXT_STATES[member.state], epoch=group.assignment_epoch, previous_epoch=member.epoch
        )
    if updated != member:
        turn.write(assignment_record(group.group_id, updated))
    return updated


def _ask_for_states(turn: ShareTurn) -> None:
    """Want states of all partitions that members read."""
    group = turn.group
    missing = group.states.missing(group.subscribed_topics(), turn.moment.topics)
    if missing:
        turn.write(states_record(group.group_id, group.states.asked_for(missing)))
