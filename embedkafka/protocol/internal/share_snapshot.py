"""ShareSnapshotKey (record type 0 of ``__share_group_state``) and ShareSnapshotValue, version 0 (KIP-932).

A snapshot is the whole state of a share partition; the updates after it change it.  The tagged field came with Kafka
4.2 (KIP-1226).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.fields import INT8, INT16, INT32, INT64, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareSnapshotKey:
    group_id: str = wire(STRING)
    topic_id: UuidValue = wire(UUID)
    partition: int = wire(INT32)


@dataclass(slots=True)
class StateBatch:
    first_offset: int = wire(INT64)
    last_offset: int = wire(INT64)
    delivery_state: int = wire(INT8)
    delivery_count: int = wire(INT16)


@dataclass(slots=True)
class ShareSnapshotValue:
    """Times are milliseconds since the epoch."""

    snapshot_epoch: int = wire(INT32)
    state_epoch: int = wire(INT32)
    leader_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)
    delivery_complete_count: int = wire(INT32, default=-1, tag=0, tagged="0+")
    create_timestamp: int = wire(INT64)
    write_timestamp: int = wire(INT64)
    state_batches: list[StateBatch] = wire(array(StateBatch))


KEY = Schema(ShareSnapshotKey, versions="0")
VALUE = Schema(ShareSnapshotValue, versions="0", flexible="0+")
