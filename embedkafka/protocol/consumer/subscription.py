"""ConsumerProtocolSubscription, versions 0 to 3: what a member asks of its leader when it joins.

Version 1 added ``owned_partitions`` (KIP-429), version 2 ``generation_id`` (KIP-792: is the ownership out of date?),
version 3 ``rack_id`` (KIP-881).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from embedkafka import model
from embedkafka.protocol.consumer import versioned
from embedkafka.protocol.consumer.topic_partitions import TopicPartitions
from embedkafka.protocol.fields import BYTES, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ConsumerProtocolSubscription:
    """Positional arguments are those of kafka-python's class of this name; ``version`` is the one to encode."""

    TopicPartition: ClassVar[type[TopicPartitions]] = TopicPartitions

    version: int = 0
    topics: list[str] = wire(array(STRING))
    user_data: bytes | None = wire(BYTES, default=None, nullable="0+")
    owned_partitions: list[TopicPartitions] = wire(array(TopicPartitions), "1+", ignorable=True)
    generation_id: int = wire(INT32, "2+", default=-1, ignorable=True)
    rack_id: str | None = wire(STRING, "3+", default=None, nullable="3+", ignorable=True)

    def owned(self) -> list[model.TopicPartition]:
        """The partitions this member holds."""
        return [model.TopicPartition(topic, number) for topic, numbers in self.owned_partitions for number in numbers]


SCHEMA = Schema(ConsumerProtocolSubscription, versions="0-3")


def encode_subscription(subscription: ConsumerProtocolSubscription) -> bytes:
    """The bytes a join request carries, in the subscription's own version."""
    return versioned.encode(SCHEMA, subscription, subscription.version)


def decode_subscription(data: bytes | memoryview) -> ConsumerProtocolSubscription:
    """The subscription in a join request; ``version`` is what its writer used.

    Raises:
        KafkaProtocolError: the bytes are no subscription.
    """
    subscription, version = versioned.decode(SCHEMA, data)
    subscription.version = version
    return subscription


def subscribed_topics(data: bytes | memoryview) -> list[str]:
    """The topics of a subscription of whatever version, as Kafka's coordinator reads them.

    Every version begins like version 0, and that much is read: there are clients whose messages break off after it.

    Raises:
        KafkaProtocolError: the bytes are no subscription.
    """
    return versioned.decode(SCHEMA, bytes(2) + bytes(data[2:]))[0].topics
