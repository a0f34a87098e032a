"""The cluster's own APIs (43, 45, 46, 55, 57, 64, 75, 80, 81) as plain values, a part of
:mod:`embedkafka.broker.api`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.model import TopicPartition

__all__ = [
    "ClusterOutcome",
    "DescribeQuorumReply",
    "ElectionType",
    "FeatureUpdate",
    "FeatureUpgradeType",
    "PartitionOutcome",
    "PartitionReassignment",
    "PartitionsReply",
    "QuorumPartition",
    "UpdateFeaturesReply",
]


class ElectionType:
    """Kafka's numbers (``org.apache.kafka.common.ElectionType``)."""

    PREFERRED = 0
    UNCLEAN = 1


class ClusterOutcome(NamedTuple):
    """What became of a request about the cluster as a whole."""

    error_code: int = 0
    error_message: str | None = None


class PartitionOutcome(NamedTuple):
    """What became of one partition."""

    topic_partition: TopicPartition
    error_code: int = 0
    error_message: str | None = None


class PartitionsReply(NamedTuple):
    """``error_code`` is the whole request's."""

    error_code: int = 0
    error_message: str | None = None
    partitions: Sequence[PartitionOutcome] = ()


class PartitionReassignment(NamedTuple):
    """``replicas`` None stops a reassignment that is under way."""

    topic_partition: TopicPartition
    replicas: Sequence[int] | None


class QuorumPartition(NamedTuple):
    """``voter_ids`` are brokers; times are those of the leader's, milliseconds since the epoch."""

    topic_partition: TopicPartition
    error_code: int = 0
    leader_id: int = 0
    leader_epoch: int = 0
    high_watermark: int = 0
    voter_ids: Sequence[int] = ()
    last_caught_up_ms: int = -1


class DescribeQuorumReply(NamedTuple):
    error_code: int = 0
    partitions: Sequence[QuorumPartition] = ()


class FeatureUpgradeType:
    """Kafka's numbers (``org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType``)."""

    UPGRADE = 1
    SAFE_DOWNGRADE = 2
    UNSAFE_DOWNGRADE = 3


class FeatureUpdate(NamedTuple):
    feature: str
    level: int
    upgrade_type: int = FeatureUpgradeType.UPGRADE


class UpdateFeaturesReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
