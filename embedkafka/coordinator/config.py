"""The broker settings that a group coordinator obeys, under Kafka's names with the unit last."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MigrationPolicy(str, Enum):
    """Which way a group with members may change its type (``group.consumer.migration.policy``)."""

    DISABLED = "disabled"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    BIDIRECTIONAL = "bidirectional"

    @property
    def allows_upgrade(self) -> bool:
        """A classic group becomes a consumer group when the first member of that protocol comes."""
        return self in (MigrationPolicy.UPGRADE, MigrationPolicy.BIDIRECTIONAL)

    @property
    def allows_downgrade(self) -> bool:
        """A consumer group becomes a classic one when the last member of its protocol goes."""
        return self in (MigrationPolicy.DOWNGRADE, MigrationPolicy.BIDIRECTIONAL)


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What a group can have settings of its own for (config resource GROUP), else the broker's ``group.*``.

    Defaults are Kafka 4.3's but for the intervals between assignments (1000 there) and the initial delay of streams
    groups (3000 there): one process has nobody to wait for.
    """

    consumer_session_timeout_ms: int = 45_000
    consumer_heartbeat_interval_ms: int = 5_000
    consumer_assignment_interval_ms: int = 0
    share_session_timeout_ms: int = 45_000
    share_heartbeat_interval_ms: int = 5_000
    share_assignment_interval_ms: int = 0
    share_record_lock_duration_ms: int = 30_000
    share_delivery_count_limit: int = 5
    share_partition_max_record_locks: int = 2_000
    share_auto_offset_reset: str = "latest"
    share_isolation_level: str = "read_uncommitted"
    share_renew_acknowledge_enable: bool = True
    streams_session_timeout_ms: int = 45_000
    streams_heartbeat_interval_ms: int = 5_000
    streams_assignment_interval_ms: int = 0
    streams_initial_rebalance_delay_ms: int = 0
    streams_num_standby_replicas: int = 0
    errors_deadletterqueue_topic_name: str = ""
    errors_deadletterqueue_copy_record_enable: bool = False


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """Defaults are Kafka 4.3's but for ``initial_rebalance_delay_ms`` (3000 there): one process has nobody to wait for.

    ``defaults`` are for groups without settings of their own.
    """

    min_session_timeout_ms: int = 6_000
    max_session_timeout_ms: int = 1_800_000
    initial_rebalance_delay_ms: int = 0
    max_size: int = 2_147_483_647
    new_member_join_timeout_ms: int = 300_000
    offset_metadata_max_bytes: int = 4_096
    offsets_retention_ms: int = 10_080 * 60_000
    offsets_retention_check_interval_ms: int = 600_000
    defaults: GroupSettings = GroupSettings()
    consumer_max_size: int = 2_147_483_647
    consumer_assignors: tuple[str, ...] = ("uniform", "range")
    consumer_migration_policy: MigrationPolicy = MigrationPolicy.BIDIRECTIONAL
    share_max_size: int = 200
    streams_max_size: int = 2_147_483_647
    speaks_consumer_protocol: bool = True
    speaks_streams_protocol: bool = True
    hides_topics: bool = False  # an authorizer says who may know of which
