"""ShareUpdateKey (record type 1 of ``__share_group_state``) and ShareUpdateValue, version 0 (KIP-932).

An update says what has changed in a share partition since its last snapshot or update; its key has the fields of
ShareSnapshotKey.  The tagged field came with Kafka 4.2 (KIP-1226).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, array, wire
from embedkafka.protocol.internal.share_snapshot import KEY, ShareSnapshotKey, StateBatch
from embedkafka.protocol.schema import Schema

__all__ = ["KEY", "VALUE", "ShareUpdateKey", "ShareUpdateValue", "StateBatch"]

ShareUpdateKey = ShareSnapshotKey  # the same bytes


@dataclass(slots=True)
class ShareUpdateValue:
    """``start_offset`` -1 leaves it as it was."""

    snapshot_epoch: int = wire(INT32)
    leader_epoch: int = wire(INT32)
    start_offset: int = wire(INT64)
    delivery_complete_count: int = wire(INT32, default=-1, tag=0, tagged="0+")
    state_batches: list[StateBatch] = wire(array(StateBatch))


VALUE = Schema(ShareUpdateValue, versions="0", flexible="0+")
