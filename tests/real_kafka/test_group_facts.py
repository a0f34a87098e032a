"""Settings of groups agree with the ones inside Apache Kafka's classes."""

from __future__ import annotations

from typing import Any

from embedkafka.config.broker import BROKER_CONFIGS
from embedkafka.config.definition import to_text
from embedkafka.config.group import GROUP_CONFIGS, GROUP_SYNONYMS

OF_KAFKA_4_4 = {"errors.deadletterqueue.copy.record.enable", "errors.deadletterqueue.topic.name"}  # KIP-1191


def test_group_configs_are_kafkas_with_types_defaults_bounds_and_synonyms(kafka_facts: dict[str, Any]) -> None:
    facts = {fact["name"]: fact for fact in kafka_facts["group_configs"]}
    assert set(GROUP_CONFIGS) == {name for name, fact in facts.items() if not fact["internal"]} | OF_KAFKA_4_4
    differences = []
    for name in set(GROUP_CONFIGS) - OF_KAFKA_4_4:
        key, fact = GROUP_CONFIGS[name], facts[name]
        default = to_text(key.default if key.kafka_default is None else key.kafka_default)
        found = (key.type.name, default, str(key.validator or None), GROUP_SYNONYMS.get(name))
        if found != (fact["type"], fact["default"], fact["bounds"].replace("null", "None"), fact["synonym"]):
            differences.append(f"{name}: found {found}, in Kafka {fact}")
    assert not differences, "\n".join(differences)


def test_there_is_every_group_setting_that_a_broker_of_kafkas_has(kafka_facts: dict[str, Any]) -> None:
    theirs = {fact["name"]: fact for fact in kafka_facts["broker_configs"] if fact["name"].startswith("group.")}
    ours = {name: key for name, key in BROKER_CONFIGS.items() if name.startswith("group.")}
    hidden = {name for name, fact in theirs.items() if fact["internal"]}
    assert theirs.keys() - hidden <= ours.keys() <= theirs.keys()
    assert {name for name, key in ours.items() if key.is_internal} <= hidden
