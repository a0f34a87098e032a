"""AddOffsetsToTxn (25): a transaction is going to commit offsets of a group (KIP-98)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class AddOffsetsToTxnRequest:
    transactional_id: str = wire(STRING)
    producer_id: int = wire(INT64)
    producer_epoch: int = wire(INT16)
    group_id: str = wire(STRING)


@dataclass(slots=True)
class AddOffsetsToTxnResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)


API = Api(
    25,
    request=Schema(AddOffsetsToTxnRequest, versions="0-4", flexible="3+"),
    response=Schema(AddOffsetsToTxnResponse, versions="0-4", flexible="3+"),
)
