"""OffsetCommitKey (record types 0 and 1) and OffsetCommitValue, versions 0 to 4.

Version 1 has an expiry of its own per offset, which later versions left to the group (KIP-211); 3 added the leader
epoch (KIP-320); 4 is flexible and adds the topic's id as a tagged field.  Kafka 4.3 writes 4, or 1 where an expiry is
given.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT32, INT64, STRING, UUID, ZERO_UUID, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class OffsetCommitKey:
    group: str = wire(STRING)
    topic: str = wire(STRING)
    partition: int = wire(INT32)


@dataclass(slots=True)
class OffsetCommitValue:
    """Times are milliseconds since the epoch."""

    offset: int = wire(INT64)
    leader_epoch: int = wire(INT32, "3+", default=-1, ignorable=True)
    metadata: str = wire(STRING)
    commit_timestamp: int = wire(INT64)
    expire_timestamp: int = wire(INT64, "1", default=-1, ignorable=True)
    topic_id: UuidValue = wire(UUID, "4+", default=ZERO_UUID, tag=0, tagged="4+", ignorable=True)


KEY = Schema(OffsetCommitKey, versions="0-1")  # both types have the same bytes
VALUE = Schema(OffsetCommitValue, versions="0-4", flexible="4+")
