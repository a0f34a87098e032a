"""StreamsGroupTargetAssignmentMetadataKey (record type 20) and its value: of which epoch the target assignment is.

The timestamp came with Kafka 4.3 (KIP-1263), and spaces assignments.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupTargetAssignmentMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class StreamsGroupTargetAssignmentMetadataValue:
    assignment_epoch: int = wire(INT32)
    assignment_timestamp: int = wire(INT64, default=0, tag=0, tagged="0+", ignorable=True)


KEY = Schema(StreamsGroupTargetAssignmentMetadataKey, versions="0")
VALUE = Schema(StreamsGroupTargetAssignmentMetadataValue, versions="0", flexible="0+")
