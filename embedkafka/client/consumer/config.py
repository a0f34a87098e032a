"""The consumer's settings: kafka-python's names and defaults, and which of them mean nothing inside one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedkafka.broker.api import READ_COMMITTED, READ_UNCOMMITTED
from embedkafka.client.assignors import ASSIGNORS, AbstractPartitionAssignor
from embedkafka.client.settings import CONNECTION_DEFAULTS, NETWORK_ONLY, check_counts, check_milliseconds, resolve
from embedkafka.errors import KafkaConfigurationError
from embedkafka.model import validate_topic_name


def _accept(offsets: object, response: object) -> bool:
    return True


DEFAULT_CONFIG: dict[str, Any] = {
    **CONNECTION_DEFAULTS,
    "bootstrap_servers": "localhost",
    "client_id": "embedkafka-consumer",
    "client_rack": "",
    "group_id": None,
    "group_instance_id": None,
    "group_protocol": "classic",
    "group_remote_assignor": None,
    "key_deserializer": None,
    "value_deserializer": None,
    "interceptor_classes": [],
    "enable_incremental_fetch_sessions": True,
    "fetch_max_wait_ms": 500,
    "fetch_min_bytes": 1,
    "fetch_max_bytes": 52_428_800,
    "max_partition_fetch_bytes": 1_048_576,
    "request_timeout_ms": 30_000,
    "retry_backoff_ms": 100,
    "auto_offset_reset": "latest",
    "enable_auto_commit": True,
    "auto_commit_interval_ms": 5_000,
    "default_offset_commit_callback": _accept,
    "check_crcs": True,
    "isolation_level": "read_uncommitted",
    "allow_auto_create_topics": True,
    "partition_assignment_strategy": (ASSIGNORS["range"], ASSIGNORS["roundrobin"]),
    "max_poll_records": 500,
    "max_poll_interval_ms": 300_000,
    "session_timeout_ms": 45_000,
    "heartbeat_interval_ms": 3_000,
    "consumer_timeout_ms": float("inf"),
    "ssl_ciphers": None,
    "metric_reporters": [],
    "metrics_enabled": True,
    "metrics_num_samples": 2,
    "metrics_sample_window_ms": 30_000,
    "metric_group_prefix": "consumer",
    "exclude_internal_topics": True,
}

WITHOUT_MEANING: Mapping[str, str] = {
    **NETWORK_ONLY,
    "client_rack": "one broker: there is no nearer replica to read from",
    "enable_incremental_fetch_sessions": "a fetch is a call, its partitions need not be sent again and again",
    "heartbeat_interval_ms": "the engine knows whether a member in its process lives",
    "metric_reporters": "metrics() is the way to read them",
    "metrics_num_samples": "metrics are totals, not rates over a window",
    "metrics_sample_window_ms": "metrics are totals, not rates over a window",
}
"""Accepted, checked where kafka-python checks them, and without effect; each with the reason."""


_OTHER_PROTOCOLS: Mapping[str, frozenset[str]] = {
    "classic": frozenset({"group_remote_assignor"}),
    # The broker decides these: group.consumer.assignors, .session.timeout.ms and .heartbeat.interval.ms.
    "consumer": frozenset({"partition_assignment_strategy", "session_timeout_ms", "heartbeat_interval_ms"}),
}
"""What each protocol does not take, because it means something to the other one only."""


def consumer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read and check a consumer's settings.

    Raises:
        KafkaConfigurationError: an unknown setting (naming the nearest known one), or a value that cannot be.
    """
    settings = resolve("KafkaConsumer", DEFAULT_CONFIG, given)
    check_milliseconds(
        settings,
        "fetch_max_wait_ms",
        "request_timeout_ms",
        "retry_backoff_ms",
        "auto_commit_interval_ms",
        "max_poll_interval_ms",
        "session_timeout_ms",
        "connections_max_idle_ms",
    )
    check_counts(settings, "max_poll_records", "fetch_max_bytes", "max_partition_fetch_bytes")
    check_counts(settings, "fetch_min_bytes", minimum=0)
    waits = settings["fetch_max_wait_ms"], settings["request_timeout_ms"], settings["connections_max_idle_ms"]
    if not waits[0] < waits[1] < waits[2]:
        raise KafkaConfigurationError(
            f"fetch_max_wait_ms ({waits[0]}) must be below request_timeout_ms ({waits[1]}), and that below "
            f"connections_max_idle_ms ({waits[2]})"
        )
    _check_group(settings)
    _check_protocol(settings, given)
    return settings


def _check_group(settings: Mapping[str, Any]) -> None:
    group_id = settings["group_id"]
    if group_id is not None and (not isinstance(group_id, str) or not group_id):
        raise KafkaConfigurationError(f"group_id is {group_id!r}, not a non-empty str (or None for no group)")
    instance_id = settings["group_instance_id"]
    if instance_id is not None:
        if group_id is None:
            raise KafkaConfigurationError("group_instance_id needs a group_id")
        try:
            validate_topic_name(instance_id)  # Kafka gives both names the same rules
        except Exception as error:
            raise KafkaConfigurationError(f"group_instance_id {instance_id!r} is not legal: {error}") from None


def _check_protocol(settings: dict[str, Any], given: Mapping[str, Any]) -> None:
    """The group protocol, and that nothing was given that the other one needs (as in Java)."""
    protocol = str(settings["group_protocol"]).lower()
    if protocol not in _OTHER_PROTOCOLS:
        raise KafkaConfigurationError(f"group_protocol is {settings['group_protocol']!r}, not 'classic' or 'consumer'")
    settings["group_protocol"] = protocol
    for name in given:
        if name.replace(".", "_") in _OTHER_PROTOCOLS[protocol]:
            raise KafkaConfigurationError(f"{name} cannot be set with group_protocol={protocol!r}")


def isolation_level(value: object) -> int:
    """READ_UNCOMMITTED or READ_COMMITTED from a name, a number, or kafka-python's enum."""
    name = str(getattr(value, "name", value)).lower()
    levels = {"read_uncommitted": READ_UNCOMMITTED, "0": 0, "read_committed": READ_COMMITTED, "1": 1}
    if name not in levels:
        raise KafkaConfigurationError(f"isolation_level is {value!r}, not 'read_uncommitted' or 'read_committed'")
    return levels[name]


def assignors(strategy: Any) -> list[AbstractPartitionAssignor]:
    """Assignors out of classes, objects or Java's names (``"range"``, ``"cooperative-sticky"``), in order.

    Raises:
        KafkaConfigurationError: none, or something that is no assignor.
    """
    given = [strategy] if isinstance(strategy, (str, type, AbstractPartitionAssignor)) else list(strategy)
    if not given:
        raise KafkaConfigurationError("partition_assignment_strategy names no assignor")
    return [_assignor(item) for item in given]


def _assignor(item: Any) -> AbstractPartitionAssignor:
    if isinstance(item, str):
        found = ASSIGNORS.get(item)
        if found is None:
            raise KafkaConfigurationError(f"no assignor is called {item!r}; there are {', '.join(sorted(ASSIGNORS))}")
        return found()
    assignor = item() if isinstance(item, type) else item
    if not all(hasattr(assignor, needed) for needed in ("name", "assign", "metadata", "on_assignment")):
        raise KafkaConfigurationError(f"{item!r} is no partition assignor")
    return assignor  # type: ignore[no-any-return]  # a program's own needs the methods only
