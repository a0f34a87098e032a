"""RemoveRaftVoter (81): take a controller's vote about the metadata away (KIP-853)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, UUID, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class RemoveRaftVoterRequest:
    cluster_id: str | None = wire(STRING, nullable="0+")
    voter_id: int = wire(INT32)
    voter_directory_id: UuidValue = wire(UUID)


@dataclass(slots=True)
class RemoveRaftVoterResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+", ignorable=True)


API = Api(
    81,
    request=Schema(RemoveRaftVoterRequest, versions="0", flexible="0+"),
    response=Schema(RemoveRaftVoterResponse, versions="0", flexible="0+"),
)
