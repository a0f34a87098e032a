"""One calling shape for whatever a program gives as a deserializer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from embedkafka.errors import KafkaConfigurationError

Deserialize = Callable[[str, Sequence[tuple[str, "bytes | None"]], "bytes | None"], Any]


def as_deserialize(given: Any, name: str) -> Deserialize | None:
    """A function of topic, headers and bytes out of a callable of bytes, a Deserializer object or class, or None.

    Raises:
        KafkaConfigurationError: something that deserializes nothing.
    """
    if given is None:
        return None
    if isinstance(given, type):
        given = given()
    method = getattr(given, "deserialize", None)
    if callable(method):
        return method  # type: ignore[no-any-return]  # kafka-python's interface
    if callable(given):
        return lambda topic, headers, data: given(data)
    raise KafkaConfigurationError(f"{name} is {given!r}: neither a callable nor a Deserializer")


def close_quietly(given: Any) -> None:
    """Close what has a ``close``."""
    close = getattr(given, "close", None)
    if callable(close) and not isinstance(given, type):
        close()
