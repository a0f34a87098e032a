"""Partition assignors: range, roundrobin, sticky, cooperative-sticky.

Class names are kafka-python's; :data:`ASSIGNORS` also finds each by the name Java gives it on the wire.
"""

from __future__ import annotations

from embedkafka.client.assignors.abstract import (
    AbstractPartitionAssignor,
    Cluster,
    GroupMember,
    RebalanceProtocol,
)
from embedkafka.client.assignors.cooperative_sticky import CooperativeStickyPartitionAssignor
from embedkafka.client.assignors.range import RangePartitionAssignor
from embedkafka.client.assignors.roundrobin import RoundRobinPartitionAssignor
from embedkafka.client.assignors.sticky import StickyPartitionAssignor

CooperativeStickyAssignor = CooperativeStickyPartitionAssignor  # kafka-python's name

ASSIGNORS: dict[str, type[AbstractPartitionAssignor]] = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyPartitionAssignor,
}

__all__ = [
    "ASSIGNORS",
    "AbstractPartitionAssignor",
    "Cluster",
    "CooperativeStickyAssignor",
    "CooperativeStickyPartitionAssignor",
    "GroupMember",
    "RangePartitionAssignor",
    "RebalanceProtocol",
    "RoundRobinPartitionAssignor",
    "StickyPartitionAssignor",
]
