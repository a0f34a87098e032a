"""InitProducerId (22): a producer id and epoch (KIP-98).

* Without a transactional id it is just a new id. With one, it fences whoever used that before and ends what was open.
* From 3 a producer may name its own id and epoch to have the epoch raised, and is fenced if others raised it meanwhile
  (KIP-360). 4 tells PRODUCER_FENCED from INVALID_PRODUCER_EPOCH, 5 may answer TRANSACTION_ABORTABLE (KIP-890).
* 6, for two-phase commit (KIP-939), is not stable in Kafka 4.3: a broker refuses it unless told otherwise, and so it is
  not here.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class InitProducerIdRequest:
    transactional_id: str | None = wire(STRING, nullable="0+")
    transaction_timeout_ms: int = wire(INT32)
    producer_id: int = wire(INT64, "3+", default=-1)
    producer_epoch: int = wire(INT16, "3+", default=-1)


@dataclass(slots=True)
class InitProducerIdResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    producer_id: int = wire(INT64, default=-1)
    producer_epoch: int = wire(INT16)


API = Api(
    22,
    request=Schema(InitProducerIdRequest, versions="0-5", flexible="2+"),
    response=Schema(InitProducerIdResponse, versions="0-5", flexible="2+"),
)
