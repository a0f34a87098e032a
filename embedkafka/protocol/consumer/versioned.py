"""The int16 version in front of a consumer-protocol message."""

from __future__ import annotations

from typing import TypeVar

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.schema import Schema

M = TypeVar("M")


def encode(schema: Schema[M], message: M, version: int) -> bytes:
    """The version and the message; a version above the schema's latest is written as the latest."""
    version = min(version, schema.versions.highest)
    return version.to_bytes(2, "big", signed=True) + schema.encode_bytes(message, version)


def decode(schema: Schema[M], data: bytes | memoryview) -> tuple[M, int]:
    """The message and the version its writer used; bytes that a later version added are ignored.

    Raises:
        KafkaProtocolError: the bytes are no such message.
    """
    if len(data) < 2:
        raise KafkaProtocolError(f"{schema.message.__name__}: {len(data)} bytes hold no version")
    version = int.from_bytes(data[:2], "big", signed=True)
    if version < schema.versions.lowest:
        raise KafkaProtocolError(f"{schema.message.__name__}: version {version} does not exist")
    message, _ = schema.decode(data, min(version, schema.versions.highest), 2)
    return message, version
