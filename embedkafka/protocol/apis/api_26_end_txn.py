"""EndTxn (26): commit or abort a transaction.

From 5 the answer carries the producer's next epoch, or a new id where the epochs are used up (KIP-890, transactions
v2).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class EndTxnRequest:
    transactional_id: str = wire(STRING)
    producer_id: int = wire(INT64)
    producer_epoch: int = wire(INT16)
    committed: bool = wire(BOOL)


@dataclass(slots=True)
class EndTxnResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    producer_id: int = wire(INT64, "5+", default=-1, ignorable=True)
    producer_epoch: int = wire(INT16, "5+", default=-1, ignorable=True)


API = Api(
    26,
    request=Schema(EndTxnRequest, versions="0-5", flexible="3+"),
    response=Schema(EndTxnResponse, versions="0-5", flexible="3+"),
)
