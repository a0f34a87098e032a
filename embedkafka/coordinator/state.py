"""What the log holds: groups at their last stable moment, offsets, and those that a transaction may commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.records import ConsumerGroupRecord, GroupRecord, OffsetRecord, Record
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.records import ShareGroupRecord, ShareRecord
from embedkafka.coordinator.streams.group import StreamsGroup
from embedkafka.coordinator.streams.records import StreamsGroupRecord, StreamsRecord
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.group_metadata import GroupMetadataValue
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


@dataclass(slots=True)
class DurableState:
    """Written by :meth:`apply` alone; two of them are equal when they were made by records that say the same."""

    groups: dict[str, GroupMetadataValue] = field(default_factory=dict)  # the classic ones
    consumer_groups: dict[str, ConsumerGroup] = field(default_factory=dict)
    share_groups: dict[str, ShareGroup] = field(default_factory=dict)
    streams_groups: dict[str, StreamsGroup] = field(default_factory=dict)
    offsets: dict[str, dict[TopicPartition, OffsetCommitValue]] = field(default_factory=dict)
    pending: dict[str, dict[TopicPartition, dict[int, OffsetCommitValue | None]]] = field(default_factory=dict)
    """By producer id, in the order of the log; None where a later commit has taken the place of the value."""

    def apply(self, record: Record, producer_id: int = -1) -> None:
        """Take one record in; tombstones of what is not there are ignored.

        Args:
            producer_id: of the transaction that the record belongs to; -1 where it belongs to none.
        """
        if isinstance(record, OffsetRecord):
            self._apply_offset(record, producer_id)
        elif isinstance(record, ShareRecord):
            _apply_to(self.share_groups, ShareGroup, record, ends=isinstance(record, ShareGroupRecord))
        elif isinstance(record, StreamsRecord):
            _apply_to(self.streams_groups, StreamsGroup, record, ends=isinstance(record, StreamsGroupRecord))
        elif not isinstance(record, GroupRecord):
            _apply_to(self.consumer_groups, ConsumerGroup, record, ends=isinstance(record, ConsumerGroupRecord))
        elif record.value is None:
            self.groups.pop(record.key.group, None)
        else:
            self.groups[record.key.group] = record.value

    def apply_marker(self, producer_id: int, *, commit: bool) -> None:
        """Let a transaction's end take effect: what it has pending counts, or is forgotten."""
        for group_id in list(self.pending):
            for topic_partition, by_producer in list(self.pending[group_id].items()):
                if producer_id not in by_producer:
                    continue
                value = by_producer[producer_id]
                if commit and value is not None:
                    self.offsets.setdefault(group_id, {})[topic_partition] = value
                    for earlier in by_producer:
                        if earlier == producer_id:
                            break
                        by_producer[earlier] = None
                del by_producer[producer_id]
                if not by_producer:
                    self._forget_pending(group_id, topic_partition)

    def _apply_offset(self, record: OffsetRecord, producer_id: int) -> None:
        key = record.key
        topic_partition = TopicPartition(key.topic, key.partition)
        if record.value is None:
            committed = self.offsets.get(key.group, {})
            committed.pop(topic_partition, None)
            if not committed:
                self.offsets.pop(key.group, None)
            self._forget_pending(key.group, topic_partition)
        elif producer_id < 0:
            self.offsets.setdefault(key.group, {})[topic_partition] = record.value
            for earlier in self.pending.get(key.group, {}).get(topic_partition, {}):
                self.pending[key.group][topic_partition][earlier] = None
        else:
            by_producer = self.pending.setdefault(key.group, {}).setdefault(topic_partition, {})
            by_producer.pop(producer_id, None)  # so that it stands last
            by_producer[producer_id] = record.value

    def _forget_pending(self, group_id: str, topic_partition: TopicPartition) -> None:
        pending = self.pending.get(group_id, {})
        pending.pop(topic_partition, None)
        if not pending:
            self.pending.pop(group_id, None)

    def offset_partitions(self, group_id: str) -> set[TopicPartition]:
        """Partitions with an offset that is committed or pending."""
        return self.offsets.get(group_id, {}).keys() | self.pending.get(group_id, {}).keys()

    def group_ids(self) -> set[str]:
        """Groups with a record or an offset; one that only ever committed from outside has no record."""
        ids = self.groups.keys() | self.consumer_groups.keys() | self.share_groups.keys() | self.streams_groups.keys()
        return ids | self.offsets.keys() | self.pending.keys()

    def has_record_of(self, group_id: str) -> bool:
        """Whether the group is more than offsets that were committed from outside."""
        of_any_type = (self.groups, self.consumer_groups, self.share_groups, self.streams_groups)
        return any(group_id in groups for groups in of_any_type)


def _apply_to(groups: dict[str, Any], new_group: Callable[[str], Any], record: Any, *, ends: bool) -> None:
    """Take a record of a group in; a tombstone ``ends`` the group where its key is the group's own."""
    group_id = record.key.group_id
    group = groups.get(group_id)
    if group is None:
        if record.value is None:
            return
        group = groups[group_id] = new_group(group_id)
    if ends and record.value is None:
        del groups[group_id]
    else:
        group.apply(record)
