"""Committed offsets past their retention, and groups that are left without any (KIP-211)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import Decision, GroupChanged
from embedkafka.coordinator.delete import group_tombstones, offset_tombstone
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.state import DurableState
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


def expire_offsets(groups: Iterable[AnyGroup], durable: DurableState, config: GroupConfig, now_ms: int) -> Decision:
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
        is_empty = len(expired) == len(committed) and group.group_id not in durable.pending
        if group.is_abandoned and is_empty:
            records += group_tombstones(group, durable)
            events.append(GroupChanged(group.group_id, None))
        else:
            records += [offset_tombstone(group.group_id, topic_partition) for topic_partition in expired]
    return Decision(records=records, events=events)


def _is_expired(group: AnyGroup, topic: str, value: OffsetCommitValue, config: GroupConfig, now_ms: int) -> bool:
    since_ms = group.retention_start_ms(topic, value)
    if since_ms is None:
        return False
    if value.expire_timestamp != -1:
        return now_ms >= value.expire_timestamp
    return now_ms - since_ms >= config.offsets_retention_ms
