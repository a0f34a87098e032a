"""ElectLeaders (43): make preferred replicas the leaders again, or from 1 on elect unclean ones (KIP-183, KIP-460).

A null list means all partitions.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class TopicPartitions:
    topic: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class ElectLeadersRequest:
    election_type: int = wire(INT8, "1+")
    topic_partitions: list[TopicPartitions] | None = wire(array(TopicPartitions), nullable="0+")
    timeout_ms: int = wire(INT32, default=60000)


@dataclass(slots=True)
class PartitionResult:
    partition_id: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class ReplicaElectionResult:
    topic: str = wire(STRING)
    partition_result: list[PartitionResult] = wire(array(PartitionResult))


@dataclass(slots=True)
class ElectLeadersResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16, "1+")
    replica_election_results: list[ReplicaElectionResult] = wire(array(ReplicaElectionResult))


API = Api(
    43,
    request=Schema(ElectLeadersRequest, versions="0-2", flexible="2+"),
    response=Schema(ElectLeadersResponse, versions="0-2", flexible="2+"),
)
