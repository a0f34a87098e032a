"""OffsetDelete (47): forget a group's offsets for some partitions (KIP-496).

Refused per partition while a member of the group is subscribed to the topic.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class OffsetDeleteRequestPartition:
    partition_index: int = wire(INT32)


@dataclass(slots=True)
class OffsetDeleteRequestTopic:
    name: str = wire(STRING)
    partitions: list[OffsetDeleteRequestPartition] = wire(array(OffsetDeleteRequestPartition))


@dataclass(slots=True)
class OffsetDeleteRequest:
    group_id: str = wire(STRING)
    topics: list[OffsetDeleteRequestTopic] = wire(array(OffsetDeleteRequestTopic))


@dataclass(slots=True)
class OffsetDeleteResponsePartition:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)


@dataclass(slots=True)
class OffsetDeleteResponseTopic:
    name: str = wire(STRING)
    partitions: list[OffsetDeleteResponsePartition] = wire(array(OffsetDeleteResponsePartition))


@dataclass(slots=True)
class OffsetDeleteResponse:
    error_code: int = wire(INT16)
    throttle_time_ms: int = wire(INT32)
    topics: list[OffsetDeleteResponseTopic] = wire(array(OffsetDeleteResponseTopic))


API = Api(
    47,
    request=Schema(OffsetDeleteRequest, versions="0"),
    response=Schema(OffsetDeleteResponse, versions="0"),
)
