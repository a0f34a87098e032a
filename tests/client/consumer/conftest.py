"""An engine whose time stands still, and short ways to put records into it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.consumer.records import Consumers

from embedkafka import EmbeddedKafka, KafkaConsumer, ManualClock


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(clock=ManualClock()) as engine:
        yield engine


@pytest.fixture
def consumer(kafka: EmbeddedKafka) -> Iterator[Consumers]:
    """Makes consumers that read from the beginning and are closed at the end of the test."""
    made: list[KafkaConsumer] = []

    def make(*topics: str, **configs: object) -> KafkaConsumer:
        configs.setdefault("auto_offset_reset", "earliest")
        configs.setdefault("consumer_timeout_ms", 0)
        made.append(kafka.consumer(*topics, **configs))
        return made[-1]

    yield make
    for consumer in made:
        consumer.close(autocommit=False)
