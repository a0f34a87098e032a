"""Durable changes as values, and their bytes in ``__consumer_offsets``.

A record is a key and a value, or a key and None (a tombstone).  Values are Kafka's own schemas
(:mod:`embedkafka.protocol.internal`), in the versions that Kafka 4.3 writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from embedkafka.coordinator.share.records import (
    ShareAssignmentRecord,
    ShareGroupRecord,
    ShareMemberRecord,
    ShareRecord,
    ShareStatesRecord,
    ShareTargetEpochRecord,
    ShareTargetRecord,
)
from embedkafka.coordinator.streams.records import (
    StreamsAssignmentRecord,
    StreamsGroupRecord,
    StreamsMemberRecord,
    StreamsRecord,
    StreamsTargetEpochRecord,
    StreamsTargetRecord,
    StreamsTopologyRecord,
)
from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.internal import (
    consumer_group_current_member_assignment,
    consumer_group_member_metadata,
    consumer_group_metadata,
    consumer_group_partition_metadata,
    consumer_group_regular_expression,
    consumer_group_target_assignment_member,
    consumer_group_target_assignment_metadata,
    group_metadata,
    offset_commit,
    share_group_current_member_assignment,
    share_group_member_metadata,
    share_group_metadata,
    share_group_state_partition_metadata,
    share_group_target_assignment_member,
    share_group_target_assignment_metadata,
    streams_group_current_member_assignment,
    streams_group_member_metadata,
    streams_group_metadata,
    streams_group_target_assignment_member,
    streams_group_target_assignment_metadata,
    streams_group_topology,
)
from embedkafka.protocol.internal.consumer_group_current_member_assignment import (
    ConsumerGroupCurrentMemberAssignmentKey,
    ConsumerGroupCurrentMemberAssignmentValue,
)
from embedkafka.protocol.internal.consumer_group_member_metadata import (
    ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.consumer_group_metadata import ConsumerGroupMetadataKey, ConsumerGroupMetadataValue
from embedkafka.protocol.internal.consumer_group_partition_metadata import (
    ConsumerGroupPartitionMetadataKey,
    ConsumerGroupPartitionMetadataValue,
)
from embedkafka.protocol.internal.consumer_group_regular_expression import (
    ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_member import (
    ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_metadata import (
    ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue,
)
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey, GroupMetadataValue
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue
from embedkafka.protocol.schema import Schema


class OffsetRecord(NamedTuple):
    """A committed offset, or with None its deletion."""

    key: OffsetCommitKey
    value: OffsetCommitValue | None


class GroupRecord(NamedTuple):
    """A classic group at a stable moment, or with None its deletion."""

    key: GroupMetadataKey
    value: GroupMetadataValue | None


class ConsumerGroupRecord(NamedTuple):
    """A consumer group's epoch, or with None the group's deletion."""

    key: ConsumerGroupMetadataKey
    value: ConsumerGroupMetadataValue | None


class PartitionMetadataRecord(NamedTuple):
    """What Kafka 4.0 kept of a consumer group's topics; never written here but to delete it."""

    key: ConsumerGroupPartitionMetadataKey
    value: ConsumerGroupPartitionMetadataValue | None


class ConsumerMemberRecord(NamedTuple):
    """A consumer group's member, or with None its end."""

    key: ConsumerGroupMemberMetadataKey
    value: ConsumerGroupMemberMetadataValue | None


class TargetEpochRecord(NamedTuple):
    """Of which epoch a consumer group's target assignment is."""

    key: ConsumerGroupTargetAssignmentMetadataKey
    value: ConsumerGroupTargetAssignmentMetadataValue | None


class TargetRecord(NamedTuple):
    """What a member of a consumer group shall come to own."""

    key: ConsumerGroupTargetAssignmentMemberKey
    value: ConsumerGroupTargetAssignmentMemberValue | None


class CurrentAssignmentRecord(NamedTuple):
    """What a member of a consumer group owns, and its epoch."""

    key: ConsumerGroupCurrentMemberAssignmentKey
    value: ConsumerGroupCurrentMemberAssignmentValue | None


class RegularExpressionRecord(NamedTuple):
    """The topics that a consumer group's regular expression stands for."""

    key: ConsumerGroupRegularExpressionKey
    value: ConsumerGroupRegularExpressionValue | None


ConsumerRecord = (
    ConsumerGroupRecord
    | PartitionMetadataRecord
    | ConsumerMemberRecord
    | TargetEpochRecord
    | TargetRecord
    | CurrentAssignmentRecord
    | RegularExpressionRecord
)
"""What a consumer group consists of; every key has a ``group_id``."""

Record = OffsetRecord | GroupRecord | ConsumerRecord | ShareRecord | StreamsRecord


class _Type(NamedTuple):
    """How a record's class is written: the number in front of its key, the schemas, the version of the value."""

    number: int
    record: Callable[[Any, Any], Record]
    key: Schema[Any]
    value: Schema[Any]
    version: Callable[[Any], int] = lambda value: 0


def _offset_version(value: OffsetCommitValue) -> int:
    return 1 if value.expire_timestamp != -1 else 4  # an expiry of its own is a field of version 1 alone


_TYPES = (
    _Type(1, OffsetRecord, offset_commit.KEY, offset_commit.VALUE, _offset_version),
    _Type(2, GroupRecord, group_metadata.KEY, group_metadata.VALUE, lambda value: 3),
    _Type(3, ConsumerGroupRecord, consumer_group_metadata.KEY, consumer_group_metadata.VALUE),
    _Type(4, PartitionMetadataRecord, consumer_group_partition_metadata.KEY, consumer_group_partition_metadata.VALUE),
    _Type(5, ConsumerMemberRecord, consumer_group_member_metadata.KEY, consumer_group_member_metadata.VALUE),
    _Type(
        6,
        TargetEpochRecord,
        consumer_group_target_assignment_metadata.KEY,
        consumer_group_target_assignment_metadata.VALUE,
    ),
    _Type(7, TargetRecord, consumer_group_target_assignment_member.KEY, consumer_group_target_assignment_member.VALUE),
    _Type(
        8,
        CurrentAssignmentRecord,
        consumer_group_current_member_assignment.KEY,
        consumer_group_current_member_assignment.VALUE,
    ),
    _Type(10, ShareMemberRecord, share_group_member_metadata.KEY, share_group_member_metadata.VALUE),
    _Type(11, ShareGroupRecord, share_group_metadata.KEY, share_group_metadata.VALUE),
    _Type(
        12,
        ShareTargetEpochRecord,
        share_group_target_assignment_metadata.KEY,
        share_group_target_assignment_metadata.VALUE,
    ),
    _Type(13, ShareTargetRecord, share_group_target_assignment_member.KEY, share_group_target_assignment_member.VALUE),
    _Type(
        14,
        ShareAssignmentRecord,
        share_group_current_member_assignment.KEY,
        share_group_current_member_assignment.VALUE,
    ),
    _Type(
        15,
        ShareStatesRecord,
        share_group_state_partition_metadata.KEY,
        share_group_state_partition_metadata.VALUE,
    ),
    _Type(16, RegularExpressionRecord, consumer_group_regular_expression.KEY, consumer_group_regular_expression.VALUE),
    _Type(17, StreamsGroupRecord, streams_group_metadata.KEY, streams_group_metadata.VALUE),
    _Type(19, StreamsMemberRecord, streams_group_member_metadata.KEY, streams_group_member_metadata.VALUE),
    _Type(
        20,
        StreamsTargetEpochRecord,
        streams_group_target_assignment_metadata.KEY,
        streams_group_target_assignment_metadata.VALUE,
    ),
    _Type(
        21,
        StreamsTargetRecord,
        streams_group_target_assignment_member.KEY,
        streams_group_target_assignment_member.VALUE,
    ),
    _Type(
        22,
        StreamsAssignmentRecord,
        streams_group_current_member_assignment.KEY,
        streams_group_current_member_assignment.VALUE,
    ),
    _Type(23, StreamsTopologyRecord, streams_group_topology.KEY, streams_group_topology.VALUE),
)
_BY_RECORD = {each.record: each for each in _TYPES}
_BY_NUMBER = {each.number: each for each in _TYPES}
_BY_NUMBER[0] = _BY_NUMBER[1]  # written before Kafka 0.9, with the same bytes


def encode(record: Record) -> tuple[bytes, bytes | None]:
    """A record's key and value as Kafka 4.3 writes them."""
    kind = _BY_RECORD[type(record)]
    key = kind.number.to_bytes(2, "big") + kind.key.encode_bytes(record.key, _key_version(kind))
    if record.value is None:
        return key, None
    version = kind.version(record.value)
    return key, version.to_bytes(2, "big") + kind.value.encode_bytes(record.value, version)


def decode(key: bytes | memoryview, value: bytes | memoryview | None) -> Record | None:
    """The record in these bytes; None for a record type that this coordinator does not have.

    Raises:
        KafkaProtocolError: a known type whose bytes are damaged or of a newer version.
    """
    if len(key) < 2:
        raise KafkaProtocolError(f"a key of {len(key)} bytes in __consumer_offsets has no type")
    kind = _BY_NUMBER.get(int.from_bytes(key[:2], "big", signed=True))
    if kind is None:
        return None
    decoded_key = kind.key.decode_whole(key, _key_version(kind), 2)
    if value is None:
        return kind.record(decoded_key, None)
    if len(value) < 2:
        raise KafkaProtocolError(f"a value of {len(value)} bytes in __consumer_offsets has no version")
    version = int.from_bytes(value[:2], "big", signed=True)
    return kind.record(decoded_key, kind.value.decode_whole(value, version, 2))


def _key_version(kind: _Type) -> int:
    """Kafka numbered the versions of the first keys on with their types; since KIP-848 every key starts at 0."""
    return min(kind.number, kind.key.versions.highest)
