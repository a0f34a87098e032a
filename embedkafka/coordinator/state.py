"""What the log holds: groups at their last stable moment, and committed offsets."""

from __future__ import annotations

from dataclasses import dataclass, field

from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.records import ConsumerGroupRecord, ConsumerRecord, GroupRecord, OffsetRecord, Record
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.group_metadata import GroupMetadataValue
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


@dataclass(slots=True)
class DurableState:
    """Written by :meth:`apply` alone; two of them are equal when they were made by records that say the same."""

    groups: dict[str, GroupMetadataValue] = field(default_factory=dict)  # the classic ones
    consumer_groups: dict[str, ConsumerGroup] = field(default_factory=dict)
    offsets: dict[str, dict[TopicPartition, OffsetCommitValue]] = field(default_factory=dict)

    def apply(self, record: Record) -> None:
        """Take one record in; tombstones of what is not there are ignored."""
        if isinstance(record, OffsetRecord):
            self._apply_offset(record)
        elif not isinstance(record, GroupRecord):
            self._apply_to_consumer_group(record)
        elif record.value is None:
            self.groups.pop(record.key.group, None)
        else:
            self.groups[record.key.group] = record.value

    def _apply_to_consumer_group(self, record: ConsumerRecord) -> None:
        group_id = record.key.group_id
        group = self.consumer_groups.get(group_id)
        if group is None:
            if record.value is None:
                return
            group = self.consumer_groups[group_id] = ConsumerGroup(group_id)
        if isinstance(record, ConsumerGroupRecord) and record.value is None:
            del self.consumer_groups[group_id]
        else:
            group.apply(record)

    def _apply_offset(self, record: OffsetRecord) -> None:
        key = record.key
        topic_partition = TopicPartition(key.topic, key.partition)
        if record.value is not None:
            self.offsets.setdefault(key.group, {})[topic_partition] = record.value
            return
        committed = self.offsets.get(key.group, {})
        committed.pop(topic_partition, None)
        if not committed:
            self.offsets.pop(key.group, None)

    def group_ids(self) -> set[str]:
        """Groups with a record or an offset; one that only ever committed from outside has no record."""
        return self.groups.keys() | self.consumer_groups.keys() | self.offsets.keys()
