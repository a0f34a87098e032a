"""A peer that speaks the protocol byte by byte, so that a test says what is on the wire."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from embedkafka.protocol.apis import api
from embedkafka.protocol.apis.api_00_produce import PartitionProduceData, ProduceRequest, TopicProduceData
from embedkafka.protocol.apis.api_01_fetch import FetchPartition, FetchRequest, FetchTopic
from embedkafka.record import encode_batch
from embedkafka.server.listener import Listener


def frame(body: bytes) -> bytes:
    return struct.pack("!i", len(body)) + body


def request_bytes(key: int, version: int, request: Any, correlation_id: int = 0, client_id: str = "peer") -> bytes:
    """A request's frame."""
    chosen = api(key)
    name = client_id.encode()
    head = struct.pack("!hhih", key, version, correlation_id, len(name)) + name
    if chosen.request_header_version(version) == 2:
        head += b"\0"
    return frame(head + chosen.request.encode_bytes(request, version))


class WirePeer:
    """One connection."""

    def __init__(self, listener: Listener, *, timeout_s: float = 10.0, receive_buffer_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(timeout_s)
        self.socket.connect((listener.host, listener.port))
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[int, int]] = {}

    def send(self, key: int, version: int, request: Any) -> int:
        """Send a request; returns its correlation id."""
        number = next(self._numbers)
        self._asked[number] = key, version
        self.socket.sendall(request_bytes(key, version, request, number))
        return number

    def receive(self) -> tuple[int, Any]:
        """The next response with its correlation id."""
        body = self.receive_frame()
        (number,) = struct.unpack_from("!i", body)
        key, version = self._asked.pop(number)
        chosen = api(key)
        return number, chosen.response.decode_whole(body, version, 5 if chosen.response_header_version(version) else 4)

    def receive_frame(self) -> bytes:
        """The next frame.

        Raises:
            EOFError: the connection was closed.
        """
        (size,) = struct.unpack("!i", self._read(4))
        return self._read(size)

    def ask(self, key: int, version: int, request: Any) -> Any:
        """Send a request and wait for its response."""
        number = self.send(key, version, request)
        answered, response = self.receive()
        assert answered == number
        return response

    def is_closed_by_listener(self) -> bool:
        """Whether the listener ends the connection, with nothing more to say; waits for it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> WirePeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise EOFError(f"closed after {len(parts)} of {size} bytes")
            parts += part
        return bytes(parts)


def produce_request(
    topic: str, values: Sequence[bytes], *, partition: int = 0, acks: int = -1, **batch: Any
) -> ProduceRequest:
    """One batch for one partition, for versions below 13."""
    records = memoryview(encode_batch([(1_700_000_000_000, None, value, ()) for value in values], **batch))
    return ProduceRequest(
        None, acks, 1000, [TopicProduceData(topic, partition_data=[PartitionProduceData(partition, records)])]
    )


def fetch_request(topic: str, offset: int, *, partition: int = 0, **fields: Any) -> FetchRequest:
    """One partition of one topic, for versions below 13."""
    wanted = {"max_wait_ms": 0, "min_bytes": 1, **fields}
    return FetchRequest(
        topics=[
            FetchTopic(topic, partitions=[FetchPartition(partition, fetch_offset=offset, partition_max_bytes=1 << 20)])
        ],
        **wanted,
    )
