"""The same program gets the same answers from Apache Kafka and from this library."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import kafka
import pytest
from real_kafka.scenarios import SCENARIOS, World

import embedkafka

# Answers that differ on purpose: scenario, question -> (Apache Kafka through kafka-python, this library), and why.
KNOWN_DIFFERENCES: dict[tuple[str, str], tuple[Any, Any, str]] = {
    ("committing", "commit a negative offset"): (
        None,
        "raises ValueError",
        "Java's client refuses it; kafka-python sends it, and the broker takes it as nothing committed",
    ),
    ("subscribing", "pause what is not assigned"): (
        "raises KeyError",
        "raises IllegalStateError",
        "an accident of kafka-python's; Java raises IllegalStateException",
    ),
    ("subscribing", "assign with a string"): (
        "raises AttributeError",
        "raises TypeError",
        "an accident of kafka-python's; this says what is wrong",
    ),
    ("committing", "committed then"): (None, [1000, "", -1], "what follows from it"),
    ("topic_configs", "a topic that is not there"): (
        "raises ValueError",
        "raises UnknownTopicOrPartitionError",
        "kafka-python takes the settings for unknown; Java and the broker name the topic",
    ),
}


def _run(scenario: Callable[[World], None], world: World) -> list[tuple[str, Any]]:
    try:
        scenario(world)
    finally:
        world.close()
    return world.transcript


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_same_answers_as_apache_kafka(scenario: Callable[[World], None], kafka_broker: str, tmp_path: Any) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    theirs = _run(scenario, World(kafka, kafka_broker, prefix))
    with embedkafka.EmbeddedKafka(tmp_path / "data", **{"group.initial.rebalance.delay.ms": 0}) as engine:
        ours = _run(scenario, World(embedkafka, engine, prefix))
    assert [what for what, _ in ours] == [what for what, _ in theirs]
    differences = []
    for (what, their_answer), (_, our_answer) in zip(theirs, ours, strict=True):
        if their_answer == our_answer:
            continue
        known = KNOWN_DIFFERENCES.get((scenario.__name__, what))
        if known is None or known[:2] != (their_answer, our_answer):
            differences.append(f"{what}:\n  Apache Kafka: {their_answer!r}\n  embedkafka:   {our_answer!r}")
    assert not differences, "\n" + "\n".join(differences)
