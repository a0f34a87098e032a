"""ConsumerGroupMetadataKey (record type 3) and ConsumerGroupMetadataValue: a consumer group's epoch (KIP-848).

The hash stands for the topics that the group reads, with their partitions (KIP-1101, Kafka 4.1): where it does not fit
the topics any more, the group needs a new assignment.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class ConsumerGroupMetadataValue:
    epoch: int = wire(INT32)
    metadata_hash: int = wire(INT64, default=0, tag=0, tagged="0+")


KEY = Schema(ConsumerGroupMetadataKey, versions="0")
VALUE = Schema(ConsumerGroupMetadataValue, versions="0", flexible="0+")
