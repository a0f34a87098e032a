"""What the coordinator's shell needs of the engine, and the settings it reads there."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from embedkafka.broker.api import BrokerEndpoint, NewTopicSpec, RequestContext, TopicResult
from embedkafka.broker.groups.configs import effective_settings
from embedkafka.broker.shard import ShardLog
from embedkafka.clock import Clock
from embedkafka.config.group import group_settings
from embedkafka.coordinator.config import GroupConfig, GroupSettings, MigrationPolicy
from embedkafka.coordinator.share_state.api import ShareStateSummary
from embedkafka.coordinator.topics import Topics
from embedkafka.model import TopicIdPartition, TopicPartition


class OffsetsLog(ShardLog, Protocol):
    """One partition of ``__consumer_offsets``."""

    def append_in_transaction(self, batch: bytearray, producer_id: int, producer_epoch: int) -> None:
        """Append one encoded batch of a producer's transaction, of which the partition is a part already.

        Raises:
            BrokerResponseError: it is not in the log.
        """

    def append_marker(
        self, producer_id: int, producer_epoch: int, *, commit: bool, coordinator_epoch: int, transaction_version: int
    ) -> None:
        """Append the end of a transaction; returns when it is committed.

        Raises:
            BrokerResponseError: it is not in the log.
        """


class SharePersister(Protocol):
    """The share coordinator as the group coordinator sees it.  No method raises; called without a lock held."""

    def initialize(
        self, group_id: str, start_offsets: Mapping[TopicIdPartition, int], state_epoch: int
    ) -> Mapping[TopicIdPartition, int]:
        """Begin, or begin anew at another offset; -1 lets the group's settings decide.  Gives error codes."""

    def delete(self, group_id: str, partitions: Collection[TopicIdPartition]) -> Mapping[TopicIdPartition, int]:
        """Forget partitions.  Gives error codes."""

    def read_summary(
        self, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> Mapping[TopicIdPartition, ShareStateSummary]:
        """How far the group is."""


class GroupsHost(Protocol):
    """The engine as the groups see it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def random(self) -> random.Random:
        """The engine's seeded source; member ids come from it."""

    @property
    def share_states(self) -> SharePersister: ...

    def group_settings(self) -> Mapping[str, GroupSettings]:
        """Of groups that have settings of their own; the same object until one changes."""

    def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """Error code and end of each partition.  Called without a lock held."""

    def share_member_gone(self, group_id: str, member_id: str) -> None:
        """What the member has acquired can go to others.  Called without a lock held."""

    def broker_endpoint(self) -> BrokerEndpoint:
        """Where this broker is reached."""

    def topic_id_of(self, topic_partition: TopicPartition) -> UUID | None:
        """The id of the partition's topic; None where the partition does not exist.  Called without a lock held."""

    def known_topics(self) -> Topics:
        """All topics there are now; the same object until one comes, goes or grows.  Called without a lock held."""

    def hidden_topics(self, context: RequestContext) -> frozenset[str]:
        """Topics that the caller may not know of.  Called without a lock held; O(topics)."""

    def create_topics(self, context: RequestContext, specs: Sequence[NewTopicSpec]) -> Sequence[TopicResult]:
        """Create topics as the caller could; where it may not create one of them, none.  Called without a lock held."""

    def offsets_partition_count(self) -> int:
        """How many partitions ``__consumer_offsets`` has, or will have once it is created."""

    def offsets_log(self, partition: int, create: bool) -> OffsetsLog | None:
        """A partition of ``__consumer_offsets``, whose topic ``create`` brings into being.  Called without a lock held.

        Returns:
            None where the topic does not exist and ``create`` is False.
        """


def group_config(settings: Any) -> GroupConfig:
    """The coordinator's part of the broker's settings.

    Args:
        settings: anything that gives values by Kafka's dotted names.
    """
    return GroupConfig(
        min_session_timeout_ms=settings["group.min.session.timeout.ms"],
        max_session_timeout_ms=settings["group.max.session.timeout.ms"],
        initial_rebalance_delay_ms=settings["group.initial.rebalance.delay.ms"],
        max_size=settings["group.max.size"],
        offset_metadata_max_bytes=settings["offset.metadata.max.bytes"],
        offsets_retention_ms=settings["offsets.retention.minutes"] * 60_000,
        offsets_retention_check_interval_ms=settings["offsets.retention.check.interval.ms"],
        defaults=effective_settings(group_settings(settings, {})),
        consumer_max_size=settings["group.consumer.max.size"],
        consumer_assignors=tuple(settings["group.consumer.assignors"]) or ("uniform",),
        consumer_migration_policy=MigrationPolicy(settings["group.consumer.migration.policy"].lower()),
        share_max_size=settings["group.share.max.size"],
        streams_max_size=settings["group.streams.max.size"],
        hides_topics=bool(settings["authorizer.class.name"]),
        speaks_consumer_protocol="consumer" in settings["group.coordinator.rebalance.protocols"],
        speaks_streams_protocol="streams" in settings["group.coordinator.rebalance.protocols"],
    )
