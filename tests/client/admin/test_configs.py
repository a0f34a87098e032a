"""Settings of topics and brokers through the admin client."""

from __future__ import annotations

import pytest

from embedkafka import ConfigResource, ConfigResourceType, EmbeddedKafka, KafkaAdminClient, errors
from embedkafka.admin import AlterConfigOp

T = ConfigResource("topic", "t")


@pytest.fixture(autouse=True)
def topic(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", configs={"retention.ms": 1_000})


def values(admin: KafkaAdminClient, config_filter: str = "modified") -> dict[str, str]:
    described = admin.describe_configs([T], config_filter=config_filter)
    return {name: entry["value"] for name, entry in described["topic"]["t"].items()}


def altered(admin: KafkaAdminClient, **arguments: object) -> dict[str, dict[str, str]]:
    configs = arguments.pop("configs")
    return admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "t", configs)], **arguments)


def test_by_default_what_was_changed_is_described(admin: KafkaAdminClient) -> None:
    assert values(admin) == {"retention.ms": "1000"}


def test_filters(admin: KafkaAdminClient) -> None:
    everything = values(admin, "all")
    assert len(everything) > 30
    assert values(admin, "default").keys() == everything.keys() - {"retention.ms"}
    assert values(admin, "dynamic").keys() == everything.keys()
    assert values(admin, "static") == {}
    with pytest.raises(ValueError, match="ConfigFilterType"):
        values(admin, "some")


def test_one_setting_with_its_synonyms(admin: KafkaAdminClient) -> None:
    described = admin.describe_configs([ConfigResource("topic", "t", ["retention.ms"])], include_synonyms=True)
    (entry,) = described["topic"]["t"].values()
    assert entry["config_type"] == "LONG"
    assert entry["synonyms"][0] == {"name": "retention.ms", "value": "1000", "source": "DYNAMIC_TOPIC_CONFIG"}


def test_a_brokers_settings(admin: KafkaAdminClient) -> None:
    described = admin.describe_configs([ConfigResource("broker", "0")], config_filter="all")
    assert described["broker"]["0"]["num.partitions"]["value"] == "1"
    with pytest.raises(ValueError, match="id"):
        admin.describe_configs([ConfigResource("broker", "first")])


def test_settings_of_nothing(admin: KafkaAdminClient) -> None:
    assert admin.describe_configs([ConfigResource("topic", "nowhere")]) == {"topic": {"nowhere": {}}}


def test_altering_a_topic_that_does_not_exist_says_so(admin: KafkaAdminClient) -> None:
    with pytest.raises(errors.UnknownTopicOrPartitionError, match="nowhere"):
        admin.alter_configs([ConfigResource("topic", "nowhere", {"retention.ms": "1"})])


def test_alter_sets(admin: KafkaAdminClient) -> None:
    assert altered(admin, configs={"retention.ms": 5_000, "preallocate": True}) == {"topic": {"t": "OK"}}
    assert values(admin) == {"retention.ms": "5000", "preallocate": "true"}


def test_alter_appends_subtracts_and_deletes(admin: KafkaAdminClient) -> None:
    altered(admin, configs={"cleanup.policy": (AlterConfigOp.APPEND, "compact")})
    assert values(admin)["cleanup.policy"] == "delete,compact"
    altered(admin, configs={"cleanup.policy": ("subtract", "delete"), "retention.ms": (1, "ignored")})
    assert values(admin) == {"cleanup.policy": "compact"}


def test_alter_can_only_validate(admin: KafkaAdminClient) -> None:
    assert altered(admin, configs={"retention.ms": 5_000}, validate_only=True) == {"topic": {"t": "OK"}}
    assert values(admin) == {"retention.ms": "1000"}


def test_what_the_broker_refuses_is_in_the_result(admin: KafkaAdminClient) -> None:
    outcome = altered(admin, configs={"retention.ms": "soon"})["topic"]["t"]
    assert outcome.startswith("[Error 40] InvalidConfigurationError")
    assert values(admin) == {"retention.ms": "1000"}


def test_an_unknown_setting_raises_unless_left_to_the_broker(admin: KafkaAdminClient) -> None:
    with pytest.raises(ValueError, match=r"retention\.mx"):
        altered(admin, configs={"retention.mx": 1})
    outcome = altered(admin, configs={"retention.mx": 1}, raise_on_unknown=False)
    assert "InvalidConfigurationError" in outcome["topic"]["t"]


def test_the_older_way_only_sets(admin: KafkaAdminClient) -> None:
    assert altered(admin, configs={"retention.ms": 7}, incremental=False) == {"topic": {"t": "OK"}}
    with pytest.raises(ValueError, match="incremental"):
        altered(admin, configs={"cleanup.policy": ("append", "compact")}, incremental=False)
    with pytest.raises(TypeError):
        altered(admin, configs=["retention.ms"])


def test_reset_takes_names_or_everything_that_was_changed(admin: KafkaAdminClient) -> None:
    altered(admin, configs={"preallocate": True, "segment.ms": 9_999})
    admin.reset_configs([ConfigResource("topic", "t", ["preallocate"])])
    assert values(admin) == {"retention.ms": "1000", "segment.ms": "9999"}
    assert admin.reset_configs([ConfigResource("topic", "t")]) == {"topic": {"t": "OK"}}
    assert values(admin) == {}


def test_what_has_settings(admin: KafkaAdminClient) -> None:
    group = ConfigResource(ConfigResourceType.GROUP, "g", {"share.isolation.level": "read_committed"})
    admin.alter_configs([group])
    everything = {"broker": ["0"], "broker_logger": ["0"], "group": ["g"], "topic": ["t"]}
    assert admin.list_config_resources() == everything
    assert admin.list_config_resources(["topic"]) == {"topic": ["t"]}
