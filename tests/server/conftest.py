"""An engine with a listener, and peers of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.server import listener as listener_module
from embedkafka.server.listener import Listener


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as engine:
        yield engine


@pytest.fixture
def listener(kafka: EmbeddedKafka) -> Listener:
    return kafka.listen()


@pytest.fixture
def connect(listener: Listener) -> Iterator[Callable[[], WirePeer]]:
    peers: list[WirePeer] = []

    def new() -> WirePeer:
        peers.append(WirePeer(listener))
        return peers[-1]

    yield new
    for peer in peers:
        peer.close()


@pytest.fixture
def peer(connect: Callable[[], WirePeer]) -> WirePeer:
    return connect()


@pytest.fixture(params=["uvloop", "asyncio"])
def each_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both loops that a listener may run on."""
    if request.param == "asyncio":
        monkeypatch.setattr(listener_module, "_new_loop", asyncio.new_event_loop)
    loop: str = request.param
    return loop
