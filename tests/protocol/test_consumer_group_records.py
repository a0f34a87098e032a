"""The records of consumer groups, byte by byte as Kafka 4.3.1 writes them.

The bytes come from Java: ``MessageUtil.toVersionPrefixedByteBuffer`` and ``toCoordinatorTypePrefixedByteBuffer`` over
the classes in ``org.apache.kafka.coordinator.group.generated``.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from embedkafka.coordinator import records
from embedkafka.protocol.internal.consumer_group_current_member_assignment import (
    ConsumerGroupCurrentMemberAssignmentKey,
    ConsumerGroupCurrentMemberAssignmentValue,
    OwnedPartitions,
)
from embedkafka.protocol.internal.consumer_group_member_metadata import (
    ClassicMemberMetadata,
    ClassicProtocol,
    ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.consumer_group_metadata import ConsumerGroupMetadataKey, ConsumerGroupMetadataValue
from embedkafka.protocol.internal.consumer_group_partition_metadata import (
    ConsumerGroupPartitionMetadataKey,
    ConsumerGroupPartitionMetadataValue,
    PartitionRacks,
    TopicMetadata,
)
from embedkafka.protocol.internal.consumer_group_regular_expression import (
    ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_member import (
    ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue,
    TargetPartitions,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_metadata import (
    ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue,
)

TOPIC = UUID(int=(1 << 64) + 2)

KAFKA: list[tuple[str, str, Any]] = [
    (
        "0003000167",
        "000000000007010008fffffffffffffff7",
        records.ConsumerGroupRecord(ConsumerGroupMetadataKey("g"), ConsumerGroupMetadataValue(7, -9)),
    ),
    (
        "0003000167",
        "00000000000700",
        records.ConsumerGroupRecord(ConsumerGroupMetadataKey("g"), ConsumerGroupMetadataValue(7)),
    ),
    (
        "0004000167",
        "000002000000000000000100000000000000020274000000030200000001020272000000",
        records.PartitionMetadataRecord(
            ConsumerGroupPartitionMetadataKey("g"),
            ConsumerGroupPartitionMetadataValue([TopicMetadata(TOPIC, "t", 3, [PartitionRacks(1, ["r"])])]),
        ),
    ),
    (
        "000500016700016d",
        "0000026902720263032f68030274027504782e2a000000050672616e676500",
        records.ConsumerMemberRecord(
            ConsumerGroupMemberMetadataKey("g", "m"),
            ConsumerGroupMemberMetadataValue("i", "r", "c", "/h", ["t", "u"], "x.*", 5, "range"),
        ),
    ),
    (
        "000500016700016d",
        "000000000263032f680202740000000005000100110100000009020672616e67650301020000",
        records.ConsumerMemberRecord(
            ConsumerGroupMemberMetadataKey("g", "m"),
            ConsumerGroupMemberMetadataValue(
                None,
                None,
                "c",
                "/h",
                ["t"],
                None,
                5,
                None,
                ClassicMemberMetadata(9, [ClassicProtocol("range", b"\1\2")]),
            ),
        ),
    ),
    (
        "0006000167",
        "000000000007010008000001a2092890b5",
        records.TargetEpochRecord(
            ConsumerGroupTargetAssignmentMetadataKey("g"),
            ConsumerGroupTargetAssignmentMetadataValue(7, 1795449983157),
        ),
    ),
    (
        "000700016700016d",
        "000002000000000000000100000000000000020300000000000000020000",
        records.TargetRecord(
            ConsumerGroupTargetAssignmentMemberKey("g", "m"),
            ConsumerGroupTargetAssignmentMemberValue([TargetPartitions(TOPIC, [0, 2])]),
        ),
    ),
    (
        "000800016700016d",
        "00000000000700000006010200000000000000010000000000000002030000000000000002010009030000000500000006"
        "020000000000000001000000000000000202000000010000",
        records.CurrentAssignmentRecord(
            ConsumerGroupCurrentMemberAssignmentKey("g", "m"),
            ConsumerGroupCurrentMemberAssignmentValue(
                7, 6, 1, [OwnedPartitions(TOPIC, [0, 2], [5, 6])], [OwnedPartitions(TOPIC, [1])]
            ),
        ),
    ),
    (
        "00100001670003782e2a",
        "0000020378790000000000000003000001a2092890b500",
        records.RegularExpressionRecord(
            ConsumerGroupRegularExpressionKey("g", "x.*"),
            ConsumerGroupRegularExpressionValue(["xy"], 3, 1795449983157),
        ),
    ),
]


@pytest.mark.parametrize(("key", "value", "record"), KAFKA)
def test_a_record_is_written_as_kafka_writes_it(key: str, value: str, record: records.Record) -> None:
    written_key, written_value = records.encode(record)
    assert written_value is not None
    assert (written_key.hex(), written_value.hex()) == (key, value)


@pytest.mark.parametrize(("key", "value", "record"), KAFKA)
def test_a_record_of_kafka_is_read(key: str, value: str, record: records.Record) -> None:
    assert records.decode(bytes.fromhex(key), bytes.fromhex(value)) == record


@pytest.mark.parametrize(("key", "value", "record"), KAFKA)
def test_a_tombstone_of_kafka_is_read(key: str, value: str, record: records.Record) -> None:
    assert records.decode(bytes.fromhex(key), None) == record._replace(value=None)
