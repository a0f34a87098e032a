"""ConsumerGroupMemberMetadataKey (record type 5) and its value: who a member of a consumer group is, what it reads.

The classic part is there for a member that speaks the classic protocol in a consumer group (KIP-848's migration).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import BYTES, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupMemberMetadataKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class ClassicProtocol:
    """An assignor that the member supports, with its subscription for it."""

    name: str = wire(STRING)
    metadata: bytes = wire(BYTES)


@dataclass(slots=True)
class ClassicMemberMetadata:
    session_timeout_ms: int = wire(INT32)
    supported_protocols: list[ClassicProtocol] = wire(array(ClassicProtocol))


@dataclass(slots=True)
class ConsumerGroupMemberMetadataValue:
    instance_id: str | None = wire(STRING, nullable="0+")
    rack_id: str | None = wire(STRING, nullable="0+")
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    subscribed_topic_names: list[str] = wire(array(STRING))
    subscribed_topic_regex: str | None = wire(STRING, nullable="0+")
    rebalance_timeout_ms: int = wire(INT32, default=-1)
    server_assignor: str | None = wire(STRING, nullable="0+")
    classic_member_metadata: ClassicMemberMetadata | None = wire(
        ClassicMemberMetadata, default=None, nullable="0+", tag=0, tagged="0+"
    )


KEY = Schema(ConsumerGroupMemberMetadataKey, versions="0")
VALUE = Schema(ConsumerGroupMemberMetadataValue, versions="0", flexible="0+")
