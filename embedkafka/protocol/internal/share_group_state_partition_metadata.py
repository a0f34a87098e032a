"""ShareGroupStatePartitionMetadataKey (record type 15) and its value: of which partitions a share group has a state.

The state itself is the share coordinator's, in ``__share_group_state``.  What is on its way there (initializing) or
from there (deleting) stands here, so that a crash in between is made good.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupStatePartitionMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class TopicPartitionsInfo:
    topic_id: UuidValue = wire(UUID)
    topic_name: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class TopicInfo:
    topic_id: UuidValue = wire(UUID)
    topic_name: str = wire(STRING)


@dataclass(slots=True)
class ShareGroupStatePartitionMetadataValue:
    initializing_topics: list[TopicPartitionsInfo] = wire(array(TopicPartitionsInfo))
    initialized_topics: list[TopicPartitionsInfo] = wire(array(TopicPartitionsInfo))
    deleting_topics: list[TopicInfo] = wire(array(TopicInfo))


KEY = Schema(ShareGroupStatePartitionMetadataKey, versions="0")
VALUE = Schema(ShareGroupStatePartitionMetadataValue, versions="0", flexible="0+")
