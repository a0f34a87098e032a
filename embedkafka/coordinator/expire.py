"""What happens when time runs out: sessions, the phases of a rebalance, committed offsets."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import (
    JOIN,
    Decision,
    GroupChanged,
    InitialDelayOver,
    JoinDeadline,
    SessionExpired,
    SyncDeadline,
)
from embedkafka.coordinator.delete import group_tombstones, offset_tombstone
from embedkafka.coordinator.group import Group, GroupState
from embedkafka.coordinator.rebalance import complete_join, prepare, rebalance_or_complete, remove_member
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.state import DurableState
from embedkafka.coordinator.turn import Turn
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


def expire_session(command: SessionExpired, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Remove a member that was not heard of; one whose client is parked here lives."""
    if group is None:
        return Decision()
    turn = Turn(group, config, now_ms)
    group = turn.group
    member = group.members.get(command.member_id)
    if member is not None and (member.is_new or not (member.awaiting_join or member.awaiting_sync)):
        remove_member(turn, member)
    elif command.member_id in group.pending_members:
        group.remove(command.member_id)
    else:
        return Decision()
    if group.state is GroupState.PREPARING_REBALANCE:
        if group.has_all_joined():
            complete_join(turn)
    elif member is not None:
        rebalance_or_complete(turn)
    return turn.decide()


def end_initial_delay(command: InitialDelayOver, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Wait once more if somebody joined meanwhile, up to the rebalance timeout; else complete the join."""
    if group is None or group.state is not GroupState.PREPARING_REBALANCE:
        return Decision()
    turn = Turn(group, config, now_ms)
    if not group.new_member_added or command.remaining_ms == 0:
        complete_join(turn)
        return turn.decide()
    turn.group.new_member_added = False
    delay_ms = min(config.initial_rebalance_delay_ms, command.remaining_ms)
    remaining_ms = max(command.remaining_ms - command.delay_ms, 0)
    turn.start_timer(JOIN, delay_ms, InitialDelayOver(command.group_id, delay_ms, remaining_ms))
    return turn.decide()


def end_join_phase(command: JoinDeadline, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Complete the join with who is there."""
    if group is None or group.state is not GroupState.PREPARING_REBALANCE:
        return Decision()
    turn = Turn(group, config, now_ms)
    complete_join(turn)
    return turn.decide()


def end_sync_phase(command: SyncDeadline, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Remove members that joined the generation and never fetched their assignment."""
    if group is None or group.generation_id != command.generation_id or not group.pending_syncs:
        return Decision()
    if group.state not in (GroupState.COMPLETING_REBALANCE, GroupState.STABLE):
        return Decision()
    turn = Turn(group, config, now_ms)
    for member_id in group.pending_syncs:
        turn.group.remove(member_id)
        turn.end_session(member_id)
    prepare(turn)
    return turn.decide()


def expire_offsets(groups: Iterable[Group], durable: DurableState, config: GroupConfig, now_ms: int) -> Decision:
    """Delete offsets past their retention, and empty groups that are left without any (KIP-211)."""
    records: list[Record] = []
    events = []
    for group in groups:
        committed = durable.offsets.get(group.group_id, {})
        expired = [
            topic_partition
            for topic_partition, value in committed.items()
            if _is_expired(group, topic_partition.topic, value, config, now_ms)
        ]
        # A member that was told its id is about to join, so its group is not deleted under it.
        if group.state is GroupState.EMPTY and not group.pending_members and len(expired) == len(committed):
            records += group_tombstones(group.group_id, durable)
            events.append(GroupChanged(group.group_id, None))
        else:
            records += [offset_tombstone(group.group_id, topic_partition) for topic_partition in expired]
    return Decision(records=records, events=events)


def _is_expired(group: Group, topic: str, value: OffsetCommitValue, config: GroupConfig, now_ms: int) -> bool:
    """Retention counts from the moment the group became empty; for topics nobody reads any more, and for groups that
    never had members, from the commit.  Other protocol types keep their offsets while they have members."""
    empty = group.state is GroupState.EMPTY
    if group.protocol_type is not None and not empty:
        readable = group.is_consumer_group() and group.state is GroupState.STABLE
        if not readable or group.is_subscribed_to(topic):
            return False
    if value.expire_timestamp != -1:
        return now_ms >= value.expire_timestamp
    since_ms = value.commit_timestamp
    if group.protocol_type is not None and empty and group.state_timestamp_ms != -1:
        since_ms = group.state_timestamp_ms
    return now_ms - since_ms >= config.offsets_retention_ms
