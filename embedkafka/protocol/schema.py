"""A message class bound to its versions: the encoder and decoder everyone calls."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.protocol import compiler
from embedkafka.protocol.decoder import describe_failure
from embedkafka.protocol.fields import VersionRange

M = TypeVar("M")

Chunk = bytes | bytearray | memoryview
_Encoder = Callable[[Any, Callable[[Chunk], None]], None]
_Decoder = Callable[[memoryview, int, int], tuple[Any, int]]

# Chunks from this size on stay separate: below it, joining costs less than a longer list does to a scatter write.
_KEEP_APART_BYTES = 4096


class Schema(Generic[M]):
    """Encodes and decodes one message class.

    Args:
        message: a dataclass whose fields were made by :func:`~embedkafka.protocol.fields.wire`.
        versions: the valid versions, in Kafka's notation (``"0-4"``).
        flexible: the versions with compact types and tagged fields (KIP-482).
    """

    def __init__(self, message: type[M], *, versions: str, flexible: str = "none") -> None:
        self.message = message
        self.versions = VersionRange.parse(versions)
        self.flexible = VersionRange.parse(flexible)
        self._encoders: dict[int, _Encoder] = {}
        self._decoders: dict[int, _Decoder] = {}

    def __repr__(self) -> str:
        return f"Schema({self.message.__name__}, versions {self.versions.lowest}-{self.versions.highest})"

    def encode(self, value: M, version: int) -> list[Chunk]:
        """The message as chunks in order; record data is passed through without a copy.

        Raises:
            UnsupportedVersionError: no such version, or a field it lacks holds a value that may not be dropped.
            KafkaProtocolError: a value does not fit its type.
        """
        parts = self._encode_parts(value, version)
        if sum(map(len, parts)) < _KEEP_APART_BYTES:
            return [b"".join(parts)] if parts else []
        chunks: list[Chunk] = []
        small: list[Chunk] = []
        for part in parts:
            if len(part) < _KEEP_APART_BYTES:
                small.append(part)
                continue
            if small:
                chunks.append(b"".join(small))
                small = []
            chunks.append(part)
        if small:
            chunks.append(b"".join(small))
        return chunks

    def encode_bytes(self, value: M, version: int) -> bytes:
        """The message in one piece; for messages without record data.  Raises as :meth:`encode`."""
        return b"".join(self._encode_parts(value, version))

    def decode(self, buffer: bytes | bytearray | memoryview, version: int, position: int = 0) -> tuple[M, int]:
        """The message at ``position`` and the position after it; record data are memoryviews of ``buffer``.

        Raises:
            UnsupportedVersionError: no such version.
            KafkaProtocolError: the bytes are not such a message; says where.
        """
        decoder = self._decoders.get(version)
        if decoder is None:
            decoder = self._decoders[version] = compiler.compile_decoder(
                self.message, self._check(version), version in self.flexible
            )
        view = memoryview(buffer)
        try:
            return decoder(view, position, len(view))
        except (struct.error, IndexError, UnicodeDecodeError, KafkaProtocolError) as error:
            problem = describe_failure(decoder, error, len(view))
            raise KafkaProtocolError(f"{self.message.__name__} v{version}: {problem}") from error

    def decode_whole(self, buffer: bytes | bytearray | memoryview, version: int, position: int = 0) -> M:
        """Like :meth:`decode`, for a message that must end where the buffer does."""
        value, end = self.decode(buffer, version, position)
        if end != len(buffer):
            raise KafkaProtocolError(
                f"{self.message.__name__} v{version} ends at byte {end}, {len(buffer) - end} before its bytes end"
            )
        return value

    def _encode_parts(self, value: M, version: int) -> list[Chunk]:
        encoder = self._encoders.get(version)
        if encoder is None:
            encoder = self._encoders[version] = compiler.compile_encoder(
                self.message, self._check(version), version in self.flexible
            )
        parts: list[Chunk] = []
        try:
            encoder(value, parts.append)
        except (struct.error, AttributeError, TypeError) as error:
            raise KafkaProtocolError(f"{self.message.__name__} v{version}: {error}: {value!r:.500}") from error
        return parts

    def _check(self, version: int) -> int:
        if version not in self.versions:
            raise UnsupportedVersionError(
                f"{self.message.__name__} has versions {self.versions.lowest} to {self.versions.highest}, not {version}"
            )
        return version
