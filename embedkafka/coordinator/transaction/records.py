"""Durable changes as values, and their bytes in ``__transaction_state``.

A key begins with an int16, the record's type (0); a value begins with the int16 version of its schema.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from embedkafka.coordinator.transaction.state import BY_NUMBER, TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.errors import KafkaProtocolError
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.transaction_log import (
    KEY,
    VALUE,
    TransactionLogKey,
    TransactionLogValue,
    TransactionPartitions,
)

_TYPE = 0
_VERSION = 1


class TransactionRecord(NamedTuple):
    """A transaction as it is now; None: its transactional id has expired."""

    transactional_id: str
    transaction: Transaction | None


def encode(record: TransactionRecord) -> tuple[bytes, bytes | None]:
    """A record's key and value as Kafka 4.3 writes them."""
    key = _TYPE.to_bytes(2, "big") + KEY.encode_bytes(TransactionLogKey(record.transactional_id), 0)
    if record.transaction is None:
        return key, None
    value = _to_value(record.transaction)
    return key, _VERSION.to_bytes(2, "big") + VALUE.encode_bytes(value, _VERSION)


def decode(key: bytes | memoryview, value: bytes | memoryview | None) -> TransactionRecord | None:
    """The record in these bytes; None for a record type that this coordinator does not have.

    Raises:
        KafkaProtocolError: a known type whose bytes are damaged or of a newer version.
    """
    if len(key) < 2:
        raise KafkaProtocolError(f"a key of {len(key)} bytes in __transaction_state has no type")
    if int.from_bytes(key[:2], "big", signed=True) != _TYPE:
        return None
    transactional_id = KEY.decode_whole(key, 0, 2).transactional_id
    if value is None:
        return TransactionRecord(transactional_id, None)
    if len(value) < 2:
        raise KafkaProtocolError(f"a value of {len(value)} bytes in __transaction_state has no version")
    version = int.from_bytes(value[:2], "big", signed=True)
    return TransactionRecord(transactional_id, _from_value(VALUE.decode_whole(value, version, 2)))


def _to_value(transaction: Transaction) -> TransactionLogValue:
    by_topic: defaultdict[str, list[int]] = defaultdict(list)
    for topic, partition in sorted(transaction.partitions):
        by_topic[topic].append(partition)
    is_empty = transaction.state is TransactionState.EMPTY
    return TransactionLogValue(
        producer_id=transaction.producer_id,
        previous_producer_id=transaction.previous_producer_id,
        next_producer_id=transaction.next_producer_id,
        producer_epoch=transaction.producer_epoch,
        transaction_timeout_ms=transaction.timeout_ms,
        transaction_status=transaction.state.number,
        transaction_partitions=(
            None if is_empty else [TransactionPartitions(topic, numbers) for topic, numbers in by_topic.items()]
        ),
        transaction_last_update_timestamp_ms=transaction.update_ms,
        transaction_start_timestamp_ms=transaction.start_ms,
        client_transaction_version=transaction.client_version,
    )


def _from_value(value: TransactionLogValue) -> Transaction:
    state = BY_NUMBER.get(value.transaction_status)
    if state is None:
        raise KafkaProtocolError(f"a transaction cannot have state {value.transaction_status}")
    return Transaction(
        producer_id=value.producer_id,
        producer_epoch=value.producer_epoch,
        state=state,
        timeout_ms=value.transaction_timeout_ms,
        update_ms=value.transaction_last_update_timestamp_ms,
        partitions=frozenset(
            TopicPartition(each.topic, number)
            for each in value.transaction_partitions or ()
            for number in each.partition_ids
        ),
        start_ms=value.transaction_start_timestamp_ms,
        previous_producer_id=value.previous_producer_id,
        next_producer_id=value.next_producer_id,
        client_version=value.client_transaction_version,
    )
