"""A topic with numbers of its partitions, as subscriptions and assignments list them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedkafka.protocol.fields import INT32, STRING, array, wire


@dataclass(slots=True)
class TopicPartitions:
    """Unpacks into its two fields, like the pairs that kafka-python's assignors use."""

    topic: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.topic, self.partitions))
