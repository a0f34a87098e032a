"""ConsumerGroupPartitionMetadataKey (record type 4) and its value: the topics a consumer group read, in Kafka 4.0.

Since Kafka 4.1 the hash in ConsumerGroupMetadataValue stands in its place; what 4.0 wrote is only read past, and
deleted with its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT32, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupPartitionMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class PartitionRacks:
    partition: int = wire(INT32)
    racks: list[str] = wire(array(STRING))


@dataclass(slots=True)
class TopicMetadata:
    topic_id: UuidValue = wire(UUID)
    topic_name: str = wire(STRING)
    num_partitions: int = wire(INT32)
    partition_metadata: list[PartitionRacks] = wire(array(PartitionRacks))


@dataclass(slots=True)
class ConsumerGroupPartitionMetadataValue:
    topics: list[TopicMetadata] = wire(array(TopicMetadata))


KEY = Schema(ConsumerGroupPartitionMetadataKey, versions="0")
VALUE = Schema(ConsumerGroupPartitionMetadataValue, versions="0", flexible="0+")
