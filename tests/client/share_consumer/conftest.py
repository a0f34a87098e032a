"""An engine whose time stands still, with a share group that reads from the beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.share_consumer.jobs import GROUP, ShareConsumers, configure

from embedkafka import EmbeddedKafka, KafkaShareConsumer, ManualClock


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(clock=ManualClock()) as engine:
        configure(engine, **{"share.auto.offset.reset": "earliest"})
        yield engine


@pytest.fixture
def consumer(kafka: EmbeddedKafka) -> Iterator[ShareConsumers]:
    """Makes consumers in explicit mode that are closed at the end of the test."""
    made: list[KafkaShareConsumer] = []

    def make(*topics: str, **configs: object) -> KafkaShareConsumer:
        configs.setdefault("group_id", GROUP)
        configs.setdefault("share_acknowledgement_mode", "explicit")
        configs.setdefault("consumer_timeout_ms", 0)
        made.append(kafka.share_consumer(*topics, **configs))
        return made[-1]

    yield make
    for consumer in made:
        consumer.close()
