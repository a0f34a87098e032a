"""Durable changes as values, and their bytes in ``__consumer_offsets``.

A record is a key and a value, or a key and None (a tombstone).  Values are Kafka's own schemas
(:mod:`embedkafka.protocol.internal`), in the versions that Kafka 4.3 writes.
"""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.internal import group_metadata, offset_commit
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey, GroupMetadataValue
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue

_OFFSET_COMMIT_TYPES = (0, 1)  # 0 was written before Kafka 0.9, with the same bytes
_GROUP_METADATA_TYPE = 2
_GROUP_METADATA_VERSION = 3
_OFFSET_COMMIT_VERSION = 4
_EXPIRING_OFFSET_COMMIT_VERSION = 1


class OffsetRecord(NamedTuple):
    """A committed offset, or with None its deletion."""

    key: OffsetCommitKey
    value: OffsetCommitValue | None


class GroupRecord(NamedTuple):
    """A group at a stable moment, or with None its deletion."""

    key: GroupMetadataKey
    value: GroupMetadataValue | None


Record = OffsetRecord | GroupRecord


def encode(record: Record) -> tuple[bytes, bytes | None]:
    """A record's key and value as Kafka 4.3 writes them."""
    if isinstance(record, OffsetRecord):
        key = b"\x00\x01" + offset_commit.KEY.encode_bytes(record.key, 1)
        if record.value is None:
            return key, None
        expires = record.value.expire_timestamp != -1
        version = _EXPIRING_OFFSET_COMMIT_VERSION if expires else _OFFSET_COMMIT_VERSION
        return key, version.to_bytes(2, "big") + offset_commit.VALUE.encode_bytes(record.value, version)
    key = b"\x00\x02" + group_metadata.KEY.encode_bytes(record.key, _GROUP_METADATA_TYPE)
    if record.value is None:
        return key, None
    version = _GROUP_METADATA_VERSION
    return key, version.to_bytes(2, "big") + group_metadata.VALUE.encode_bytes(record.value, version)


def decode(key: bytes | memoryview, value: bytes | memoryview | None) -> Record | None:
    """The record in these bytes; None for a record type that this coordinator does not have.

    Raises:
        KafkaProtocolError: a known type whose bytes are damaged or of a newer version.
    """
    if len(key) < 2:
        raise KafkaProtocolError(f"a key of {len(key)} bytes in __consumer_offsets has no type")
    record_type = int.from_bytes(key[:2], "big", signed=True)
    if record_type in _OFFSET_COMMIT_TYPES:
        offset_key = offset_commit.KEY.decode_whole(key, 1, 2)
        if value is None:
            return OffsetRecord(offset_key, None)
        return OffsetRecord(offset_key, offset_commit.VALUE.decode_whole(value, _version(value), 2))
    if record_type == _GROUP_METADATA_TYPE:
        group_key = group_metadata.KEY.decode_whole(key, _GROUP_METADATA_TYPE, 2)
        if value is None:
            return GroupRecord(group_key, None)
        return GroupRecord(group_key, group_metadata.VALUE.decode_whole(value, _version(value), 2))
    return None


def _version(value: bytes | memoryview) -> int:
    if len(value) < 2:
        raise KafkaProtocolError(f"a value of {len(value)} bytes in __consumer_offsets has no version")
    return int.from_bytes(value[:2], "big", signed=True)
