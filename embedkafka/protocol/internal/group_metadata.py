"""GroupMetadataKey (record type 2) and GroupMetadataValue, versions 0 to 4: a classic group at its last stable moment.

Version 1 added the rebalance timeout, 2 the time of the last change of state (KIP-211), 3 the instance id (KIP-345);
4 is flexible.  Kafka 4.3 writes 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import BYTES, INT32, INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class GroupMetadataKey:
    group: str = wire(STRING)


@dataclass(slots=True)
class MemberMetadata:
    """Timeouts are milliseconds; subscription and assignment are the member's own bytes."""

    member_id: str = wire(STRING)
    group_instance_id: str | None = wire(STRING, "3+", default=None, nullable="3+", ignorable=True)
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    rebalance_timeout: int = wire(INT32, "1+", default=-1, ignorable=True)
    session_timeout: int = wire(INT32)
    subscription: bytes = wire(BYTES)
    assignment: bytes = wire(BYTES)


@dataclass(slots=True)
class GroupMetadataValue:
    """``protocol`` and ``leader`` are None while the group is empty."""

    protocol_type: str = wire(STRING)
    generation: int = wire(INT32)
    protocol: str | None = wire(STRING, default=None, nullable="0+")
    leader: str | None = wire(STRING, default=None, nullable="0+")
    current_state_timestamp: int = wire(INT64, "2+", default=-1, ignorable=True)
    members: list[MemberMetadata] = wire(array(MemberMetadata))


KEY = Schema(GroupMetadataKey, versions="2")
VALUE = Schema(GroupMetadataValue, versions="0-4", flexible="4+")
