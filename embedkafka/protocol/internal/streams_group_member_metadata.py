"""StreamsGroupMemberMetadataKey (record type 19) and its value: what a member has said of itself.

The process id names the application instance, whose threads are members of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, STRING, UINT16, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupMemberMetadataKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class Endpoint:
    host: str = wire(STRING)
    port: int = wire(UINT16)


@dataclass(slots=True)
class KeyValue:
    key: str = wire(STRING)
    value: str = wire(STRING)


@dataclass(slots=True)
class StreamsGroupMemberMetadataValue:
    instance_id: str | None = wire(STRING, nullable="0+")
    rack_id: str | None = wire(STRING, nullable="0+")
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    rebalance_timeout_ms: int = wire(INT32, default=-1)
    topology_epoch: int = wire(INT32)
    process_id: str = wire(STRING)
    user_endpoint: Endpoint | None = wire(Endpoint, default=None, nullable="0+")
    client_tags: list[KeyValue] = wire(array(KeyValue))


KEY = Schema(StreamsGroupMemberMetadataKey, versions="0")
VALUE = Schema(StreamsGroupMemberMetadataValue, versions="0", flexible="0+")
