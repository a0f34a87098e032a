"""DescribeCluster (60): the cluster's id, controller and brokers (KIP-700).

1 tells brokers (endpoint type 1) from controllers (2) (KIP-919); 2 can include fenced brokers (KIP-1073).
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import BOOL, INT8, INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class DescribeClusterRequest:
    include_cluster_authorized_operations: bool = wire(BOOL)
    endpoint_type: int = wire(INT8, "1+", default=1)
    include_fenced_brokers: bool = wire(BOOL, "2+")


@dataclass(slots=True)
class DescribeClusterBroker:
    broker_id: int = wire(INT32)
    host: str = wire(STRING)
    port: int = wire(INT32)
    rack: str | None = wire(STRING, default=None, nullable="0+")
    is_fenced: bool = wire(BOOL, "2+")


@dataclass(slots=True)
class DescribeClusterResponse:
    throttle_time_ms: int = wire(INT32)
    error_code: int = wire(INT16)
    error_message: str | None = wire(STRING, default=None, nullable="0+")
    endpoint_type: int = wire(INT8, "1+", default=1)
    cluster_id: str = wire(STRING)
    controller_id: int = wire(INT32, default=-1)
    brokers: list[DescribeClusterBroker] = wire(array(DescribeClusterBroker))
    cluster_authorized_operations: int = wire(INT32, default=-(2**31))


API = Api(
    60,
    request=Schema(DescribeClusterRequest, versions="0-2", flexible="0+"),
    response=Schema(DescribeClusterResponse, versions="0-2", flexible="0+"),
)
