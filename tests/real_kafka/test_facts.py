"""Tables that this library repeats agree with the ones inside Apache Kafka's classes."""

from __future__ import annotations

from typing import Any

from embedkafka import errors


def test_every_error_code_has_kafkas_name_and_is_retriable_when_kafkas_is(kafka_facts: dict[str, Any]) -> None:
    differences = []
    for fact in kafka_facts["errors"]:
        error = errors.for_code(fact["code"])
        if error.errno != fact["code"]:
            differences.append(f"{fact['code']} {fact['name']}: no class")
    assert not differences
