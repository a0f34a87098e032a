"""Whatever a request says, as long as it is one, it is answered: no handler fails, and no answer cannot be written."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from protocol.apis.messages import ANY, FEW, KINDS, Kind, Leaves
from server.handlers.topics import create
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.record import encode_batch
from embedkafka.server.handlers import handlers
from embedkafka.server.listener import Listener

_WAITS_MS = ("max_wait_ms", "timeout_ms", "rebalance_timeout_ms", "session_timeout_ms")
_SASL = (17, 36)  # end the connection where nobody has to authenticate, as they should
SERVED = [kind for kind in KINDS if kind.direction == "request" and kind.key in handlers() and kind.key not in _SASL]

_small = st.sampled_from([-3, -2, -1, 0, 1, 2, 4, 16, 32, 100])
_topic_ids: list[UUID] = [UUID(int=0), UUID(int=77)]
PLAUSIBLE = Leaves(
    {
        **ANY.by_type,
        "string": st.sampled_from(
            ["t", "u", "g", "x", "m", "range", "consumer", "retention.ms", "0", "5", "", "[a-z]"]
        ),
        "uuid": st.integers(0, 2).map(lambda number: _topic_ids[number]),
        "records": st.just(memoryview(bytes(encode_batch([(1_700_000_000_000, b"k", b"v", ())])))),
        "int8": _small,
        "int16": _small,
        "int32": _small,
        "int64": _small,
    },
    {},
)
"""Names and numbers that mean something to the engine: a topic, a group, a transactional id, a member."""


def without_waiting(message: Any) -> Any:
    """The message with nothing in it that takes time, or that wants no answer."""
    for name in _WAITS_MS:
        if hasattr(message, name):
            setattr(message, name, min(getattr(message, name), 5))
    if getattr(message, "acks", None) == 0:
        message.acks = -1
    return message


@pytest.mark.parametrize("kind", SERVED, ids=str)
@settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_it_is_answered(
    kind: Kind, kafka: EmbeddedKafka, listener: Listener, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    with WirePeer(listener) as peer:
        if kafka.engine.topics.topic("t") is None:
            _topic_ids[2:] = [create(kafka, peer, "t", 2)]
        peer.ask(kind.key, kind.version, without_waiting(data.draw(kind.messages() | kind.messages(PLAUSIBLE))))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
