"""The producer's settings: kafka-python's names and defaults, and which of them mean nothing inside one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedkafka.client.partitioners import DefaultPartitioner
from embedkafka.client.settings import CONNECTION_DEFAULTS, NETWORK_ONLY, check_counts, check_milliseconds, resolve
from embedkafka.errors import KafkaConfigurationError
from embedkafka.record.compression import type_by_name

DEFAULT_CONFIG: dict[str, Any] = {
    **CONNECTION_DEFAULTS,
    "bootstrap_servers": "localhost",
    "client_id": None,
    "key_serializer": None,
    "value_serializer": None,
    "enable_idempotence": True,
    "transactional_id": None,
    "transaction_timeout_ms": 60_000,
    "delivery_timeout_ms": 120_000,
    "acks": -1,
    "compression_type": None,
    "retries": float("inf"),
    "batch_size": 16_384,
    "linger_ms": 0,
    "partitioner": DefaultPartitioner(),
    "interceptors": (),
    "buffer_memory": 33_554_432,
    "max_block_ms": 60_000,
    "max_request_size": 1_048_576,
    "allow_auto_create_topics": True,
    "retry_backoff_ms": 100,
    "request_timeout_ms": 30_000,
    "max_in_flight_requests_per_connection": 5,
    "ssl_ciphers": None,
    "metric_reporters": [],
    "metrics_enabled": True,
    "metrics_num_samples": 2,
    "metrics_sample_window_ms": 30_000,
}

WITHOUT_MEANING: Mapping[str, str] = {
    **{name: reason for name, reason in NETWORK_ONLY.items() if name != "max_in_flight_requests_per_connection"},
    "metric_reporters": "metrics() is the way to read them",
    "metrics_num_samples": "metrics are totals and averages since the start, not rates over a window",
    "metrics_sample_window_ms": "metrics are totals and averages since the start, not rates over a window",
}
"""Accepted and without effect, or with less than in kafka-python; each with the reason."""

_ACKS = {"all": -1, "-1": -1, "0": 0, "1": 1}


def producer_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read and check a producer's settings.

    Raises:
        KafkaConfigurationError: an unknown setting (naming the nearest known one), or a value that cannot be.
    """
    settings = resolve("KafkaProducer", DEFAULT_CONFIG, given)
    names = {name.replace(".", "_") for name in given}
    check_milliseconds(
        settings,
        "delivery_timeout_ms",
        "linger_ms",
        "max_block_ms",
        "request_timeout_ms",
        "retry_backoff_ms",
        "transaction_timeout_ms",
    )
    check_counts(settings, "batch_size", minimum=0)
    check_counts(settings, "buffer_memory", "max_request_size", "max_in_flight_requests_per_connection")
    settings["acks"] = _acks(settings["acks"])
    settings["compression_type"] = _compression(settings["compression_type"])
    settings["retries"] = _retries(settings["retries"])
    _check_transactional_id(settings["transactional_id"])
    _check_idempotence(settings, names)
    if settings["partitioner"] is None:
        settings["partitioner"] = DefaultPartitioner()
    for name in ("key_serializer", "value_serializer"):
        given_serializer = settings[name]
        if isinstance(given_serializer, type) and hasattr(given_serializer, "serialize"):
            settings[name] = given_serializer()
        elif not (given_serializer is None or callable(given_serializer) or hasattr(given_serializer, "serialize")):
            raise KafkaConfigurationError(f"{name} is {given_serializer!r}: neither a callable nor a Serializer")
    partitioner = settings["partitioner"]
    if not (callable(partitioner) or hasattr(partitioner, "partition")):
        raise KafkaConfigurationError(f"partitioner is {partitioner!r}: neither a callable nor a Partitioner")
    return settings


def _acks(acks: Any) -> int:
    found = _ACKS.get(str(acks)) if not isinstance(acks, bool) else None
    if found is None:
        raise KafkaConfigurationError(f"acks is {acks!r}, not 0, 1 or 'all' (-1)")
    return found


def _compression(name: Any) -> str | None:
    try:
        type_by_name(name)
    except ValueError as error:
        raise KafkaConfigurationError(f"compression_type: {error}") from None
    return None if name == "none" else name


def _retries(retries: Any) -> float:
    try:
        found = float(retries)
    except (TypeError, ValueError):
        found = -1
    if isinstance(retries, bool) or not found >= 0:
        raise KafkaConfigurationError(f"retries is {retries!r}, not a number from 0 on")
    return found


def _check_transactional_id(transactional_id: Any) -> None:
    if transactional_id is not None and (not isinstance(transactional_id, str) or not transactional_id):
        raise KafkaConfigurationError(f"transactional_id is {transactional_id!r}, not a text of at least one character")


def _check_idempotence(settings: dict[str, Any], given: set[str]) -> None:
    """Idempotence needs acks=all, retries, at most five batches in flight (KIP-679); asked for, a clash raises.

    A ``transactional_id`` asks for it.
    """
    is_transactional = settings["transactional_id"] is not None
    if not settings["enable_idempotence"]:
        if is_transactional:
            raise KafkaConfigurationError("a transactional_id needs enable_idempotence=True")
        return
    conflicts = [
        f"{name}={settings[name]!r}"
        for name, clashes in (
            ("acks", settings["acks"] != -1),
            ("retries", settings["retries"] == 0),
            ("max_in_flight_requests_per_connection", settings["max_in_flight_requests_per_connection"] > 5),
        )
        if clashes
    ]
    if conflicts and ("enable_idempotence" in given or is_transactional):
        asked = "a transactional_id" if is_transactional else "enable_idempotence=True"
        raise KafkaConfigurationError(f"{asked} does not go with {', '.join(conflicts)}")
    if conflicts:
        settings["enable_idempotence"] = False
