"""Methods that stand with kafka-python's signatures for what later versions bring; each says so when called.

They are here so that a program that only mentions them runs, and so that what is missing is said in one place.
"""

from __future__ import annotations

from typing import Any, NoReturn

from embedkafka.client.admin.base import AdminBase, not_yet
from embedkafka.client.admin.values import UpdateFeatureType  # noqa: F401  # what update_features takes


class LaterAdmin(AdminBase):
    # Several brokers

    def elect_leaders(
        self, election_type: Any, topic_partitions: Any = None, timeout_ms: Any = None, raise_errors: bool = True
    ) -> NoReturn:
        """Leader elections between several brokers."""
        raise not_yet("leader elections, which need several brokers")

    def alter_partition_reassignments(self, reassignments: Any, timeout_ms: Any = None) -> NoReturn:
        """Moving partitions between several brokers."""
        raise not_yet("moving partitions, which needs several brokers")

    def alter_replica_log_dirs(self, replica_assignments: Any) -> NoReturn:
        """Moving replicas between directories."""
        raise not_yet("several log directories")

    def describe_metadata_quorum(self) -> NoReturn:
        """The KRaft quorum, of which an engine in one process has none."""
        raise not_yet("a metadata quorum")

    # The wire protocol

    def get_broker_version_data(self, broker_id: Any) -> NoReturn:
        """Versions of the wire protocol."""
        raise not_yet("versions of the wire protocol, which need the listener")

    def api_versions(self) -> NoReturn:
        """Versions of the wire protocol."""
        raise not_yet("versions of the wire protocol, which need the listener")

    def describe_features(self, send_request_to_controller: bool = False) -> NoReturn:
        """Feature flags."""
        raise not_yet("feature flags")

    def update_features(
        self, feature_updates: Any, validate_only: bool = False, timeout_ms: float = 60_000
    ) -> NoReturn:
        """Feature flags."""
        raise not_yet("feature flags")
