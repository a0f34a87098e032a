"""No setting is accepted and silently ignored: the code asks for it, or its entry says why it changes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import embedkafka
from embedkafka.config import BROKER_CONFIGS, TOPIC_CONFIGS, TOPIC_SYNONYMS
from embedkafka.config.broker_groups import BOUNDED
from embedkafka.config.group import GROUP_SYNONYMS
from embedkafka.storage.config import LogConfig

PACKAGE = Path(embedkafka.__file__).parent
SOURCES = {path: path.read_text() for path in PACKAGE.rglob("*.py") if path.parent.name != "config"}
HANDLED_BY_NAME = {
    "errors.deadletterqueue.group.enable",  # what the broker asks of a topic, not the log
    "internal.segment.bytes",  # takes the place of segment.bytes in config/effective.py
}


def test_every_broker_setting_is_asked_for_or_says_why_it_changes_nothing() -> None:
    defaults_of_topics = {synonym.name for family in TOPIC_SYNONYMS.values() for synonym in family}
    of_groups = {name for each in BOUNDED for name in (each.broker_name, each.lower, each.upper)}  # see test_group.py
    of_groups.update(GROUP_SYNONYMS.values())
    ignored = [
        name
        for name in BROKER_CONFIGS
        if name not in defaults_of_topics | of_groups and not any(f'"{name}"' in source for source in SOURCES.values())
    ]
    assert [name for name in ignored if not BROKER_CONFIGS[name].inert_because] == []


def test_every_topic_setting_reaches_the_log_or_says_why_it_changes_nothing() -> None:
    fields = {field.name.replace("_", ".") for field in dataclasses.fields(LogConfig)}
    ignored = [name for name, key in TOPIC_CONFIGS.items() if not key.inert_because and name not in fields]
    assert set(ignored) == HANDLED_BY_NAME


def test_every_field_of_a_logs_configuration_is_used() -> None:
    readers = "".join(SOURCES.values())
    assert [field.name for field in dataclasses.fields(LogConfig) if f".{field.name}" not in readers] == []


def test_a_topic_setting_and_the_broker_settings_behind_it_agree_on_having_no_effect() -> None:
    for name, family in TOPIC_SYNONYMS.items():
        for synonym in family:
            assert bool(TOPIC_CONFIGS[name].inert_because) == bool(BROKER_CONFIGS[synonym.name].inert_because), name
