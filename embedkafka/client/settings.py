"""Clients' settings: kafka-python's names, Java's dotted names beside them, and an error that names the nearest.

A client states its settings as one mapping of name to default (kafka-python's ``DEFAULT_CONFIG``).  A setting may be
given under its Python name (``fetch_max_bytes=...``) or, through ``**{...}``, under Java's (``fetch.max.bytes``); a
text given under a dotted name is read as Java reads it (``"true"``, ``"500"``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedkafka.errors import KafkaConfigurationError

NO_DELAY = (6, 1, 1)
"""``(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)``, without loading ``socket``: kafka-python's ``socket_options``."""

NETWORK_ONLY: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "receive_buffer_bytes",
            "send_buffer_bytes",
            "socket_options",
            "receive_message_max_bytes",
            "connections_max_idle_ms",
            "reconnect_backoff_ms",
            "reconnect_backoff_max_ms",
            "selector",
            "client_dns_lookup",
            "proxy_url",
            "socks5_proxy",
            "kafka_client",
        ),
        "no connection: calls go to the engine in this process",
    ),
    **dict.fromkeys(
        (
            "security_protocol",
            "ssl_context",
            "ssl_check_hostname",
            "ssl_cafile",
            "ssl_certfile",
            "ssl_keyfile",
            "ssl_password",
            "ssl_crlfile",
            "ssl_ciphers",
            "sasl_mechanism",
            "sasl_plain_username",
            "sasl_plain_password",
            "sasl_kerberos_name",
            "sasl_kerberos_service_name",
            "sasl_kerberos_domain_name",
            "sasl_oauth_token_provider",
        ),
        "nothing to encrypt or authenticate inside one process",
    ),
    "api_version": "client and broker are of one version",
    "bootstrap_timeout_ms": "the engine is there once the client is built",
    "max_in_flight_requests_per_connection": "no connection; a producer keeps five batches in flight per partition",
    "metadata_max_age_ms": "metadata changes are seen at once",
}
"""Settings that every client accepts and that mean nothing inside one process, each with the reason."""

CONNECTION_DEFAULTS: Mapping[str, Any] = {
    "receive_buffer_bytes": None,
    "send_buffer_bytes": None,
    "socket_options": [NO_DELAY],
    "receive_message_max_bytes": 100_000_000,
    "connections_max_idle_ms": 540_000,
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 30_000,
    "selector": None,
    "client_dns_lookup": "use_all_dns_ips",
    "proxy_url": None,
    "socks5_proxy": None,
    "kafka_client": None,
    "security_protocol": "PLAINTEXT",
    "ssl_context": None,
    "ssl_check_hostname": True,
    "ssl_cafile": None,
    "ssl_certfile": None,
    "ssl_keyfile": None,
    "ssl_password": None,
    "ssl_crlfile": None,
    "sasl_mechanism": None,
    "sasl_plain_username": None,
    "sasl_plain_password": None,
    "sasl_kerberos_name": None,
    "sasl_kerberos_service_name": "kafka",
    "sasl_kerberos_domain_name": None,
    "sasl_oauth_token_provider": None,
    "api_version": None,
    "bootstrap_timeout_ms": 30_000,
    "max_in_flight_requests_per_connection": 5,
    "metadata_max_age_ms": 300_000,
}
"""Those of them that have the same default in all of kafka-python's clients."""


def resolve(client: str, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what a program gave with a client's defaults.

    Args:
        client: the client's class name, for messages.
        defaults: every known setting and its default.
        given: the program's keyword arguments; Java's dotted names allowed.

    Raises:
        KafkaConfigurationError: an unknown setting, naming the nearest known one; one given under both its names; or a
            text under a dotted name that cannot be read.
    """
    settings = dict(defaults)
    seen: dict[str, str] = {}
    for name, value in given.items():
        known = name.replace(".", "_")
        if known not in defaults:
            raise KafkaConfigurationError(_unknown(client, name, known, defaults))
        if known in seen:
            raise KafkaConfigurationError(f"{client} got both {seen[known]} and {name}, which are the same setting")
        seen[known] = name
        settings[known] = _read(name, value, defaults[known]) if "." in name else value
    return settings


def _unknown(client: str, name: str, known: str, defaults: Mapping[str, Any]) -> str:
    import difflib  # only for the error: loading it takes as long as building a client

    near = difflib.get_close_matches(known, defaults, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0].replace('_', '.') if '.' in name else near[0]!r}?" if near else ""
    return f"{client} has no setting {name!r}{hint}"


def _read(name: str, value: Any, default: Any) -> Any:
    """A dotted name's text in the type of the setting's default; anything else as it is."""
    if not isinstance(value, str) or isinstance(default, str) or default is None:
        return value
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[value.strip().lower()]
        if isinstance(default, int):
            return int(value)
        if isinstance(default, float):
            return float(value)
    except (KeyError, ValueError):
        raise KafkaConfigurationError(f"{name} is {value!r}, not a {type(default).__name__}") from None
    return value


def check_milliseconds(settings: Mapping[str, Any], *names: str) -> None:
    """Each of these settings must be a number of milliseconds, 0 or more.

    Raises:
        KafkaConfigurationError: naming the first that is not.
    """
    for name in names:
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise KafkaConfigurationError(f"{name} is {value!r}, not a number of milliseconds from 0 on")


def check_counts(settings: Mapping[str, Any], *names: str, minimum: int = 1) -> None:
    """Each of these settings must be a whole number not below ``minimum``.

    Raises:
        KafkaConfigurationError: naming the first that is not.
    """
    for name in names:
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise KafkaConfigurationError(f"{name} is {value!r}, not a whole number from {minimum} on")
