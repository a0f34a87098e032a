"""ShareGroupMetadataKey (record type 11) and ShareGroupMetadataValue: a share group's epoch (KIP-932).

The hash stands for the topics that the group reads, as a consumer group's does.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, INT64, STRING, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ShareGroupMetadataKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class ShareGroupMetadataValue:
    epoch: int = wire(INT32)
    metadata_hash: int = wire(INT64)


KEY = Schema(ShareGroupMetadataKey, versions="0")
VALUE = Schema(ShareGroupMetadataValue, versions="0", flexible="0+")
