"""ConsumerGroupRegularExpressionKey (record type 16) and its value: the topics that a regular expression stood for."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT64, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerGroupRegularExpressionKey:
    group_id: str = wire(STRING)
    regular_expression: str = wire(STRING)


@dataclass(slots=True)
class ConsumerGroupRegularExpressionValue:
    """``version`` is that of the metadata it was matched against; ``timestamp`` is milliseconds since the epoch."""

    topics: list[str] = wire(array(STRING))
    version: int = wire(INT64)
    timestamp: int = wire(INT64)


KEY = Schema(ConsumerGroupRegularExpressionKey, versions="0")
VALUE = Schema(ConsumerGroupRegularExpressionValue, versions="0", flexible="0+")
