"""ShareGroupTargetAssignmentMetadataKey (record type 12) and its value: of which epoch the target assignment is.

Kafka 4.3 added the time of its calculation, from which the interval between two of them counts (KIP-1263).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupTargetAssignmentMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class ShareGroupTargetAssignmentMetadataValue:
    """The timestamp is milliseconds since the epoch."""

    assignment_epoch: int = wire(INT32)
    assignment_timestamp: int = wire(INT64, default=0, tag=0, tagged="0+", ignorable=True)


KEY = Schema(ShareGroupTargetAssignmentMetadataKey, versions="0")
VALUE = Schema(ShareGroupTargetAssignmentMetadataValue, versions="0", flexible="0+")
