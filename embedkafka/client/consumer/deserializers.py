"""What a program may give as a deserializer."""

from __future__ import annotations

from typing import Any

from embedkafka.errors import KafkaConfigurationError


def checked(given: Any, name: str) -> Any:
    """A deserializer as the record cursor takes it: a callable of bytes, or an object with ``deserialize``, or None.

    Args:
        given: one of these, or a Deserializer class, which is instantiated.
        name: the setting, for the error.

    Raises:
        KafkaConfigurationError: something that deserializes nothing.
    """
    if isinstance(given, type) and callable(getattr(given, "deserialize", None)):
        given = given()
    if given is None or callable(getattr(given, "deserialize", None)) or callable(given):
        return given
    raise KafkaConfigurationError(f"{name} is {given!r}: neither a callable nor a Deserializer")


def close_quietly(given: Any) -> None:
    """Close what has a ``close``."""
    close = getattr(given, "close", None)
    if callable(close) and not isinstance(given, type):
        close()
