"""What the sticky assignor keeps in a subscription's user data: the member's last partitions (Java's StickyAssignor).

No version stands in front: version 0 is the array of topics, version 1 (Kafka 2.3) the same with the generation after
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka import model
from embedkafka.protocol.consumer.topic_partitions import TopicPartitions
from embedkafka.protocol.fields import INT32, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StickyUserData:
    """``generation`` -1 means the member does not know it."""

    previous_assignment: list[TopicPartitions] = wire(array(TopicPartitions))
    generation: int = wire(INT32, "1+", default=-1, ignorable=True)

    def partitions(self) -> list[model.TopicPartition]:
        """The partitions held before."""
        return [
            model.TopicPartition(topic, number) for topic, numbers in self.previous_assignment for number in numbers
        ]


SCHEMA = Schema(StickyUserData, versions="0-1")


def encode_sticky_user_data(data: StickyUserData) -> bytes:
    """The bytes of version 1."""
    return SCHEMA.encode_bytes(data, 1)


def decode_sticky_user_data(data: bytes) -> StickyUserData:
    """The user data of either version.

    Raises:
        KafkaProtocolError: the bytes are neither.
    """
    value, end = SCHEMA.decode(data, 0)
    return value if end == len(data) else SCHEMA.decode_whole(data, 1)
