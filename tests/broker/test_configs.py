from __future__ import annotations

from pathlib import Path

import pytest
from broker.support import Broker, batch, running

from embedkafka.broker import api
from embedkafka.broker.api import AlterConfigOp, ConfigSource, ResourceType
from embedkafka.config import BROKER_CONFIGS, TOPIC_CONFIGS

BROKER = ResourceType.BROKER


def synonyms(entry: api.ConfigEntry) -> list[tuple[str, str | None, int]]:
    return [(synonym.name, synonym.value, synonym.source) for synonym in entry.synonyms]


def describe(broker: Broker, resource_type: int, name: str) -> api.ConfigResult:
    (result,) = broker.port.describe_configs(broker.context, [api.ConfigResourceKey(resource_type, name)])
    return result


def test_a_topic_is_described_with_every_setting_that_is_not_internal(broker: Broker) -> None:
    names = [entry.name for entry in describe(broker, ResourceType.TOPIC, "t").entries]
    assert names == sorted(name for name, key in TOPIC_CONFIGS.items() if not key.is_internal)


def test_a_broker_is_described_with_every_setting_that_is_not_internal(broker: Broker) -> None:
    names = [entry.name for entry in describe(broker, BROKER, "0").entries]
    assert names == sorted(name for name, key in BROKER_CONFIGS.items() if not key.is_internal)


@pytest.mark.parametrize(
    ("resource_type", "name", "error_code"),
    [(ResourceType.TOPIC, "nowhere", 3), (ResourceType.TOPIC, "a b", 17), (BROKER, "7", 42), (99, "t", 42)],
)
def test_what_is_not_there_is_not_described(broker: Broker, resource_type: int, name: str, error_code: int) -> None:
    assert describe(broker, resource_type, name).error_code == error_code


def test_a_topics_own_setting_stands_before_the_brokers_and_the_default() -> None:
    with running(**{"log.retention.ms": 5000}) as broker:
        broker.create(retention_ms="1000")
        entry = broker.config("retention.ms")
        assert (entry.value, entry.source) == ("1000", ConfigSource.DYNAMIC_TOPIC_CONFIG)
        assert synonyms(entry) == [
            ("retention.ms", "1000", ConfigSource.DYNAMIC_TOPIC_CONFIG),
            ("log.retention.ms", "5000", ConfigSource.STATIC_BROKER_CONFIG),
            ("log.retention.hours", "168", ConfigSource.DEFAULT_CONFIG),
        ]


def test_a_setting_nobody_made_is_a_default(broker: Broker) -> None:
    entry = broker.config("cleanup.policy")
    assert (entry.value, entry.source) == ("delete", ConfigSource.DEFAULT_CONFIG)
    assert synonyms(entry) == [("log.cleanup.policy", "delete", ConfigSource.DEFAULT_CONFIG)]


def test_a_topic_shows_what_the_broker_was_opened_with() -> None:
    with running(log_retention_hours=2) as broker:
        broker.create()
        entry = broker.config("retention.ms")
        assert (entry.value, entry.source) == ("7200000", ConfigSource.STATIC_BROKER_CONFIG)


def test_documentation_comes_when_asked_for_and_tells_what_has_no_effect(broker: Broker) -> None:
    key = api.ConfigResourceKey(ResourceType.TOPIC, "t")
    (result,) = broker.port.describe_configs(
        broker.context, [key], names={key: ["preallocate"]}, include_documentation=True
    )
    assert "Changes nothing here" in (result.entries[0].documentation or "")
    assert broker.config("preallocate").documentation is None


def test_a_changed_topic_setting_holds_at_once(broker: Broker) -> None:
    broker.set_config(max_message_bytes="80")
    assert broker.produce(batch(b"x" * 100)).error_code == 10
    broker.set_config(operation=AlterConfigOp.DELETE, max_message_bytes=None)
    assert broker.produce(batch(b"x" * 100)).error_code == 0


@pytest.mark.parametrize(
    ("operation", "name", "value", "error_code", "message"),
    [
        (0, "nope", "1", 40, "Unknown topic config name: nope"),
        (0, "retention.ms", "-7", 40, "Invalid value -7 for configuration retention.ms: Value must be at least -1"),
        (0, "retention.ms", None, 42, "Null value not supported for : retention.ms"),
        (2, "retention.ms", "5", 40, "Can't APPEND to key retention.ms because its type is not LIST."),
        (3, "retention.ms", "5", 40, "Can't SUBTRACT to key retention.ms because its type is not LIST."),
        (9, "retention.ms", "5", 42, "Unknown operation 9 for retention.ms"),
    ],
)
def test_a_bad_change_is_refused_and_nothing_changes(
    broker: Broker, operation: int, name: str, value: str | None, error_code: int, message: str
) -> None:
    result = broker.set_config(operation=operation, **{name: value})
    assert (result.error_code, result.error_message) == (error_code, message)
    assert broker.config("retention.ms").source == ConfigSource.DEFAULT_CONFIG


def test_one_bad_change_keeps_back_the_others_of_its_resource(broker: Broker) -> None:
    assert broker.set_config(segment_ms="5", retention_ms="many").error_code == 40
    assert broker.config("segment.ms").source == ConfigSource.DEFAULT_CONFIG


def test_lists_are_appended_to_and_subtracted_from(broker: Broker) -> None:
    broker.set_config(operation=AlterConfigOp.APPEND, cleanup_policy="compact")
    assert broker.config("cleanup.policy").value == "delete,compact"
    broker.set_config(operation=AlterConfigOp.SUBTRACT, cleanup_policy="delete")
    assert broker.config("cleanup.policy").value == "compact"


def test_the_same_setting_twice_in_one_change_is_refused(broker: Broker) -> None:
    key = api.ConfigResourceKey(ResourceType.TOPIC, "t")
    changes = [api.ConfigChange("retention.ms", AlterConfigOp.SET, value) for value in ("1", "2")]
    (result,) = broker.port.incremental_alter_configs(broker.context, {key: changes})
    assert result.error_code == 42


def test_validate_only_checks_and_changes_nothing(broker: Broker) -> None:
    key = api.ConfigResourceKey(ResourceType.TOPIC, "t")
    change = {key: [api.ConfigChange("retention.ms", AlterConfigOp.SET, "9")]}
    assert broker.port.incremental_alter_configs(broker.context, change, validate_only=True)[0].error_code == 0
    assert broker.config("retention.ms").source == ConfigSource.DEFAULT_CONFIG


def test_the_older_alter_replaces_all_settings(broker: Broker) -> None:
    broker.set_config(retention_ms="5", segment_ms="6")
    key = api.ConfigResourceKey(ResourceType.TOPIC, "t")
    assert broker.port.alter_configs(broker.context, {key: {"retention.ms": "7"}})[0].error_code == 0
    assert broker.config("retention.ms").value == "7"
    assert broker.config("segment.ms").source == ConfigSource.DEFAULT_CONFIG


def test_an_internal_setting_is_accepted_and_then_shown(broker: Broker) -> None:
    assert broker.set_config(internal_segment_bytes="500").error_code == 0
    assert broker.config("internal.segment.bytes").value == "500"


def test_a_setting_that_nobody_knows_any_more_can_be_deleted(broker: Broker) -> None:
    delete = AlterConfigOp.DELETE
    assert broker.set_config(operation=delete, message_format_version=None).error_code == 0
    assert broker.set_config("0", resource_type=BROKER, operation=delete, inter_broker_protocol=None).error_code == 0


# Brokers ------------------------------------------------------------------------------------------------------------


def test_a_broker_setting_that_is_not_dynamic_cannot_be_changed(broker: Broker) -> None:
    result = broker.set_config("0", resource_type=BROKER, num_partitions="5")
    assert (result.error_code, result.error_message) == (
        42,
        "Cannot update these configs dynamically: [num.partitions]",
    )
    assert broker.config("num.partitions", "0", resource_type=BROKER).read_only


def test_a_changed_broker_setting_is_every_topics_default_at_once(broker: Broker) -> None:
    assert broker.set_config("0", resource_type=BROKER, message_max_bytes="80").error_code == 0
    assert broker.produce(batch(b"x" * 100)).error_code == 10
    assert synonyms(broker.config("max.message.bytes")) == [
        ("message.max.bytes", "80", ConfigSource.DYNAMIC_BROKER_CONFIG),
        ("message.max.bytes", "1048588", ConfigSource.DEFAULT_CONFIG),
    ]


def test_a_brokers_own_setting_wins_over_the_clusters(broker: Broker) -> None:
    broker.set_config("", resource_type=BROKER, message_max_bytes="80")
    broker.set_config("0", resource_type=BROKER, message_max_bytes="90")
    entry = broker.config("message.max.bytes", "0", resource_type=BROKER)
    assert synonyms(entry)[:2] == [("message.max.bytes", "90", 2), ("message.max.bytes", "80", 3)]
    assert broker.config("max.message.bytes").value == "90"
    broker.set_config("0", resource_type=BROKER, operation=AlterConfigOp.DELETE, message_max_bytes=None)
    assert broker.config("max.message.bytes").value == "80"


def test_a_throttle_of_moving_replicas_is_listed_while_it_is_set(broker: Broker) -> None:
    throttle = "leader.replication.throttled.rate"
    assert broker.set_config("0", resource_type=BROKER, **{throttle: "1000"}).error_code == 0
    entry = broker.config(throttle, "0", resource_type=BROKER)
    assert (entry.value, entry.source, entry.read_only) == ("1000", ConfigSource.DYNAMIC_BROKER_CONFIG, False)
    assert broker.set_config("0", resource_type=BROKER, **{throttle: "-1"}).error_code == 42
    broker.set_config("0", resource_type=BROKER, operation=AlterConfigOp.DELETE, **{throttle: None})
    assert throttle not in [entry.name for entry in describe(broker, BROKER, "0").entries]


def test_another_brokers_settings_are_not_ours(broker: Broker) -> None:
    assert broker.set_config("7", resource_type=BROKER, message_max_bytes="80").error_code == 42


def test_changed_settings_survive_a_reopening(path: Path) -> None:
    with running(path) as broker:
        broker.create(retention_ms="1000")
        broker.set_config("", resource_type=BROKER, message_max_bytes="80")
    with running(path) as broker:
        assert broker.config("retention.ms").value == "1000"
        assert broker.produce(batch(b"x" * 100)).error_code == 10
