from __future__ import annotations

import pytest

from embedkafka.config import BROKER_CONFIGS, TOPIC_CONFIGS, TOPIC_SYNONYMS, BrokerConfig, topic_settings
from embedkafka.errors import KafkaConfigurationError


@pytest.mark.parametrize(
    ("broker", "retention_ms"),
    [
        ({}, 7 * 24 * 3_600_000),
        ({"log.retention.hours": 1}, 3_600_000),
        ({"log.retention.hours": 1, "log.retention.minutes": 2}, 120_000),
        ({"log.retention.hours": 1, "log.retention.minutes": 2, "log.retention.ms": 3}, 3),
        ({"log.retention.hours": -1}, -1),
    ],
)
def test_a_topic_takes_its_retention_from_the_finest_broker_setting(
    broker: dict[str, object], retention_ms: int
) -> None:
    assert topic_settings(BrokerConfig(broker), {})["retention.ms"] == retention_ms


def test_a_topics_own_setting_wins() -> None:
    settings = topic_settings(BrokerConfig({"log.segment.bytes": 2_000_000}), {"segment.bytes": "3000000"})
    assert settings["segment.bytes"] == 3_000_000


def test_a_dynamic_broker_setting_wins_over_a_static_one() -> None:
    config = BrokerConfig({"message.max.bytes": 1000})
    config.dynamic = {"message.max.bytes": 2000}
    assert topic_settings(config, {})["max.message.bytes"] == 2000


def test_flush_ms_falls_back_to_the_schedulers_interval() -> None:
    assert BrokerConfig({"log.flush.scheduler.interval.ms": 50}).topic_default("flush.ms") == 50


def test_internal_segment_bytes_takes_the_place_of_segment_bytes() -> None:
    assert topic_settings(BrokerConfig(), {"internal.segment.bytes": "100"})["segment.bytes"] == 100


def test_every_synonym_is_a_known_setting_on_both_sides() -> None:
    assert set(TOPIC_SYNONYMS) <= set(TOPIC_CONFIGS)
    for family in TOPIC_SYNONYMS.values():
        assert {synonym.name for synonym in family} <= set(BROKER_CONFIGS)


def test_every_topic_default_equals_that_of_an_unset_broker() -> None:
    settings = topic_settings(BrokerConfig(), {})
    assert settings == {name: key.default for name, key in TOPIC_CONFIGS.items()}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"nope": "1"}, "Unknown topic config name: nope"),
        ({"retention_ms": "1"}, "Unknown topic config name: retention_ms; did you mean retention.ms?"),
        (
            {"min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5"},
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)",
        ),
        (
            {"remote.storage.enable": "true"},
            "Tiered Storage functionality is disabled in the broker. "
            "Topic cannot be configured with remote log storage.",
        ),
    ],
)
def test_settings_that_contradict_are_refused(overrides: dict[str, str], sentence: str) -> None:
    with pytest.raises(KafkaConfigurationError) as raised:
        topic_settings(BrokerConfig(), overrides)
    assert raised.value.args == (sentence,)
