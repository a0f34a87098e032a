"""Short ways to put records in and to look at what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from embedkafka import ConsumerRecord, EmbeddedKafka, KafkaConsumer, TopicPartition

Consumers = Callable[..., KafkaConsumer]
"""Makes consumers of a test's engine: topics, then settings."""


def send(kafka: EmbeddedKafka, topic: str, values: Iterable[bytes], partition: int = 0, **producer: object) -> None:
    """Send values to one partition, and wait for it."""
    with kafka.producer(**producer) as client:
        for value in values:
            client.send(topic, value=value, partition=partition)


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


def values(polled: Mapping[TopicPartition, list[ConsumerRecord]]) -> list[bytes]:
    """All values of a poll."""
    return [record.value for records in polled.values() for record in records]


def poll_in_turn(*consumers: KafkaConsumer, rounds: int = 4) -> None:
    """Let every member see the others come and go, on one thread."""
    for _ in range(rounds):
        for consumer in consumers:
            consumer.poll(0)


def partitions(consumer: KafkaConsumer) -> list[int]:
    """The numbers of the partitions a consumer has."""
    return sorted(partition.partition for partition in consumer.assignment())
