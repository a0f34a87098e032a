"""TransactionLogKey (record type 0 of ``__transaction_state``) and TransactionLogValue, versions 0 and 1.

Version 1 is flexible and names, as tagged fields, the producer ids before and after a change of id, and how the client
speaks (KIP-890).  Kafka 4.3 writes version 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT8, INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class TransactionLogKey:
    transactional_id: str = wire(STRING)


@dataclass(slots=True)
class TransactionPartitions:
    topic: str = wire(STRING)
    partition_ids: list[int] = wire(array(INT32))


@dataclass(slots=True)
class TransactionLogValue:
    """Times are milliseconds since the epoch; ``transaction_partitions`` is None in the state Empty."""

    producer_id: int = wire(INT64)
    previous_producer_id: int = wire(INT64, "1+", default=-1, tag=0, tagged="1+")
    next_producer_id: int = wire(INT64, "1+", default=-1, tag=1, tagged="1+")
    producer_epoch: int = wire(INT16)
    next_producer_epoch: int = wire(INT16, "1+", default=-1, tag=3, tagged="1+")
    transaction_timeout_ms: int = wire(INT32)
    transaction_status: int = wire(INT8)
    transaction_partitions: list[TransactionPartitions] | None = wire(array(TransactionPartitions), nullable="0+")
    transaction_last_update_timestamp_ms: int = wire(INT64)
    transaction_start_timestamp_ms: int = wire(INT64)
    client_transaction_version: int = wire(INT16, "1+", default=0, tag=2, tagged="1+")


KEY = Schema(TransactionLogKey, versions="0")
VALUE = Schema(TransactionLogValue, versions="0-1", flexible="1+")
