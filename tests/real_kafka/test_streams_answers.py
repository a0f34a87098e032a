"""A member of a streams group is answered by our listener as by a real broker, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from real_kafka.streams_exchanges import EXCHANGES, Answer, Application
from server.peers import WirePeer

from embedkafka import EmbeddedKafka


@pytest.fixture
def ours() -> Iterator[WirePeer]:
    with EmbeddedKafka() as kafka, WirePeer(kafka.listen()) as peer:
        yield peer


@pytest.fixture
def real(kafka_broker: str) -> Iterator[WirePeer]:
    host, _, port = kafka_broker.partition(":")
    with WirePeer(SimpleNamespace(host=host, port=int(port)), timeout_s=30) as peer:  # type: ignore[arg-type]
        yield peer


@pytest.mark.timeout(120)
@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.__name__)
def test_answers_are_alike(exchange: Callable[[Application], Iterator[Answer]], ours: WirePeer, real: WirePeer) -> None:
    assert list(exchange(Application(ours))) == list(exchange(Application(real)))
