"""Durable changes as values, and their bytes in ``__share_group_state``.

A key begins with an int16, the record's type: 0 a snapshot, 1 an update; a value begins with the int16 version of its
schema.  A snapshot's key without a value forgets the share partition.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from embedkafka.coordinator.share_state.api import StateBatch
from embedkafka.coordinator.share_state.state import SharePartitionKey, Snapshot, Update
from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.internal import share_snapshot, share_update

_SNAPSHOT = 0
_UPDATE = 1
_VERSION = 0
_VERSION_BYTES = _VERSION.to_bytes(2, "big")


class ShareStateRecord(NamedTuple):
    """A share partition's snapshot or update; None: it is forgotten."""

    key: SharePartitionKey
    change: Snapshot | Update | None


def encode(record: ShareStateRecord) -> tuple[bytes, bytes | None]:
    """A record's key and value as Kafka 4.3 writes them."""
    change = record.change
    key = _encode_key(record.key)
    if isinstance(change, Update):
        return _UPDATE.to_bytes(2, "big") + key, _VERSION_BYTES + _encode_update(change)
    key = _SNAPSHOT.to_bytes(2, "big") + key
    return key, None if change is None else _VERSION_BYTES + _encode_snapshot(change)


def decode(key: bytes | memoryview, value: bytes | memoryview | None) -> ShareStateRecord | None:
    """The record in these bytes; None for a record type that this coordinator does not have.

    Raises:
        KafkaProtocolError: a known type whose bytes are damaged or of a newer version.
    """
    if len(key) < 2:
        raise KafkaProtocolError(f"a key of {len(key)} bytes in __share_group_state has no type")
    record_type = int.from_bytes(key[:2], "big", signed=True)
    if record_type not in (_SNAPSHOT, _UPDATE):
        return None
    decoded = share_snapshot.KEY.decode_whole(key, _VERSION, 2)
    partition = SharePartitionKey(decoded.group_id, decoded.topic_id, decoded.partition)
    if value is None:
        return ShareStateRecord(partition, None)
    if len(value) < 2:
        raise KafkaProtocolError(f"a value of {len(value)} bytes in __share_group_state has no version")
    version = int.from_bytes(value[:2], "big", signed=True)
    if record_type == _UPDATE:
        return ShareStateRecord(partition, _to_update(share_update.VALUE.decode_whole(value, version, 2)))
    return ShareStateRecord(partition, _to_snapshot(share_snapshot.VALUE.decode_whole(value, version, 2)))


@lru_cache(maxsize=1_024)  # every commit of a share group has one of its few
def _encode_key(key: SharePartitionKey) -> bytes:
    return share_snapshot.KEY.encode_bytes(share_snapshot.ShareSnapshotKey(*key), _VERSION)


def _encode_snapshot(change: Snapshot) -> bytes:
    value = share_snapshot.ShareSnapshotValue(
        snapshot_epoch=change.snapshot_epoch,
        state_epoch=change.state_epoch,
        leader_epoch=change.leader_epoch,
        start_offset=change.start_offset,
        delivery_complete_count=change.delivery_complete_count,
        create_timestamp=change.created_ms,
        write_timestamp=change.written_ms,
        state_batches=[share_snapshot.StateBatch(*batch) for batch in change.batches],
    )
    return share_snapshot.VALUE.encode_bytes(value, _VERSION)


def _encode_update(change: Update) -> bytes:
    value = share_update.ShareUpdateValue(
        snapshot_epoch=change.snapshot_epoch,
        leader_epoch=change.leader_epoch,
        start_offset=change.start_offset,
        delivery_complete_count=change.delivery_complete_count,
        state_batches=[share_update.StateBatch(*batch) for batch in change.batches],
    )
    return share_update.VALUE.encode_bytes(value, _VERSION)


def _to_snapshot(value: share_snapshot.ShareSnapshotValue) -> Snapshot:
    return Snapshot(
        value.snapshot_epoch,
        value.state_epoch,
        value.leader_epoch,
        value.start_offset,
        value.delivery_complete_count,
        value.create_timestamp,
        value.write_timestamp,
        _to_batches(value.state_batches),
    )


def _to_update(value: share_update.ShareUpdateValue) -> Update:
    return Update(
        value.snapshot_epoch,
        value.leader_epoch,
        value.start_offset,
        value.delivery_complete_count,
        _to_batches(value.state_batches),
    )


def _to_batches(batches: list[share_snapshot.StateBatch]) -> list[StateBatch]:
    return [
        StateBatch(batch.first_offset, batch.last_offset, batch.delivery_state, batch.delivery_count)
        for batch in batches
    ]
