"""Turning keys and values into bytes and back.

A serializer is a callable that takes the object, or an object with kafka-python's
``serialize(topic, headers, data)``; a deserializer likewise with ``deserialize(topic, headers, data)``.  As in
kafka-python, both are called with None too.  The ones here pass None through, so that a null key stays null and a null
value stays a tombstone.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

Headers = Sequence[tuple[str, "bytes | None"]]


class Serializer(ABC):
    """Makes bytes out of an object; subclass it where topic or headers matter."""

    @abstractmethod
    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        """The bytes of ``data``, or None for null."""

    def close(self) -> None:  # noqa: B027  # an optional hook, as in kafka-python
        """Called once when the client that uses it is closed."""


class Deserializer(ABC):
    """Makes an object out of bytes."""

    @abstractmethod
    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> Any:
        """The object in ``data``; None is null."""

    def close(self) -> None:  # noqa: B027  # an optional hook, as in kafka-python
        """Called once when the client that uses it is closed."""


class BytesSerializer(Serializer, Deserializer):
    """Bytes as they are."""

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is not None and not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"BytesSerializer takes bytes or None, not {type(data).__name__}")
        return None if data is None else bytes(data)

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> bytes | None:
        return data


class DefaultSerializer(Serializer, Deserializer):
    """kafka-python's: text is encoded, bytes stay as they are; everything is read as text.

    Args:
        encoding: any that Python knows.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self.encoding = encoding

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is None or isinstance(data, bytes | bytearray | memoryview):
            return None if data is None else bytes(data)
        encoded: bytes = data.encode(self.encoding)
        return encoded

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> str | None:
        return None if data is None else data.decode(self.encoding)


class StringSerializer(Serializer, Deserializer):
    """Text in an encoding.

    Args:
        encoding: any that Python knows.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self.encoding = encoding

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is None:
            return None
        if not isinstance(data, str):
            raise TypeError(f"StringSerializer takes str or None, not {type(data).__name__}")
        return data.encode(self.encoding)

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> str | None:
        return None if data is None else data.decode(self.encoding)


class JsonSerializer(Serializer, Deserializer):
    """JSON as UTF-8, without spaces and with text as it is."""

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is None:
            return None
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> Any:
        return None if data is None else json.loads(data)


class IntegerSerializer(Serializer, Deserializer):
    """A signed integer, big-endian, as Java's IntegerSerializer (4 bytes) and LongSerializer (8 bytes) write it.

    Args:
        size_bytes: 4 or 8; reading accepts no other size.
    """

    def __init__(self, size_bytes: int = 4) -> None:
        if size_bytes not in (4, 8):
            raise ValueError(f"size_bytes is 4 or 8, not {size_bytes}")
        self.size_bytes = size_bytes

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is None:
            return None
        if not isinstance(data, int):
            raise TypeError(f"IntegerSerializer takes int or None, not {type(data).__name__}")
        return data.to_bytes(self.size_bytes, "big", signed=True)

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> int | None:
        if data is None:
            return None
        if len(data) != self.size_bytes:
            raise ValueError(f"expected an integer of {self.size_bytes} bytes, found {len(data)}")
        return int.from_bytes(data, "big", signed=True)


class MsgpackSerializer(Serializer, Deserializer):
    """MessagePack: numbers, text, bytes, lists and maps, compact and fast, and safe to read from anyone."""

    def serialize(self, topic: str, headers: Headers, data: Any) -> bytes | None:
        if data is None:
            return None
        import msgpack

        packed: bytes = msgpack.packb(data)
        return packed

    def deserialize(self, topic: str, headers: Headers, data: bytes | None) -> Any:
        if data is None:
            return None
        import msgpack

        return msgpack.unpackb(data, strict_map_key=False)


# A class that serializes also deserializes; kafka-python's users look for the other name.
BytesDeserializer = BytesSerializer
StringDeserializer = StringSerializer
JsonDeserializer = JsonSerializer
IntegerDeserializer = IntegerSerializer
MsgpackDeserializer = MsgpackSerializer
