"""An engine whose time stands still, and an admin client on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient, ManualClock


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(clock=ManualClock()) as engine:
        yield engine


@pytest.fixture
def admin(kafka: EmbeddedKafka) -> Iterator[KafkaAdminClient]:
    with kafka.admin() as client:
        yield client
