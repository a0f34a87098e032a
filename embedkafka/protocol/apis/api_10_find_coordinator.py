"""FindCoordinator (10): which broker coordinates a group, a transactional id or a share partition.

* ``key_type`` (from 1) is 0 for a group, 1 for a transactional id, 2 for a share partition, whose key is
  ``group:topic-id:partition`` (6, KIP-932).
* One key up to 3, several from 4 on (KIP-699), where the answer's top-level fields stay unused.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class FindCoordinatorRequest:
    key: str = wire(STRING, "0-3")
    key_type: int = wire(INT8, "1+")
    coordinator_keys: list[str] = wire(array(STRING), "4+")


@dataclass(slots=True)
class Coordinator:
    key: str = wire(STRING)
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class FindCoordinatorResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    error_code: int = wire(INT16, "0-3")
    error_message: str | None = wire(STRING, "1-3", nullable="0+", ignorable=True)
    node_id: int = wire(INT32, "0-3")
    host: str = wire(STRING, "0-3")
    port: int = wire(INT32, "0-3")
    coordinators: list[Coordinator] = wire(array(Coordinator), "4+")


API = Api(
    10,
    request=Schema(FindCoordinatorRequest, versions="0-6", flexible="3+"),
    response=Schema(FindCoordinatorResponse, versions="0-6", flexible="3+"),
)
