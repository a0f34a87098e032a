"""Committed offsets past their retention, and groups that are left without any (KIP-211)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import Decision, GroupChanged
from embedkafka.coordinator.delete import group_tombstones, offset_tombstone
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.state import DurableState
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


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
