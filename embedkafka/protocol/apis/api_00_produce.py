"""Produce (0): append record batches to partitions.

* From 9 the bytes are flexible; from 13 topics go by id (KIP-516).
* 12 tells that the producer lets the broker add partitions to its transaction (KIP-890); below, a partition must have
  been added by AddPartitionsToTxn.
* 8 brought messages for single records (KIP-467), 10 the new leader where this one no longer is (KIP-951).
* Versions 0 to 2 carried the old record formats and are gone since Kafka 4.0, yet the table of ApiVersions still names
  0 as the lowest: older librdkafka compresses only if it sees that (KAFKA-18659).
* A request with ``acks`` 0 gets no response at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID as UuidValue

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, INT64, RECORDS, STRING, UUID, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class PartitionProduceData:
    index: int = wire(INT32)
    records: memoryview | None = wire(RECORDS, nullable="0+")


@dataclass(slots=True)
class TopicProduceData:
    name: str = wire(STRING, "0-12", ignorable=True)
    topic_id: UuidValue = wire(UUID, "13+", ignorable=True)
    partition_data: list[PartitionProduceData] = wire(array(PartitionProduceData))


@dataclass(slots=True)
class ProduceRequest:
    transactional_id: str | None = wire(STRING, default=None, nullable="0+")
    acks: int = wire(INT16)
    timeout_ms: int = wire(INT32)
    topic_data: list[TopicProduceData] = wire(array(TopicProduceData))


@dataclass(slots=True)
class BatchIndexAndErrorMessage:
    batch_index: int = wire(INT32)
    batch_index_error_message: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class LeaderIdAndEpoch:
    leader_id: int = wire(INT32, default=-1)
    leader_epoch: int = wire(INT32, default=-1)


@dataclass(slots=True)
class PartitionProduceResponse:
    index: int = wire(INT32)
    error_code: int = wire(INT16)
    base_offset: int = wire(INT64)
    log_append_time_ms: int = wire(INT64, default=-1)
    log_start_offset: int = wire(INT64, "5+", default=-1, ignorable=True)
    record_errors: list[BatchIndexAndErrorMessage] = wire(array(BatchIndexAndErrorMessage), "8+", ignorable=True)
    error_message: str | None = wire(STRING, "8+", default=None, nullable="0+", ignorable=True)
    current_leader: LeaderIdAndEpoch = wire(LeaderIdAndEpoch, "10+", tag=0, tagged="10+")


@dataclass(slots=True)
class TopicProduceResponse:
    name: str = wire(STRING, "0-12", ignorable=True)
    topic_id: UuidValue = wire(UUID, "13+", ignorable=True)
    partition_responses: list[PartitionProduceResponse] = wire(array(PartitionProduceResponse))


@dataclass(slots=True)
class NodeEndpoint:
    node_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, default=None, nullable="0+")


@dataclass(slots=True)
class ProduceResponse:
    responses: list[TopicProduceResponse] = wire(array(TopicProduceResponse))
    throttle_time_ms: int = wire(INT32)
    node_endpoints: list[NodeEndpoint] = wire(array(NodeEndpoint), "10+", tag=0, tagged="10+")


API = Api(
    0,
    request=Schema(ProduceRequest, versions="3-13", flexible="9+"),
    response=Schema(ProduceResponse, versions="3-13", flexible="9+"),
    advertised="0-13",
)
