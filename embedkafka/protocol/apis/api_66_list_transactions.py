"""ListTransactions (66): the transactional ids a broker coordinates (KIP-664).

Filters by state and producer id, from 1 by how long they run (KIP-994), from 2 by a pattern of ids (KIP-1152). A state
the broker does not know is reported in ``unknown_state_filters``, not refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ListTransactionsRequest:
    state_filters: list[str] = wire(array(STRING))
    producer_id_filters: list[int] = wire(array(INT64))
    duration_filter: int = wire(INT64, "1+", default=-1)
    transactional_id_pattern: str | None = wire(STRING, "2+", default=None, nullable="0+")


@dataclass(slots=True)
class TransactionState:
    transactional_id: str = wire(STRING)
    producer_id: int = wire(INT64)
    transaction_state: str = wire(STRING)


@dataclass(slots=True)
class ListTransactionsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    unknown_state_filters: list[str] = wire(array(STRING))
    transaction_states: list[TransactionState] = wire(array(TransactionState))


API = Api(
    66,
    request=Schema(ListTransactionsRequest, versions="0-2", flexible="0+"),
    response=Schema(ListTransactionsResponse, versions="0-2", flexible="0+"),
)
