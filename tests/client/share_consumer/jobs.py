"""Short ways to put jobs in and to look at what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from embedkafka import ConfigResource, ConsumerRecord, EmbeddedKafka, KafkaShareConsumer, TopicPartition

GROUP = "workers"
LOCK_MS = 30_000  # share.record.lock.duration.ms by default

ShareConsumers = Callable[..., KafkaShareConsumer]
"""Makes share consumers of a test's engine: topics, then settings."""


def configure(kafka: EmbeddedKafka, **settings: Any) -> None:
    """Give the group settings."""
    with kafka.admin() as admin:
        admin.alter_configs([ConfigResource("GROUP", GROUP, configs=settings)])


def send(kafka: EmbeddedKafka, topic: str, count: int, partition: int = 0, **producer: object) -> None:
    """Send the numbers from 0 on, and wait for it."""
    send_values(kafka, topic, [b"%d" % number for number in range(count)], partition, **producer)


def send_values(
    kafka: EmbeddedKafka, topic: str, values: Iterable[bytes], partition: int = 0, **producer: object
) -> None:
    with kafka.producer(**producer) as client:
        for value in values:
            client.send(topic, value, partition=partition)


def records(polled: Mapping[TopicPartition, list[ConsumerRecord]]) -> list[ConsumerRecord]:
    return [record for each in polled.values() for record in each]


def offsets(polled: Mapping[TopicPartition, list[ConsumerRecord]]) -> list[int]:
    return [record.offset for record in records(polled)]


def counts(polled: Mapping[TopicPartition, list[ConsumerRecord]]) -> dict[int, int | None]:
    """How often each record was delivered, by offset."""
    return {record.offset: record.delivery_count for record in records(polled)}
