"""Tables that this library repeats agree with the ones inside Apache Kafka's classes."""

from __future__ import annotations

from typing import Any

from embedkafka import errors
from embedkafka.config.broker import BROKER_CONFIGS
from embedkafka.config.definition import to_text
from embedkafka.config.synonyms import TOPIC_SYNONYMS
from embedkafka.config.topic import TOPIC_CONFIGS

# kafka-python's names and views, which this library keeps because programs know them.
NAMES_OF_KAFKA_PYTHON = {
    -1: "UNKNOWN",
    0: "NO_ERROR",
    6: "NOT_LEADER_FOR_PARTITION",
    10: "MESSAGE_SIZE_TOO_LARGE",
    17: "INVALID_TOPIC",
    39: "INVALID_REPLICATION_ASSIGNMENT",
}
OWN_BROKER_CONFIGS = {"log.max.total.bytes", "log.read.mode", "log.tail.bytes", "max.open.files"}
LATER_BROKER_CONFIGS = {  # of Kafka 4.4 (KIP-1191)
    "errors.deadletterqueue.auto.create.topics.enable",
    "errors.deadletterqueue.topic.name.prefix",
}
THROTTLE_CONFIGS = {  # in Kafka in a table of their own, which the broker's does not list (QuotaConfig)
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
}
AUTHORIZER_CONFIGS = {"allow.everyone.if.no.acl.found", "super.users"}  # Kafka hands them to the authorizer unseen
FINAL_IN_KAFKA_PYTHON = {2}  # CORRUPT_MESSAGE: Java's producer sends it again, kafka-python's does not


def test_every_error_code_has_a_class_with_kafkas_name_and_retriability(kafka_facts: dict[str, Any]) -> None:
    differences = []
    for fact in kafka_facts["errors"]:
        code = fact["code"]
        expected = (
            NAMES_OF_KAFKA_PYTHON.get(code, fact["name"]),
            fact["retriable"] and code not in FINAL_IN_KAFKA_PYTHON,
        )
        error = errors.kafka_errors.get(code)
        found = None if error is None else (error.message, error.retriable)
        if found != expected:
            differences.append(f"{code}: expected {expected}, found {found}")
    assert not differences, "\n".join(differences)


def _facts_by_name(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {fact["name"]: fact for fact in facts}


def test_topic_configs_have_kafkas_names_types_and_defaults(kafka_facts: dict[str, Any]) -> None:
    facts = _facts_by_name(kafka_facts["topic_configs"])
    public = {name for name, fact in facts.items() if not fact["internal"]}
    assert public <= set(TOPIC_CONFIGS)
    differences = []
    for name, fact in facts.items():
        if name in TOPIC_CONFIGS:
            key = TOPIC_CONFIGS[name]
            found = (key.type.name, to_text(key.default), key.importance.name)
            if found != (fact["type"], fact["default"], fact["importance"]):
                differences.append(f"{name}: found {found}, in Kafka {fact}")
    assert not differences, "\n".join(differences)


def test_topic_configs_have_kafkas_broker_synonyms(kafka_facts: dict[str, Any]) -> None:
    for fact in kafka_facts["topic_configs"]:
        found = [synonym.name for synonym in TOPIC_SYNONYMS.get(fact["name"], ())]
        assert found == fact["synonyms"], fact["name"]


def _as_java(text: str | None) -> str | None:
    return None if text is None else text.replace("e+", "E")  # how Java prints a large double


def test_broker_configs_have_kafkas_types_and_defaults(kafka_facts: dict[str, Any]) -> None:
    facts = _facts_by_name(kafka_facts["broker_configs"])
    shared = set(facts) & set(BROKER_CONFIGS)
    assert len(shared) > 30
    differences = []
    for name in sorted(shared):
        key, fact = BROKER_CONFIGS[name], facts[name]
        default = to_text(key.default if key.kafka_default is None else key.kafka_default)
        if (key.type.name, _as_java(default)) != (fact["type"], fact["default"]):
            differences.append(f"{name}: found {key.type.name} {default}, in Kafka {fact}")
    assert not differences, "\n".join(differences)


def test_a_broker_config_that_kafka_does_not_have_is_a_listed_one(kafka_facts: dict[str, Any]) -> None:
    facts = _facts_by_name(kafka_facts["broker_configs"])
    listed = OWN_BROKER_CONFIGS | LATER_BROKER_CONFIGS | THROTTLE_CONFIGS | AUTHORIZER_CONFIGS
    assert set(BROKER_CONFIGS) - set(facts) == listed
