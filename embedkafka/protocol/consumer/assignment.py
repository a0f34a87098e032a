"""ConsumerProtocolAssignment, versions 0 to 3 (all alike): what the leader gives a member."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer import versioned
from embedkafka.protocol.consumer.topic_partitions import TopicPartitions
from embedkafka.protocol.fields import BYTES, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerProtocolAssignment:
    """Positional arguments are those of kafka-python's class of this name; pairs stand for ``TopicPartitions`` too."""

    version: int = 0
    assigned_partitions: list[TopicPartitions] = wire(array(TopicPartitions))
    user_data: bytes | None = wire(BYTES, default=None, nullable="0+")

    def __post_init__(self) -> None:
        self.assigned_partitions = [
            pair if isinstance(pair, TopicPartitions) else TopicPartitions(pair[0], list(pair[1]))
            for pair in self.assigned_partitions
        ]

    def partitions(self) -> list[TopicPartition]:
        """The assigned partitions, in the order given."""
        return [
            TopicPartition(given.topic, number) for given in self.assigned_partitions for number in given.partitions
        ]


SCHEMA = Schema(ConsumerProtocolAssignment, versions="0-3")


def encode_assignment(assignment: ConsumerProtocolAssignment) -> bytes:
    """The bytes a sync reply carries, in the assignment's own version."""
    return versioned.encode(SCHEMA, assignment, assignment.version)


def decode_assignment(data: bytes | memoryview) -> ConsumerProtocolAssignment:
    """The assignment in a sync reply; empty bytes are an empty assignment, as a member without partitions may get.

    Raises:
        KafkaProtocolError: the bytes are no assignment.
    """
    if not data:
        return ConsumerProtocolAssignment()
    assignment, version = versioned.decode(SCHEMA, data)
    assignment.version = version
    return assignment
