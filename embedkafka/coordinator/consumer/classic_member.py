"""Members that speak the classic protocol in a consumer group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.

Their generation is the member epoch.  A rebalance is a join (which tells the coordinator what the member owns, and
moves it a step) and a sync (which fetches what it may own); a heartbeat tells when to do that again.  Nobody leads:
every join is answered at once, and the assignment is the coordinator's.
"""

from __future__ import annotations

from dataclasses import replace

from embedkafka.coordinator.api import (
    HeartbeatRequest,
    JoinGroupReply,
    JoinGroupRequest,
    LeaveGroupReply,
    LeaveGroupRequest,
    LeavingMember,
    LeftMember,
    SyncGroupReply,
    SyncGroupRequest,
)
from embedkafka.coordinator.classic import join as classic_join
from embedkafka.coordinator.classic.group import CONSUMER_PROTOCOL_TYPE
from embedkafka.coordinator.config import MigrationPolicy
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.heartbeat import step
from embedkafka.coordinator.consumer.leave import held_by, remove, replace_static_member
from embedkafka.coordinator.consumer.member import ClassicPart, Member, MemberState
from embedkafka.coordinator.consumer.migration import (
    assignment_bytes,
    downgrade,
    ids_of,
    may_downgrade,
    only_classic_are_left,
)
from embedkafka.coordinator.consumer.subscription import update_epoch, update_member
from embedkafka.coordinator.consumer.target import update_target, wait_for_assignment
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.decision import CLASSIC_JOIN, CLASSIC_SYNC, Decision, JoinGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.errors import (
    BrokerResponseError,
    GroupMaxSizeReachedError,
    IllegalGenerationError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    KafkaProtocolError,
    MemberIdRequiredError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription, decode_subscription

_UNKNOWN_MEMBER = ""


# Joining -------------------------------------------------------------------------------------------------------------


def join_group(command: JoinGroup, group: ConsumerGroup, moment: Moment) -> Decision:
    """Decide about a join; an empty consumer group makes place for a classic one."""
    if group.is_empty:
        decision = classic_join.join_group(command, None, moment.config, moment.now_ms)
        return decision._replace(records=[*group.tombstones(), *decision.records]) if decision.records else decision
    try:
        return _join(command, Turn(group, moment))
    except BrokerResponseError as error:
        return Decision(reply=JoinGroupReply(error.errno, member_id=command.request.member_id))


def _join(command: JoinGroup, turn: Turn) -> Decision:
    request = command.request
    _check_join(request, turn)
    member_id = request.member_id or f"{request.group_instance_id or command.client_id}-{command.fresh_id}"
    if request.member_id == _UNKNOWN_MEMBER and request.require_member_id and request.group_instance_id is None:
        return Decision(reply=JoinGroupReply(MemberIdRequiredError.errno, member_id=member_id))
    subscription = _subscription(request)
    replaced = None
    if request.group_instance_id is not None:
        replaced = turn.group.static_member(request.group_instance_id)
    # Only who is alone in speaking the consumer protocol takes the group's type along when it is replaced.
    is_downgrade = (
        replaced is not None
        and replaced.member_id != member_id
        and may_downgrade(turn.group, replaced.member_id, turn.moment.config, stays=True)
    )
    member = _find(turn, request, member_id)
    described = _described(member, command, subscription)
    changed = update_member(turn, member, described)
    update_epoch(turn, must_grow=changed)
    update_target(turn)
    owned = ids_of(ConsumerProtocolAssignment(0, list(subscription.owned_partitions)), turn.moment.topics)
    updated = step(turn, turn.group.members[member_id], owned, subscription_changed=changed)
    reply = JoinGroupReply(
        generation_id=updated.epoch,
        protocol_type=CONSUMER_PROTOCOL_TYPE,
        protocol_name=request.protocols[0][0],
        member_id=member_id,
    )
    if is_downgrade and replaced is not None:
        reply = reply._replace(generation_id=turn.group.epoch)
        return downgrade(turn, replaced.member_id, reply, joined=updated)
    turn.cancel(CLASSIC_JOIN, member_id)
    turn.start_session(updated)
    turn.expect(CLASSIC_SYNC, updated)
    return turn.decide(reply)


def _check_join(request: JoinGroupRequest, turn: Turn) -> None:
    group, config = turn.group, turn.moment.config
    if not config.min_session_timeout_ms <= request.session_timeout_ms <= config.max_session_timeout_ms:
        raise InvalidSessionTimeoutError(f"session timeout {request.session_timeout_ms} ms")
    if config.consumer_migration_policy is MigrationPolicy.DISABLED:
        raise InconsistentGroupProtocolError("group.consumer.migration.policy is disabled")
    if len(group.members) >= config.consumer_max_size and request.member_id not in group.members:
        raise GroupMaxSizeReachedError(f"group {group.group_id!r} has {len(group.members)} members")
    if request.protocol_type != CONSUMER_PROTOCOL_TYPE or not _supports(group, request):
        raise InconsistentGroupProtocolError(f"the protocols of {request.member_id!r} do not fit the others'")


def _supports(group: ConsumerGroup, request: JoinGroupRequest) -> bool:
    """Whether one of the protocols is one that all other classic members know: they may be a classic group again."""
    others = [
        {name for name, _ in member.classic.protocols}
        for member in group.members.values()
        if member.classic is not None
    ]
    return any(all(name in names for names in others) for name, _ in request.protocols)


def _subscription(request: JoinGroupRequest) -> ConsumerProtocolSubscription:
    try:
        return decode_subscription(request.protocols[0][1])
    except KafkaProtocolError as error:
        raise InconsistentGroupProtocolError(str(error)) from None


def _find(turn: Turn, request: JoinGroupRequest, member_id: str) -> Member:
    instance_id = request.group_instance_id
    if instance_id is None:
        return turn.group.members.get(member_id) or Member(member_id)
    holder = turn.group.static_member(instance_id)
    if request.member_id != _UNKNOWN_MEMBER:
        return held_by(holder, member_id, instance_id)
    return Member(member_id) if holder is None else replace_static_member(turn, holder, member_id)


def _described(member: Member, command: JoinGroup, subscription: ConsumerProtocolSubscription) -> Member:
    request = command.request
    return replace(
        member,
        instance_id=request.group_instance_id or member.instance_id,
        rack_id=subscription.rack_id or member.rack_id,
        client_id=command.client_id,
        client_host=command.client_host,
        subscribed_topics=frozenset(subscription.topics),
        subscribed_regex=None,
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        server_assignor=None,
        classic=ClassicPart(
            request.session_timeout_ms, tuple((name, bytes(metadata)) for name, metadata in request.protocols)
        ),
    )


# Being a member ------------------------------------------------------------------------------------------------------


def sync_group(request: SyncGroupRequest, group: ConsumerGroup, moment: Moment) -> Decision:
    """Give a member what it may own; answered at once."""
    try:
        member, part = _member(group, request.member_id, request.group_instance_id)
        _check_generation(member, request.generation_id)
        protocol_name = part.protocols[0][0]
        other_type = request.protocol_type not in (None, CONSUMER_PROTOCOL_TYPE)
        if other_type or request.protocol_name not in (None, protocol_name):
            raise InconsistentGroupProtocolError(f"member {member.member_id!r} joined with {protocol_name!r}")
        turn = Turn(group, moment)
        if _must_catch_up(group, member):
            turn.expect(CLASSIC_JOIN, member, keep=True)
            return turn.decide(SyncGroupReply(RebalanceInProgressError.errno))
    except BrokerResponseError as error:
        return Decision(reply=SyncGroupReply(error.errno))
    turn.cancel(CLASSIC_SYNC, member.member_id)
    turn.start_session(member)
    assignment = assignment_bytes(member.assigned, part, moment.topics)
    return turn.decide(SyncGroupReply(0, CONSUMER_PROTOCOL_TYPE, protocol_name, assignment))


def heartbeat(request: HeartbeatRequest, group: ConsumerGroup, moment: Moment) -> Decision:
    """The reply is an error code: REBALANCE_IN_PROGRESS tells the member to join again."""
    try:
        member, _ = _member(group, request.member_id, request.group_instance_id)
        _check_generation(member, request.generation_id)
    except BrokerResponseError as error:
        return Decision(reply=error.errno)
    turn = Turn(group, moment)
    turn.start_session(member)
    if not must_rejoin(group, member):
        return turn.decide(0)
    turn.expect(CLASSIC_JOIN, member, keep=True)
    return turn.decide(RebalanceInProgressError.errno)


def must_rejoin(group: ConsumerGroup, member: Member) -> bool:
    """Whether a join would bring the member a step further."""
    if member.epoch < group.epoch or member.state is MemberState.UNREVOKED_PARTITIONS:
        return True
    return member.state is MemberState.UNRELEASED_PARTITIONS and not group.waits_for_others(member)


def _must_catch_up(group: ConsumerGroup, member: Member) -> bool:
    """Whether a new rebalance has begun since the join; who is giving up partitions finishes that first."""
    return group.epoch > member.epoch and member.state is not MemberState.UNREVOKED_PARTITIONS


def _member(group: ConsumerGroup, member_id: str, instance_id: str | None) -> tuple[Member, ClassicPart]:
    if instance_id is not None:
        member: Member | None = held_by(group.static_member(instance_id), member_id, instance_id)
    else:
        member = group.members.get(member_id)
    if member is None or member.classic is None:
        raise UnknownMemberIdError(f"{member_id!r} is no member that speaks the classic protocol")
    return member, member.classic


def _check_generation(member: Member, generation_id: int) -> None:
    if member.epoch != generation_id:
        raise IllegalGenerationError(f"member {member.member_id!r} is in {member.epoch}, not {generation_id}")


# Leaving -------------------------------------------------------------------------------------------------------------


def leave_group(request: LeaveGroupRequest, group: ConsumerGroup, moment: Moment) -> Decision:
    """Take members out, an administrator those of the new protocol, too; each gets its own answer."""
    turn = Turn(group, moment)
    left = [_leave(turn, each) for each in request.members]
    reply = LeaveGroupReply(members=left)
    if turn.records:
        if only_classic_are_left(turn.group, group, moment.config):
            return downgrade(turn, "", reply)
        update_epoch(turn, must_grow=True)
        wait_for_assignment(turn)
    return turn.decide(reply)


def _leave(turn: Turn, leaving: LeavingMember) -> LeftMember:
    try:
        remove(turn, _named(turn.group, leaving))
    except BrokerResponseError as error:
        return LeftMember(leaving.member_id, leaving.group_instance_id, error.errno)
    return LeftMember(leaving.member_id, leaving.group_instance_id)


def _named(group: ConsumerGroup, leaving: LeavingMember) -> Member:
    """The member with an id, an instance id (all that an administrator knows), or both."""
    member_id, instance_id = leaving.member_id, leaving.group_instance_id
    if instance_id is not None:
        holder = group.static_member(instance_id)
        if member_id == _UNKNOWN_MEMBER and holder is not None:
            return holder
        return held_by(holder, member_id, instance_id)
    member = group.members.get(member_id)
    if member is None:
        raise UnknownMemberIdError(f"{member_id!r} is no member of group {group.group_id!r}")
    return member
