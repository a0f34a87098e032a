"""What joins, leaves and time-outs set going: prepare a rebalance, complete its join phase, answer who waits.

Kafka's ``prepareRebalance``, ``maybeCompleteJoinPhase``, ``completeClassicGroupJoin``.  Functions work on a turn's
copy.
"""

from __future__ import annotations

from embedkafka.coordinator.api import JoinGroupReply, SyncGroupReply
from embedkafka.coordinator.classic.group import Group, GroupState, Member
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.decision import JOIN, SYNC, InitialDelayOver, JoinDeadline, SyncDeadline
from embedkafka.errors import FencedInstanceIdError, RebalanceInProgressError, UnknownMemberIdError

NO_MEMBER = ""


def rebalance_or_complete(turn: Turn) -> None:
    """After a change of members: start a rebalance, or see whether the one under way is complete."""
    if turn.group.can_rebalance():
        prepare(turn)
    else:
        complete_join_if_all_joined(turn)


def prepare(turn: Turn) -> None:
    """Ask everyone to join again.  An empty group may wait first, so that members that start together join together."""
    group = turn.group
    if group.state is GroupState.COMPLETING_REBALANCE:
        for member in list(group.members.values()):
            turn.update(member, assignment=b"")
        answer_syncs(turn, RebalanceInProgressError.errno)
    group.pending_syncs = frozenset()
    turn.cancel_timer(SYNC)

    is_initial = group.state is GroupState.EMPTY
    group.transition(GroupState.PREPARING_REBALANCE, turn.now_ms)
    if not is_initial:
        complete_join_or_wait(turn)
        return
    delay_ms = turn.config.initial_rebalance_delay_ms
    if delay_ms == 0:
        complete_join(turn)
        return
    remaining_ms = max(group.rebalance_timeout_ms() - delay_ms, 0)
    turn.start_timer(JOIN, delay_ms, InitialDelayOver(group.group_id, delay_ms, remaining_ms))


def complete_join_or_wait(turn: Turn) -> None:
    """Complete the join phase if everyone is there, else give the others the rebalance timeout."""
    if turn.group.has_all_joined():
        complete_join(turn)
    else:
        turn.start_timer(JOIN, turn.group.rebalance_timeout_ms(), JoinDeadline(turn.group.group_id))


def complete_join_if_all_joined(turn: Turn) -> None:
    """Complete the join phase if nobody is missing; an empty group's initial delay is not cut short."""
    group = turn.group
    if group.state is not GroupState.PREPARING_REBALANCE or group.previous_state is GroupState.EMPTY:
        return
    if group.has_all_joined():
        complete_join(turn)


def complete_join(turn: Turn) -> None:
    """End the join phase with who is there: a new generation, its protocol, and everyone's answer.

    Dynamic members that did not join are out; static ones stay until their session ends (KIP-345).
    """
    group = turn.group
    turn.cancel_timer(JOIN)
    for member in list(group.members.values()):
        if not member.awaiting_join and member.group_instance_id is None:
            group.remove(member.member_id)
            turn.end_session(member.member_id)

    if group.members and not group.elect_joined_leader():
        turn.start_timer(JOIN, group.rebalance_timeout_ms(), JoinDeadline(group.group_id))
        return

    group.generation_id += 1
    group.pending_syncs = frozenset()
    group.new_member_added = False
    if not group.members:
        group.protocol_name = None
        group.transition(GroupState.EMPTY, turn.now_ms)
        turn.store_group()
        return

    group.protocol_name = group.select_protocol()
    group.transition(GroupState.COMPLETING_REBALANCE, turn.now_ms)
    group.pending_syncs = frozenset(group.members)
    for member in list(group.members.values()):
        answer_join(turn, member, joined(group, member.member_id))
        turn.update(group.members[member.member_id], is_new=False)
        turn.start_session(member.member_id, member.session_timeout_ms)
    turn.start_timer(SYNC, group.rebalance_timeout_ms(), SyncDeadline(group.group_id, group.generation_id))


def joined(group: Group, member_id: str, *, skip_assignment: bool = False) -> JoinGroupReply:
    """What a member of the current generation is told; the leader also learns who the others are."""
    is_leader = group.leader == member_id
    return JoinGroupReply(
        generation_id=group.generation_id,
        protocol_type=group.protocol_type,
        protocol_name=group.protocol_name,
        leader=group.leader or "",
        member_id=member_id,
        members=group.joined_members() if is_leader else (),
        skip_assignment=skip_assignment,
    )


def answer_join(turn: Turn, member: Member, reply: JoinGroupReply) -> None:
    """Answer the member's join if it waits."""
    if member.awaiting_join:
        turn.complete(JOIN, member.member_id, reply)
        turn.update(member, awaiting_join=False)


def answer_syncs(turn: Turn, error_code: int) -> None:
    """Answer every waiting sync, with the member's assignment or with an error; their sessions start again."""
    group = turn.group
    for member in list(group.members.values()):
        if not member.awaiting_sync:
            continue
        if error_code:
            reply = SyncGroupReply(error_code)
        else:
            reply = SyncGroupReply(0, group.protocol_type, group.protocol_name, member.assignment)
        turn.complete(SYNC, member.member_id, reply)
        turn.update(member, awaiting_sync=False)
        turn.start_session(member.member_id, member.session_timeout_ms)


def remove_member(turn: Turn, member: Member) -> None:
    """Take a member out and tell its waiting clients so; what follows for the group is the caller's."""
    error_code = UnknownMemberIdError.errno
    answer_join(turn, member, JoinGroupReply(error_code, member_id=NO_MEMBER))
    if member.awaiting_sync:
        turn.complete(SYNC, member.member_id, SyncGroupReply(error_code))
    turn.group.remove(member.member_id)


def replace_static_member(turn: Turn, old_member_id: str, new_member_id: str) -> Member:
    """Give a static member's place to the client that came with its instance id; the old client is fenced."""
    group = turn.group
    old = group.members[old_member_id]
    fenced = FencedInstanceIdError.errno
    if old.awaiting_join:
        turn.complete(JOIN, old_member_id, JoinGroupReply(fenced, member_id=old_member_id))
    if old.awaiting_sync:
        turn.complete(SYNC, old_member_id, SyncGroupReply(fenced))
    turn.end_session(old_member_id)
    del group.members[old_member_id]
    group.pending_syncs -= {old_member_id}
    if group.leader == old_member_id:
        group.leader = new_member_id
    new = Member(
        member_id=new_member_id,
        group_instance_id=old.group_instance_id,
        client_id=old.client_id,
        client_host=old.client_host,
        rebalance_timeout_ms=old.rebalance_timeout_ms,
        session_timeout_ms=old.session_timeout_ms,
        protocols=old.protocols,
        assignment=old.assignment,
    )
    group.members[new_member_id] = new
    turn.start_session(new_member_id, new.session_timeout_ms)
    return new
