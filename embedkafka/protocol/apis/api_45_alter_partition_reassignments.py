"""AlterPartitionReassignments (45): move partitions to other brokers, or with null replicas stop moving them (KIP-455).

1 can forbid that the number of replicas changes by it (KIP-860).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ReassignablePartition:
    partition_index: int = wire(INT32)
    replicas: list[int] | None = wire(array(INT32), default=None, nullable="0+")


@dataclass(slots=True)
class ReassignableTopic:
    name: str = wire(STRING)
    partitions: list[ReassignablePartition] = wire(array(ReassignablePartition))


@dataclass(slots=True)
class AlterPartitionReassignmentsRequest:
    timeout_ms: int = wire(INT32, default=60000)
    allow_replication_factor_change: bool = wire(BOOL, "1+", default=True)
    topics: list[ReassignableTopic] = wire(array(ReassignableTopic))


@dataclass(slots=True)
class ReassignablePartitionResponse:
    partition_index: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class ReassignableTopicResponse:
    name: str = wire(STRING)
    partitions: list[ReassignablePartitionResponse] = wire(array(ReassignablePartitionResponse))


@dataclass(slots=True)
class AlterPartitionReassignmentsResponse:
    throttle_time_ms: int = wire(INT32)
    allow_replication_factor_change: bool = wire(BOOL, "1+", default=True, ignorable=True)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")
    responses: list[ReassignableTopicResponse] = wire(array(ReassignableTopicResponse))


API = Api(
    45,
    request=Schema(AlterPartitionReassignmentsRequest, versions="0-1", flexible="0+"),
    response=Schema(AlterPartitionReassignmentsResponse, versions="0-1", flexible="0+"),
)
