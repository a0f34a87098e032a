"""The records of ``__transaction_state`` have the bytes of Apache Kafka 4.3.1's Java classes.

The vectors are what ``MessageUtil.toCoordinatorTypePrefixedBytes`` and ``toVersionPrefixedBytes`` gave for these values
with the generated classes of kafka-transaction-coordinator 4.3.1.
"""

from __future__ import annotations

import pytest

from embedkafka.coordinator.transaction import records
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.model import TopicPartition

KEY = bytes.fromhex("000000087061796d656e7473")
VALUES = [
    "00000000011f71fb04cb00070000ea60020000000200066f726465727300000002000000000000000300017400000001000000010000018bcfe5"
    "68010000018bcfe56800",
    "00010000011f71fb04cb00070000ea600203076f72646572730300000000000000030002740200000001000000018bcfe568010000018bcfe568"
    "0003000800000000000000050108000000000000000602020002",
]
EMPTY = [
    "0000000000000000000300000000ea6000ffffffff0000018bcfe56801ffffffffffffffff",
    "0001000000000000000300000000ea6000000000018bcfe56801ffffffffffffffff00",
]
NOTHING_YET = Transaction(3, 0, TransactionState.EMPTY, 60_000, 1_700_000_000_001)


def transaction(version: int) -> Transaction:
    return Transaction(
        producer_id=1_234_567_890_123,
        producer_epoch=7,
        state=TransactionState.PREPARE_COMMIT,
        timeout_ms=60_000,
        update_ms=1_700_000_000_001,
        partitions=frozenset({TopicPartition("orders", 0), TopicPartition("orders", 3), TopicPartition("t", 1)}),
        start_ms=1_700_000_000_000,
        previous_producer_id=5 if version else -1,
        next_producer_id=6 if version else -1,
        client_version=2 if version else 0,
    )


@pytest.mark.parametrize("version", range(2))
def test_a_transaction_of_every_version_is_read_as_kafka_writes_it(version: int) -> None:
    found = records.decode(KEY, bytes.fromhex(VALUES[version]))
    assert found == records.TransactionRecord("payments", transaction(version))
    found = records.decode(KEY, bytes.fromhex(EMPTY[version]))
    assert found == records.TransactionRecord("payments", NOTHING_YET)


def test_transactions_are_written_in_version_1_as_kafka_writes_them() -> None:
    record = records.TransactionRecord("payments", transaction(1))
    assert records.encode(record) == (KEY, bytes.fromhex(VALUES[1]))
    assert records.encode(records.TransactionRecord("payments", NOTHING_YET)) == (KEY, bytes.fromhex(EMPTY[1]))


def test_an_expired_id_is_a_tombstone() -> None:
    assert records.encode(records.TransactionRecord("payments", None)) == (KEY, None)
    assert records.decode(KEY, None) == records.TransactionRecord("payments", None)


def test_other_record_types_are_passed_over() -> None:
    assert records.decode(b"\0\1anything", b"") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"\0", b""),
        (KEY[:-1], None),
        (KEY + b"!", None),
        (KEY, b""),
        (KEY, bytes.fromhex(VALUES[1])[:-1]),
        (KEY, bytes.fromhex(EMPTY[0].replace("ea6000", "ea6063"))),
    ],
    ids=["no type", "short key", "long key", "no version", "short value", "no such state"],
)
def test_damaged_bytes_are_refused(key: bytes, value: bytes | None) -> None:
    with pytest.raises(KafkaProtocolError):
        records.decode(key, value)


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(UnsupportedVersionError):
        records.decode(KEY, b"\0\2" + bytes.fromhex(VALUES[1])[2:])
