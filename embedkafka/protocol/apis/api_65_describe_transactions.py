"""DescribeTransactions (65): state, producer and partitions of transactional ids (KIP-664)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeTransactionsRequest:
    transactional_ids: list[str] = wire(array(STRING))


@dataclass(slots=True)
class TopicData:
    topic: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class TransactionState:
    error_code: int = wire(INT16)
    transactional_id: str = wire(STRING)
    transaction_state: str = wire(STRING)
    transaction_timeout_ms: int = wire(INT32)
    transaction_start_time_ms: int = wire(INT64)
    producer_id: int = wire(INT64)
    producer_epoch: int = wire(INT16)
    topics: list[TopicData] = wire(array(TopicData))


@dataclass(slots=True)
class DescribeTransactionsResponse:
    throttle_time_ms: int = wire(INT32)
    transaction_states: list[TransactionState] = wire(array(TransactionState))


API = Api(
    65,
    request=Schema(DescribeTransactionsRequest, versions="0", flexible="0+"),
    response=Schema(DescribeTransactionsResponse, versions="0", flexible="0+"),
)
