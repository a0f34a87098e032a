"""ShareGroupMemberMetadataKey (record type 10) and its value: who a member of a share group is, what it reads."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupMemberMetadataKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class ShareGroupMemberMetadataValue:
    rack_id: str | None = wire(STRING, nullable="0+")
    client_id: str = wire(STRING)
    client_host: str = wire(STRING)
    subscribed_topic_names: list[str] = wire(array(STRING))


KEY = Schema(ShareGroupMemberMetadataKey, versions="0")
VALUE = Schema(ShareGroupMemberMetadataValue, versions="0", flexible="0+")
