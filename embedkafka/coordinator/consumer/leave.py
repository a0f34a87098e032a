"""The ways out of a consumer group: leaving, leaving for a while, being thrown out, being replaced."""

from __future__ import annotations

from dataclasses import replace

from embedkafka.coordinator.api import ConsumerGroupHeartbeatReply, ConsumerGroupHeartbeatRequest
from embedkafka.coordinator.assignment import NOTHING
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import JOIN_EPOCH, STATIC_LEAVE_EPOCH, Member, MemberState
from embedkafka.coordinator.consumer.migration import downgrade, may_downgrade
from embedkafka.coordinator.consumer.serialized import (
    current_record,
    member_record,
    member_tombstones,
    target_record,
)
from embedkafka.coordinator.consumer.subscription import update_epoch
from embedkafka.coordinator.consumer.target import wait_for_assignment
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.decision import REVOKE, Decision, MemberOverdue, SessionExpired
from embedkafka.coordinator.moment import Moment
from embedkafka.errors import FencedInstanceIdError, UnknownMemberIdError


def leave(request: ConsumerGroupHeartbeatRequest, turn: Turn) -> Decision:
    """A member says that it goes (epoch -1), or that it will be back (-2).

    Raises:
        UnknownMemberIdError, FencedInstanceIdError: it is no member, or another client has its place.
    """
    member_id, group = request.member_id, turn.group
    reply = ConsumerGroupHeartbeatReply(member_id=member_id, member_epoch=request.member_epoch)
    if request.instance_id is None:
        member = group.members.get(member_id)
        if member is None:
            raise UnknownMemberIdError(f"{member_id!r} is no member of group {group.group_id!r}")
        return fence(turn, member, reply)
    member = held_by(group.static_member(request.instance_id), member_id, request.instance_id)
    if request.member_epoch != STATIC_LEAVE_EPOCH:
        return fence(turn, member, reply)
    # Its place is kept for as long as its session lasts.  What it had to give up, it has.
    away = replace(member, epoch=STATIC_LEAVE_EPOCH, state=MemberState.STABLE, revoking=NOTHING)
    turn.write(current_record(group.group_id, away))
    turn.cancel(REVOKE, member_id)
    return turn.decide(reply)


def held_by(holder: Member | None, member_id: str, instance_id: str) -> Member:
    """The holder of an instance id, which has to be ``member_id``.

    Raises:
        UnknownMemberIdError: nobody holds it.
        FencedInstanceIdError: another member does.
    """
    if holder is None:
        raise UnknownMemberIdError(f"instance id {instance_id!r} is unknown")
    if holder.member_id != member_id:
        raise FencedInstanceIdError(f"instance id {instance_id!r} is held by member {holder.member_id!r} now")
    return holder


def fence(turn: Turn, member: Member, reply: object = None) -> Decision:
    """Take a member out; where only members of the classic protocol are left, the group becomes theirs."""
    if may_downgrade(turn.group, member.member_id, turn.moment.config, stays=False):
        return downgrade(turn, member.member_id, reply)
    remove(turn, member)
    update_epoch(turn, must_grow=True)
    wait_for_assignment(turn)
    return turn.decide(reply)


def remove(turn: Turn, member: Member) -> None:
    """Delete a member and what it waits for; the group's epoch is the caller's."""
    turn.write(*member_tombstones(turn.group.group_id, member.member_id))
    turn.end_timers(member.member_id)


def replace_static_member(turn: Turn, old: Member, new_member_id: str) -> Member:
    """Give a static member's place, with its partitions, to the client that came with its instance id."""
    group_id = turn.group.group_id
    new = replace(old, member_id=new_member_id, epoch=JOIN_EPOCH, previous_epoch=JOIN_EPOCH)
    target = turn.group.target_of(old.member_id)
    remove(turn, old)
    turn.write(
        member_record(group_id, new), target_record(group_id, new_member_id, target), current_record(group_id, new)
    )
    return new


# Without being asked -------------------------------------------------------------------------------------------------


def expire_session(command: SessionExpired, group: ConsumerGroup, moment: Moment) -> Decision:
    """Nothing was heard of a member."""
    member = group.members.get(command.member_id)
    return Decision() if member is None else fence(Turn(group, moment), member)


def throw_out(command: MemberOverdue, group: ConsumerGroup, moment: Moment) -> Decision:
    """A member has not given up, joined or synced in time."""
    member = group.members.get(command.member_id)
    if member is None or (command.epoch is not None and member.epoch != command.epoch):
        return Decision()
    return fence(Turn(group, moment), member)
