"""The messages' bytes are those of Apache Kafka 4.3.1's Java classes.

The hexadecimal vectors are what ``MessageUtil.toCoordinatorTypePrefixedByteBuffer`` and
``toVersionPrefixedByteBuffer`` (for the records), ``ConsumerProtocol.serializeSubscription`` and
``serializeAssignment``, and ``StickyAssignor.subscriptionUserData`` of the jars kafka-clients and
kafka-group-coordinator 4.3.1 gave for these values.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator import records
from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.assignment import (
    ConsumerProtocolAssignment,
    decode_assignment,
    encode_assignment,
)
from embedkafka.protocol.consumer.sticky_user_data import (
    StickyUserData,
    decode_sticky_user_data,
    encode_sticky_user_data,
)
from embedkafka.protocol.consumer.subscription import (
    ConsumerProtocolSubscription,
    decode_subscription,
    encode_subscription,
)
from embedkafka.protocol.consumer.topic_partitions import TopicPartitions
from embedkafka.protocol.internal import group_metadata, offset_commit
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey, GroupMetadataValue, MemberMetadata
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue

OFFSET_KEY = "00010001670005746f70696300000007"
OFFSET_VALUES = [
    "00000000011f71fb04cb00037768790000018bcfe56800",
    "00010000011f71fb04cb00037768790000018bcfe568000000018bcfe56801",
    "00020000011f71fb04cb00037768790000018bcfe56800",
    "00030000011f71fb04cb0000000500037768790000018bcfe56800",
    "00040000011f71fb04cb00000005047768790000018bcfe568000100100123456789abcdef7edcba9876543210",
]
GROUP_KEY = "0002000167"
GROUP_VALUES = [
    "00000008636f6e73756d657200000003000572616e676500016d0000000100016d000163000a2f3132372e302e302e31000027100000000201"
    "020000000103",
    "00010008636f6e73756d657200000003000572616e676500016d0000000100016d000163000a2f3132372e302e302e310000ea600000271000"
    "00000201020000000103",
    "00020008636f6e73756d657200000003000572616e676500016d0000018bcfe568000000000100016d000163000a2f3132372e302e302e3100"
    "00ea60000027100000000201020000000103",
    "00030008636f6e73756d657200000003000572616e676500016d0000018bcfe568000000000100016d000169000163000a2f3132372e302e30"
    "2e310000ea60000027100000000201020000000103",
    "000409636f6e73756d6572000000030672616e6765026d0000018bcfe5680002026d026902630b2f3132372e302e302e310000ea6000002710"
    "03010202030000",
]
NEW_GROUP_VALUE = "0003000000000000ffffffff0000018bcfe5680000000000"
SUBSCRIPTIONS = [
    "0000000000020001610001620000000109",
    "000100000002000161000162000000010900000001000161000000020000000000000001",
    "00020000000200016100016200000001090000000100016100000002000000000000000100000004",
    "00030000000200016100016200000001090000000100016100000002000000000000000100000004000172",
]
ASSIGNMENT = "{:04x}0000000200016100000001000000010001620000000100000000ffffffff"
STICKY_USER_DATA = "0000000100016100000002000000000000000200000006"

KEY = OffsetCommitKey("g", "topic", 7)
TOPIC_ID = UUID("01234567-89ab-cdef-7edc-ba9876543210")


def offset_value(version: int) -> OffsetCommitValue:
    return OffsetCommitValue(
        offset=1234567890123,
        leader_epoch=5 if version >= 3 else -1,
        metadata="why",
        commit_timestamp=1_700_000_000_000,
        expire_timestamp=1_700_000_000_001 if version == 1 else -1,
        topic_id=TOPIC_ID if version >= 4 else UUID(int=0),
    )


def group_value(version: int) -> GroupMetadataValue:
    member = MemberMetadata(
        "m", "i" if version >= 3 else None, "c", "/127.0.0.1", 60_000 if version else -1, 10_000, b"\1\2", b"\3"
    )
    since_ms = 1_700_000_000_000 if version >= 2 else -1
    return GroupMetadataValue("consumer", 3, "range", "m", since_ms, [member])


@pytest.mark.parametrize("version", range(5))
def test_a_committed_offset_of_every_version_is_read_and_written_as_kafka_does(version: int) -> None:
    expected = bytes.fromhex(OFFSET_VALUES[version])
    assert records.decode(bytes.fromhex(OFFSET_KEY), expected) == records.OffsetRecord(KEY, offset_value(version))
    assert expected[:2] + offset_commit.VALUE.encode_bytes(offset_value(version), version) == expected


@pytest.mark.parametrize("version", range(5))
def test_a_group_of_every_version_is_read_and_written_as_kafka_does(version: int) -> None:
    expected = bytes.fromhex(GROUP_VALUES[version])
    record = records.GroupRecord(GroupMetadataKey("g"), group_value(version))
    assert records.decode(bytes.fromhex(GROUP_KEY), expected) == record
    assert expected[:2] + group_metadata.VALUE.encode_bytes(group_value(version), version) == expected


def test_records_are_written_in_the_versions_that_kafka_writes() -> None:
    assert records.encode(records.OffsetRecord(KEY, offset_value(4)))[1] == bytes.fromhex(OFFSET_VALUES[4])
    assert records.encode(records.OffsetRecord(KEY, offset_value(1)))[1] == bytes.fromhex(OFFSET_VALUES[1])
    group = records.GroupRecord(GroupMetadataKey("g"), group_value(3))
    assert records.encode(group) == (bytes.fromhex(GROUP_KEY), bytes.fromhex(GROUP_VALUES[3]))


def test_a_new_group_is_written_as_kafka_does() -> None:
    value = GroupMetadataValue("", 0, None, None, 1_700_000_000_000, [])
    assert records.encode(records.GroupRecord(GroupMetadataKey("g"), value))[1] == bytes.fromhex(NEW_GROUP_VALUE)


def test_a_tombstone_has_no_value() -> None:
    assert records.encode(records.OffsetRecord(KEY, None)) == (bytes.fromhex(OFFSET_KEY), None)
    assert records.decode(bytes.fromhex(OFFSET_KEY), None) == records.OffsetRecord(KEY, None)


def test_offsets_of_kafka_before_0_9_are_read() -> None:
    record = records.decode(bytes.fromhex("0000" + OFFSET_KEY[4:]), bytes.fromhex(OFFSET_VALUES[0]))
    assert record == records.OffsetRecord(KEY, offset_value(0))


@pytest.mark.parametrize("number", [9, 18, 24])
def test_record_types_of_other_releases_are_passed_over(number: int) -> None:
    assert records.decode(number.to_bytes(2, "big") + b"anything", b"") is None


@pytest.mark.parametrize("key", [b"", b"\0", b"\0\1\0\1", bytes.fromhex(OFFSET_KEY) + b"!"])
def test_a_damaged_key_is_refused(key: bytes) -> None:
    with pytest.raises(KafkaProtocolError):
        records.decode(key, None)


@pytest.mark.parametrize("value", [b"", b"\0", bytes.fromhex(OFFSET_VALUES[4])[:-1]])
def test_a_damaged_value_is_refused(value: bytes) -> None:
    with pytest.raises(KafkaProtocolError):
        records.decode(bytes.fromhex(OFFSET_KEY), value)


def test_a_value_of_a_later_version_is_refused() -> None:
    with pytest.raises(UnsupportedVersionError):
        records.decode(bytes.fromhex(OFFSET_KEY), b"\0\5")


@pytest.mark.parametrize("version", range(4))
def test_a_subscription_of_every_version_has_javas_bytes(version: int) -> None:
    subscription = ConsumerProtocolSubscription(
        version,
        ["a", "b"],
        b"\x09",
        [TopicPartitions("a", [0, 1])] if version >= 1 else [],
        4 if version >= 2 else -1,
        "r" if version >= 3 else None,
    )
    assert encode_subscription(subscription).hex() == SUBSCRIPTIONS[version]
    assert decode_subscription(bytes.fromhex(SUBSCRIPTIONS[version])) == subscription


def test_a_subscription_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    later = b"\0\x09" + bytes.fromhex(SUBSCRIPTIONS[3])[2:] + b"something new"
    assert decode_subscription(later).rack_id == "r"


def test_a_subscription_tells_which_partitions_are_owned() -> None:
    owned = decode_subscription(bytes.fromhex(SUBSCRIPTIONS[1])).owned()
    assert owned == [TopicPartition("a", 0), TopicPartition("a", 1)]


@pytest.mark.parametrize("version", range(4))
def test_an_assignment_of_every_version_has_javas_bytes(version: int) -> None:
    assignment = ConsumerProtocolAssignment(version, [("a", [1]), ("b", [0])], None)  # type: ignore[list-item]
    assert encode_assignment(assignment).hex() == ASSIGNMENT.format(version)
    assert decode_assignment(encode_assignment(assignment)) == assignment
    assert assignment.partitions() == [TopicPartition("a", 1), TopicPartition("b", 0)]


def test_no_bytes_are_an_empty_assignment() -> None:
    assert decode_assignment(b"").partitions() == []


@pytest.mark.parametrize("data", [b"\0", b"\xff\xff\0\0", b"\0\0\0\0\0\x09"])
def test_a_damaged_subscription_is_refused(data: bytes) -> None:
    with pytest.raises(KafkaProtocolError):
        decode_subscription(data)


def test_sticky_user_data_has_javas_bytes() -> None:
    data = StickyUserData([TopicPartitions("a", [0, 2])], 6)
    assert encode_sticky_user_data(data).hex() == STICKY_USER_DATA
    assert decode_sticky_user_data(bytes.fromhex(STICKY_USER_DATA)) == data


def test_sticky_user_data_of_version_0_has_no_generation() -> None:
    assert decode_sticky_user_data(bytes.fromhex(STICKY_USER_DATA)[:-4]).generation == -1


topics = st.dictionaries(st.text(max_size=6), st.lists(st.integers(0, 99)), max_size=4)


@given(st.integers(1, 3), topics, st.none() | st.binary())
def test_kafka_python_reads_our_subscriptions_and_assignments(
    version: int, owned: dict[str, list[int]], user_data: bytes | None
) -> None:
    from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment as TheirAssignment
    from kafka.protocol.consumer.metadata import ConsumerProtocolSubscription as TheirSubscription

    listed = [TopicPartitions(topic, numbers) for topic, numbers in owned.items()]
    ours = ConsumerProtocolSubscription(version, sorted(owned), user_data, listed)
    theirs = TheirSubscription.decode(encode_subscription(ours))
    assert (theirs.topics, theirs.user_data) == (ours.topics, user_data)
    assert [(each.topic, each.partitions) for each in theirs.owned_partitions] == list(owned.items())
    assignment = TheirAssignment.decode(encode_assignment(ConsumerProtocolAssignment(version, listed, user_data)))
    assert [(each.topic, each.partitions) for each in assignment.assigned_partitions] == list(owned.items())
