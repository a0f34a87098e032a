"""AddRaftVoter (80): let another controller vote about the metadata (KIP-853); 1 may answer sooner (KIP-1186)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, UINT16, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class Listener:
    name: str = wire(STRING)
    host: str = wire(STRING)
    port: int = wire(UINT16)


@dataclass(slots=True)
class AddRaftVoterRequest:
    cluster_id: str | None = wire(STRING, nullable="0+")
    timeout_ms: int = wire(INT32)
    voter_id: int = wire(INT32)
    voter_directory_id: UuidValue = wire(UUID)
    listeners: list[Listener] = wire(array(Listener))
    ack_when_committed: bool = wire(BOOL, "1+", default=True)


@dataclass(slots=True)
class AddRaftVoterResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+", ignorable=True)


API = Api(
    80,
    request=Schema(AddRaftVoterRequest, versions="0-1", flexible="0+"),
    response=Schema(AddRaftVoterResponse, versions="0-1", flexible="0+"),
)
