"""What peers may take: every queue and buffer that a peer can fill has its bound here."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import NamedTuple

from embedkafka.config import BrokerConfig
from embedkafka.errors import KafkaConfigurationError

WRITE_BUFFER_BYTES = 512 * 1024
"""What a connection hands to its transport at a time, and how much may lie there before the connection waits.

A reply's record data stay views of the log until then, so a reader that is slow holds no copy of them beyond this.
"""

CALLS_PER_TURN = 64
"""Requests that one connection may have answered before the others get their turn."""

HEAVY_REQUEST_BYTES = 64 * 1024
"""A larger request is a worker's from the first byte on: decoding a hundred thousand partitions takes long."""

MANY_PARTITIONS = 2000
"""So many partitions of a fetch session are a worker's work, too, however small the request is."""

CROWDED_READ_BYTES = 4096
"""What one more connection may send while the listener holds as many requests as it should."""

STALLED_S = 30.0
"""How long a peer may be silent in the middle of a request: until it ends, that takes memory that others wait for."""


class Limits(NamedTuple):
    """A listener's bounds, by Kafka's names; -1 is none where Kafka says so."""

    connections_max_idle_ms: int
    max_connections: int
    max_connections_per_ip: int
    max_connections_of_ip: Mapping[str, int]
    fetch_session_slots: int
    io_threads: int
    queued_max_request_bytes: int
    queued_max_requests: int
    socket_listen_backlog_size: int
    socket_receive_buffer_bytes: int
    socket_request_max_bytes: int
    socket_send_buffer_bytes: int

    @classmethod
    def of(cls, config: BrokerConfig) -> Limits:
        """Those of a broker's settings.

        Raises:
            KafkaConfigurationError: an address among them is none.
        """
        return cls(
            connections_max_idle_ms=config.integer("connections.max.idle.ms"),
            max_connections=config.integer("max.connections"),
            max_connections_per_ip=config.integer("max.connections.per.ip"),
            max_connections_of_ip=_overrides(config.text("max.connections.per.ip.overrides")),
            fetch_session_slots=config.integer("max.incremental.fetch.session.cache.slots"),
            io_threads=config.integer("num.io.threads"),
            queued_max_request_bytes=config.integer("queued.max.request.bytes"),
            queued_max_requests=config.integer("queued.max.requests"),
            socket_listen_backlog_size=config.integer("socket.listen.backlog.size"),
            socket_receive_buffer_bytes=config.integer("socket.receive.buffer.bytes"),
            socket_request_max_bytes=config.integer("socket.request.max.bytes"),
            socket_send_buffer_bytes=config.integer("socket.send.buffer.bytes"),
        )


def _overrides(text: str) -> dict[str, int]:
    """``host:number`` pairs by the addresses that the hosts have now."""
    found: dict[str, int] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        host, _, number = pair.rpartition(":")
        try:
            limit = int(number)
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host and limit >= 0 else []
        except (ValueError, OSError) as error:
            raise KafkaConfigurationError(f"max.connections.per.ip.overrides has {pair!r}: {error}") from None
        if not infos:
            raise KafkaConfigurationError(f"max.connections.per.ip.overrides has {pair!r}, which is not host:number")
        found.update((str(info[4][0]), limit) for info in infos)
    return found
