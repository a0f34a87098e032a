"""``KafkaAdminClient``: kafka-python 3's admin client on an engine in this process."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from embedkafka.client.admin.acls import AclAdmin
from embedkafka.client.admin.cluster import ClusterAdmin
from embedkafka.client.admin.configs import ConfigAdmin
from embedkafka.client.admin.later import LaterAdmin
from embedkafka.client.admin.quotas import QuotaAdmin
from embedkafka.client.admin.share_groups import ShareGroupAdmin
from embedkafka.client.admin.streams_groups import StreamsGroupAdmin
from embedkafka.client.admin.topics import TopicAdmin
from embedkafka.client.admin.transactions import TransactionAdmin
from embedkafka.client.admin.users import UserAdmin
from embedkafka.client.link import connect
from embedkafka.client.settings import CONNECTION_DEFAULTS, NETWORK_ONLY, check_milliseconds, resolve

DEFAULT_CONFIG: dict[str, Any] = {
    **CONNECTION_DEFAULTS,
    "bootstrap_servers": "localhost",
    "client_id": "embedkafka-admin",
    "request_timeout_ms": 30_000,
    "retry_backoff_ms": 100,
    "metric_reporters": [],
    "metrics_num_samples": 2,
    "metrics_sample_window_ms": 30_000,
}

WITHOUT_MEANING: Mapping[str, str] = {
    **{name: reason for name, reason in NETWORK_ONLY.items() if name in DEFAULT_CONFIG},
    "metric_reporters": "the admin client measures nothing",
    "metrics_num_samples": "the admin client measures nothing",
    "metrics_sample_window_ms": "the admin client measures nothing",
}
"""Accepted and without effect, each with the reason."""


class KafkaAdminClient(
    TopicAdmin,
    ConfigAdmin,
    ShareGroupAdmin,
    StreamsGroupAdmin,
    TransactionAdmin,
    ClusterAdmin,
    AclAdmin,
    UserAdmin,
    QuotaAdmin,
    LaterAdmin,
):
    """Creates, describes, changes and deletes topics, settings, groups, transactions, rules, users and limits.

    Args:
        **configs: kafka-python's settings (``DEFAULT_CONFIG``), also under Java's dotted names.

    Calls may come from any thread.

    Raises:
        KafkaConfigurationError: an unknown setting or a value that cannot be.
    """

    DEFAULT_CONFIG = DEFAULT_CONFIG

    def __init__(self, **configs: Any) -> None:
        self.config = resolve("KafkaAdminClient", DEFAULT_CONFIG, configs)
        check_milliseconds(self.config, "request_timeout_ms", "retry_backoff_ms")
        self._link = connect(self.config["bootstrap_servers"], client_id=str(self.config["client_id"]))
        self._link.owned_by(self)

    def close(self) -> None:
        """Let go of the engine.  The second call does nothing."""
        self._link.close()

    def _kill(self) -> None:
        self._link.close()

    def __enter__(self) -> KafkaAdminClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
