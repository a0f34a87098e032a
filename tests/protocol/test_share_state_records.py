"""The records of ``__share_group_state`` have the bytes of Apache Kafka 4.3.1's Java classes.

The vectors are what ``MessageUtil.toCoordinatorTypePrefixedBytes`` and ``toVersionPrefixedBytes`` gave for these values
with the generated classes of kafka-share-coordinator 4.3.1.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.broker.shards import partition_of
from embedkafka.broker.share.states_straight import UpdateBatches
from embedkafka.coordinator.share_state import records
from embedkafka.coordinator.share_state.api import StateBatch
from embedkafka.coordinator.share_state.state import SharePartitionKey, Snapshot, Update
from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.model import id_text
from embedkafka.record import encode_batch

KEY = SharePartitionKey("workers", UUID("01234567-89ab-cdef-0fed-cba987654321"), 3)
SNAPSHOT_KEY = bytes.fromhex("00000007776f726b6572730123456789abcdef0fedcba98765432100000003")
UPDATE_KEY = bytes.fromhex("00010007776f726b6572730123456789abcdef0fedcba98765432100000003")
VECTORS = [
    (
        SNAPSHOT_KEY,
        "000000000005000000020000000100000000000000640000018bcfe568000000018bcfe56801030000000000000065000000000000006b02"
        "000100000000000000006e000000000000006e0000030001000400000007",
        Snapshot(
            5,
            2,
            1,
            100,
            7,
            1_700_000_000_000,
            1_700_000_000_001,
            [StateBatch(101, 107, 2, 1), StateBatch(110, 110, 0, 3)],
        ),
    ),
    (
        SNAPSHOT_KEY,
        "00000000000000000000ffffffffffffffffffffffff0000018bcfe568000000018bcfe568000100",
        Snapshot(0, 0, -1, -1, -1, 1_700_000_000_000, 1_700_000_000_000, []),
    ),
    (
        UPDATE_KEY,
        "00000000000500000001ffffffffffffffff020000000000000065000000000000006b0400050001000400000007",
        Update(5, 1, -1, 7, [StateBatch(101, 107, 4, 5)]),
    ),
]


@pytest.mark.parametrize(("key", "value", "change"), VECTORS, ids=["snapshot", "new", "update"])
def test_records_have_kafkas_bytes_both_ways(key: bytes, value: str, change: Snapshot | Update) -> None:
    record = records.ShareStateRecord(KEY, change)
    assert records.encode(record) == (key, bytes.fromhex(value))
    assert records.decode(key, bytes.fromhex(value)) == record


def test_what_is_forgotten_is_a_snapshot_without_a_value() -> None:
    record = records.ShareStateRecord(KEY, None)
    assert records.encode(record) == (SNAPSHOT_KEY, None)
    assert records.decode(SNAPSHOT_KEY, None) == record


def test_a_share_partition_is_kept_where_kafka_keeps_it() -> None:
    assert partition_of(f"{KEY.group_id}:{id_text(KEY.topic_id)}:{KEY.partition}", 50) == 35


def test_records_of_other_kinds_are_passed_over() -> None:
    assert records.decode(b"\x00\x02" + SNAPSHOT_KEY[2:], b"\x00\x00") is None


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (b"\x00", b"", KafkaProtocolError),
        (SNAPSHOT_KEY, b"\x00", KafkaProtocolError),
        (SNAPSHOT_KEY[:-1], b"\x00\x00", KafkaProtocolError),
        (UPDATE_KEY, bytes.fromhex(VECTORS[2][1])[:-1], KafkaProtocolError),
        (UPDATE_KEY, b"\x00\x01" + bytes.fromhex(VECTORS[2][1])[2:], UnsupportedVersionError),
    ],
    ids=["no type", "no version", "short key", "short value", "newer version"],
)
def test_damaged_records_are_told(key: bytes, value: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        records.decode(key, value)


OFFSETS = st.integers(0, 2**63 - 1)


@given(
    st.builds(
        Update,
        st.integers(0, 2**31 - 1),
        st.integers(-1, 2**31 - 1),
        st.integers(-1, 2**63 - 1),
        st.integers(0, 2**31 - 1),
        st.tuples(st.builds(StateBatch, OFFSETS, OFFSETS, st.sampled_from((0, 2, 4)), st.integers(0, 2**15 - 1))),
    ),
    st.integers(0, 2**62),
)
def test_the_straight_way_of_an_update_gives_the_same_batch(update: Update, now_ms: int) -> None:
    expected = encode_batch([(now_ms, *records.encode(records.ShareStateRecord(KEY, update)), ())])
    assert UpdateBatches(KEY).encode(update, now_ms) == expected
