"""StreamsGroupMetadataKey (record type 17) and its value: a streams group's epoch, and what its assignment hangs on.

The validated topology epoch is that of the topology all of whose topics were found as they have to be, -1 for none.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class LastAssignmentConfig:
    key: str = wire(STRING)
    value: str = wire(STRING)


@dataclass(slots=True)
class StreamsGroupMetadataValue:
    epoch: int = wire(INT32)
    metadata_hash: int = wire(INT64)
    validated_topology_epoch: int = wire(INT32, default=-1, tag=0, tagged="0+")
    last_assignment_configs: list[LastAssignmentConfig] | None = wire(
        array(LastAssignmentConfig), default=None, nullable="0+", tag=1, tagged="0+"
    )


KEY = Schema(StreamsGroupMetadataKey, versions="0")
VALUE = Schema(StreamsGroupMetadataValue, versions="0", flexible="0+")
