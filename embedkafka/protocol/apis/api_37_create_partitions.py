"""CreatePartitions (37): give topics more partitions (KIP-195).

``count`` is the new total.  ``assignments`` null leaves the choice of brokers to the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class CreatePartitionsAssignment:
    broker_ids: list[int] = wire(array(INT32))


@dataclass(slots=True)
class CreatePartitionsTopic:
    name: str = wire(STRING)
    count: int = wire(INT32)
    assignments: list[CreatePartitionsAssignment] | None = wire(array(CreatePartitionsAssignment), nullable="0+")


@dataclass(slots=True)
class CreatePartitionsRequest:
    topics: list[CreatePartitionsTopic] = wire(array(CreatePartitionsTopic))
    timeout_ms: int = wire(INT32)
    validate_only: bool = wire(BOOL)


@dataclass(slots=True)
class CreatePartitionsTopicResult:
    name: str = wire(STRING)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class CreatePartitionsResponse:
    throttle_time_ms: int = wire(INT32)
    results: list[CreatePartitionsTopicResult] = wire(array(CreatePartitionsTopicResult))


API = Api(
    37,
    request=Schema(CreatePartitionsRequest, versions="0-3", flexible="2+"),
    response=Schema(CreatePartitionsResponse, versions="0-3", flexible="2+"),
)
