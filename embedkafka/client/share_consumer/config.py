"""The share consumer's settings: Java's in kafka-python's spelling, and which of them mean nothing in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedkafka.broker.api import AcquireMode
from embedkafka.client.settings import CONNECTION_DEFAULTS, NETWORK_ONLY, check_counts, check_milliseconds, resolve
from embedkafka.errors import InvalidGroupIdError, KafkaConfigurationError

DEFAULT_CONFIG: dict[str, Any] = {
    **CONNECTION_DEFAULTS,
    "bootstrap_servers": "localhost",
    "client_id": "embedkafka-share-consumer",
    "client_rack": "",
    "group_id": None,
    "key_deserializer": None,
    "value_deserializer": None,
    "share_acknowledgement_mode": "implicit",
    "share_acquire_mode": "batch_optimized",
    "fetch_max_wait_ms": 500,
    "fetch_min_bytes": 1,
    "fetch_max_bytes": 52_428_800,
    "request_timeout_ms": 30_000,
    "default_api_timeout_ms": 60_000,
    "retry_backoff_ms": 100,
    "check_crcs": True,
    "allow_auto_create_topics": True,
    "max_poll_records": 500,
    "max_poll_interval_ms": 300_000,
    "consumer_timeout_ms": float("inf"),
    "ssl_ciphers": None,
    "metric_reporters": [],
    "metrics_enabled": True,
    "metrics_num_samples": 2,
    "metrics_sample_window_ms": 30_000,
}

WITHOUT_MEANING: Mapping[str, str] = {
    **NETWORK_ONLY,
    "client_rack": "one broker: there is no nearer replica to read from",
    "request_timeout_ms": "a call to the engine is answered when it returns; default_api_timeout_ms limits retries",
    "metric_reporters": "metrics() is the way to read them",
    "metrics_num_samples": "metrics are totals, not rates over a window",
    "metrics_sample_window_ms": "metrics are totals, not rates over a window",
}
"""Accepted, and without effect; each with the reason."""

_NOT_FOR_SHARE_GROUPS = {
    "auto_offset_reset": "the group's setting share.auto.offset.reset",
    "enable_auto_commit": "share_acknowledgement_mode",
    "auto_commit_interval_ms": "share_acknowledgement_mode",
    "group_instance_id": "nothing: a share group has no static members",
    "isolation_level": "the group's setting share.isolation.level",
    "partition_assignment_strategy": "nothing: the broker assigns",
    "interceptor_classes": "nothing: a share consumer has no interceptors",
    "session_timeout_ms": "the broker's setting group.share.session.timeout.ms",
    "heartbeat_interval_ms": "the broker's setting group.share.heartbeat.interval.ms",
    "group_protocol": "nothing: there is one protocol",
    "group_remote_assignor": "nothing: the broker chooses",
}
"""KafkaConsumer's settings that a share consumer refuses (Java's ShareConsumerConfig), and what stands for each."""

_ACQUIRE_MODES = {"batch_optimized": AcquireMode.BATCH_OPTIMIZED, "record_limit": AcquireMode.RECORD_LIMIT}


def share_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read and check a share consumer's settings.

    Raises:
        KafkaConfigurationError: an unknown setting (naming the nearest known one), one that share groups do not have,
            or a value that cannot be.
        InvalidGroupIdError: no group.
    """
    for name in given:
        instead = _NOT_FOR_SHARE_GROUPS.get(name.replace(".", "_"))
        if instead is not None:
            raise KafkaConfigurationError(f"{name} cannot be set with a share group; instead there is {instead}")
    settings = resolve("KafkaShareConsumer", DEFAULT_CONFIG, given)
    check_milliseconds(
        settings,
        "fetch_max_wait_ms",
        "request_timeout_ms",
        "default_api_timeout_ms",
        "retry_backoff_ms",
        "max_poll_interval_ms",
        "consumer_timeout_ms",
    )
    check_counts(settings, "max_poll_records", "fetch_max_bytes")
    check_counts(settings, "fetch_min_bytes", minimum=0)
    group_id = settings["group_id"]
    if not isinstance(group_id, str) or not group_id:
        raise InvalidGroupIdError(f"a share consumer needs a group_id, not {group_id!r}")
    _choose(settings, "share_acknowledgement_mode", ("implicit", "explicit"))
    _choose(settings, "share_acquire_mode", tuple(_ACQUIRE_MODES))
    return settings


def _choose(settings: dict[str, Any], name: str, choices: tuple[str, ...]) -> None:
    value = str(settings[name]).lower()
    if value not in choices:
        raise KafkaConfigurationError(f"{name} is {settings[name]!r}, not {' or '.join(map(repr, choices))}")
    settings[name] = value


def acquire_mode(settings: Mapping[str, Any]) -> int:
    """Kafka's number for ``share_acquire_mode`` (KIP-1206)."""
    return _ACQUIRE_MODES[settings["share_acquire_mode"]]
