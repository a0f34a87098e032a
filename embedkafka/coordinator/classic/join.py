"""JoinGroup (11): a client enters its group, or comes back for the next generation.

KIP-394: a dynamic member is told its id first and joins with it, so that a join whose reply was lost leaves no ghost.
KIP-345: a static member keeps its place over a restart; KIP-814: a returning leader learns the members without having
to assign again.
"""

from __future__ import annotations

from embedkafka.coordinator.api import JoinGroupReply, JoinGroupRequest
from embedkafka.coordinator.classic.group import Group, GroupState, Member
from embedkafka.coordinator.classic.rebalance import (
    NO_MEMBER,
    complete_join_if_all_joined,
    joined,
    prepare,
    rebalance_or_complete,
    replace_static_member,
)
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import JOIN, Decision, JoinGroup
from embedkafka.errors import (
    GroupMaxSizeReachedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    MemberIdRequiredError,
    UnknownMemberIdError,
)


def join_group(command: JoinGroup, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Decide about a join; ``group`` is None where there is none yet."""
    request = command.request
    if not request.group_id:
        return _refuse(request, InvalidGroupIdError.errno)
    if not config.min_session_timeout_ms <= request.session_timeout_ms <= config.max_session_timeout_ms:
        return _refuse(request, InvalidSessionTimeoutError.errno)
    if group is None and request.member_id != NO_MEMBER:
        return _refuse(request, UnknownMemberIdError.errno)

    turn = Turn(group or Group(request.group_id, state_timestamp_ms=now_ms), config, now_ms)
    if not _accepts(turn.group, request.member_id, config.max_size):
        turn.group.remove(request.member_id)
        return turn.decide(JoinGroupReply(GroupMaxSizeReachedError.errno, member_id=NO_MEMBER))
    if not turn.group.supports(request.protocol_type, (name for name, _ in request.protocols)):
        return _refuse(request, InconsistentGroupProtocolError.errno)

    if group is None:
        turn.store_group()  # as Kafka does at a group's creation: still empty, but there after a fail-over
    return _new_member(turn, command) if request.member_id == NO_MEMBER else _known_member(turn, command)


def _refuse(request: JoinGroupRequest, error_code: int) -> Decision:
    return Decision(reply=JoinGroupReply(error_code, member_id=request.member_id))


def _accepts(group: Group, member_id: str, max_size: int) -> bool:
    """``group.max.size``: counted by who has joined while a rebalance is prepared, else by members."""
    member = group.members.get(member_id)
    if group.state is GroupState.EMPTY:
        return True
    if group.state is GroupState.PREPARING_REBALANCE:
        return (member is not None and member.awaiting_join) or group.awaiting_join_count() < max_size
    return member is not None or len(group.members) < max_size


def _new_member(turn: Turn, command: JoinGroup) -> Decision:
    request = command.request
    instance_id = request.group_instance_id
    member_id = f"{command.client_id if instance_id is None else instance_id}-{command.fresh_id}"
    if instance_id is not None:
        old_member_id = turn.group.static_member_id(instance_id)
        if old_member_id is not None:
            return _returning_static_member(turn, command, old_member_id, member_id)
        return _add(turn, command, member_id)
    if request.require_member_id:
        turn.group.pending_members |= {member_id}
        turn.start_session(member_id, request.session_timeout_ms)
        return turn.decide(JoinGroupReply(MemberIdRequiredError.errno, member_id=member_id))
    return _add(turn, command, member_id)


def _known_member(turn: Turn, command: JoinGroup) -> Decision:
    request, group = command.request, turn.group
    member_id = request.member_id
    if member_id in group.pending_members and request.group_instance_id is None:
        return _add(turn, command, member_id)
    error_code = group.member_error(member_id, request.group_instance_id)
    if error_code:
        return _refuse(request, error_code)
    member = group.members[member_id]
    unchanged = member.protocols == _protocols(request)
    is_current = (
        unchanged
        and group.state in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE)
        # A stable group's leader joins again to start a rebalance, for example because partitions were added.
        and not (group.state is GroupState.STABLE and group.leader == member_id)
    )
    if is_current:
        return turn.decide(joined(group, member_id))
    _take_over(turn, member, request)
    rebalance_or_complete(turn)
    return turn.decide(park=(JOIN, member_id))


def _add(turn: Turn, command: JoinGroup, member_id: str) -> Decision:
    request, group = command.request, turn.group
    if not group.members:
        group.protocol_type = request.protocol_type
    if group.leader is None:
        group.leader = member_id
    group.members[member_id] = Member(
        member_id=member_id,
        group_instance_id=request.group_instance_id,
        client_id=command.client_id,
        client_host=command.client_host,
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        session_timeout_ms=request.session_timeout_ms,
        protocols=_protocols(request),
        awaiting_join=True,
        is_new=True,
    )
    group.pending_members -= {member_id}
    if group.state is GroupState.PREPARING_REBALANCE and group.previous_state is GroupState.EMPTY:
        group.new_member_added = True
    turn.start_session(member_id, turn.config.new_member_join_timeout_ms)
    rebalance_or_complete(turn)
    return turn.decide(park=(JOIN, member_id))


def _protocols(request: JoinGroupRequest) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, bytes(metadata)) for name, metadata in request.protocols)


def _take_over(turn: Turn, member: Member, request: JoinGroupRequest) -> Member:
    return turn.update(
        member,
        protocols=_protocols(request),
        rebalance_timeout_ms=request.rebalance_timeout_ms,
        session_timeout_ms=request.session_timeout_ms,
        awaiting_join=True,
    )


def _returning_static_member(turn: Turn, command: JoinGroup, old_member_id: str, member_id: str) -> Decision:
    """A static member without an id: its place goes on under a new one, without a rebalance if it still fits."""
    group = turn.group
    member = _take_over(turn, replace_static_member(turn, old_member_id, member_id), command.request)
    if group.state is GroupState.STABLE:
        if group.select_protocol() == group.protocol_name:
            turn.update(member, awaiting_join=False)
            turn.store_group()
            return turn.decide(joined(group, member_id, skip_assignment=group.leader == member_id))
        rebalance_or_complete(turn)
    elif group.state is GroupState.COMPLETING_REBALANCE:
        prepare(turn)
    else:
        complete_join_if_all_joined(turn)
    return turn.decide(park=(JOIN, member_id))
