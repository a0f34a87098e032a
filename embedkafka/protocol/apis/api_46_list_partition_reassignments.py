"""ListPartitionReassignments (46): the partitions that are being moved; a null list asks for all (KIP-455)."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ListPartitionReassignmentsTopics:
    name: str = wire(STRING)
    partition_indexes: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ListPartitionReassignmentsRequest:
    timeout_ms: int = wire(INT32, default=60000)
    topics: list[ListPartitionReassignmentsTopics] | None = wire(
        array(ListPartitionReassignmentsTopics), default=None, nullable="0+"
    )


@dataclass(slots=True)
class OngoingPartitionReassignment:
    partition_index: int = wire(INT32)
    replicas: list[int] = wire(array(INT32))
    adding_replicas: list[int] = wire(array(INT32))
    removing_replicas: list[int] = wire(array(INT32))


@dataclass(slots=True)
class OngoingTopicReassignment:
    name: str = wire(STRING)
    partitions: list[OngoingPartitionReassignment] = wire(array(OngoingPartitionReassignment))


@dataclass(slots=True)
class ListPartitionReassignmentsResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    topics: list[OngoingTopicReassignment] = wire(array(OngoingTopicReassignment))


API = Api(
    46,
    request=Schema(ListPartitionReassignmentsRequest, versions="0", flexible="0+"),
    response=Schema(ListPartitionReassignmentsResponse, versions="0", flexible="0+"),
)
