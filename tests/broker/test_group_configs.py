"""Settings that a group has of its own: described, changed, kept, and what they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from broker.support import Broker, running

from embedkafka.broker import api
from embedkafka.broker.api import AlterConfigOp, ConfigSource, ResourceType
from embedkafka.broker.engine import Engine
from embedkafka.clock import ManualClock
from embedkafka.config.group import GROUP_CONFIGS
from embedkafka.errors import KafkaConfigurationError, UnsupportedVersionError

GROUP = api.ConfigResourceKey(ResourceType.GROUP, "g")
REMOTE = api.RequestContext(client_id="c", in_process=False)


def described(broker: Broker, name: str) -> api.ConfigEntry:
    (result,) = broker.port.describe_configs(broker.context, [GROUP], names={GROUP: [name]}, include_synonyms=True)
    (entry,) = result.entries
    return entry


def alter(broker: Broker, name: str, value: str | None, operation: int = AlterConfigOp.SET, **more: Any) -> Any:
    changes = {GROUP: [api.ConfigChange(name, operation, value)]}
    (result,) = broker.port.incremental_alter_configs(broker.context, changes, **more)
    return result


def test_a_group_is_described_with_every_setting_though_it_does_not_exist(broker: Broker) -> None:
    (result,) = broker.port.describe_configs(broker.context, [GROUP])
    assert [entry.name for entry in result.entries] == sorted(GROUP_CONFIGS)


def test_a_setting_that_a_group_does_not_have_is_the_brokers(broker: Broker) -> None:
    entry = described(broker, "share.record.lock.duration.ms")
    assert (entry.value, entry.source) == ("30000", ConfigSource.DEFAULT_CONFIG)
    assert entry.synonyms == [
        api.ConfigSynonym("group.share.record.lock.duration.ms", "30000", ConfigSource.DEFAULT_CONFIG)
    ]


def test_a_setting_of_its_own_stands_before_the_brokers(broker: Broker) -> None:
    assert alter(broker, "consumer.heartbeat.interval.ms", "6000").error_code == 0
    entry = described(broker, "consumer.heartbeat.interval.ms")
    assert (entry.value, entry.source, entry.read_only) == ("6000", ConfigSource.DYNAMIC_GROUP_CONFIG, False)
    assert [each.name for each in entry.synonyms] == [
        "consumer.heartbeat.interval.ms",
        "group.consumer.heartbeat.interval.ms",
    ]


def test_a_value_is_kept_without_what_surrounds_it(broker: Broker) -> None:
    alter(broker, "share.delivery.count.limit", " 6 ")
    assert described(broker, "share.delivery.count.limit").value == "6"


def test_a_deleted_setting_is_the_brokers_again(broker: Broker) -> None:
    alter(broker, "share.isolation.level", "read_committed")
    alter(broker, "share.isolation.level", None, AlterConfigOp.DELETE)
    assert described(broker, "share.isolation.level").source == ConfigSource.DEFAULT_CONFIG
    assert broker.port.list_config_resources(broker.context, [ResourceType.GROUP]) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consumer.session.timeout.ms", "1"),
        ("consumer.session.timeout.ms", "70000"),
        ("share.delivery.count.limit", "11"),
        ("share.auto.offset.reset", "sometimes"),
        ("share.heartbeat.interval.ms", "x"),
        ("no.such.setting", "1"),
    ],
)
def test_a_setting_that_a_group_may_not_have_is_refused_and_changes_nothing(
    broker: Broker, name: str, value: str
) -> None:
    assert alter(broker, name, value).error_code == 40
    assert broker.port.list_config_resources(broker.context, [ResourceType.GROUP]) == []


def test_a_change_that_is_only_validated_changes_nothing(broker: Broker) -> None:
    assert alter(broker, "share.isolation.level", "read_committed", validate_only=True).error_code == 0
    assert described(broker, "share.isolation.level").value == "read_uncommitted"


def test_the_older_request_replaces_all_that_a_group_has(broker: Broker) -> None:
    alter(broker, "share.isolation.level", "read_committed")
    broker.port.alter_configs(broker.context, {GROUP: {"share.delivery.count.limit": "7"}})
    assert described(broker, "share.isolation.level").source == ConfigSource.DEFAULT_CONFIG
    assert described(broker, "share.delivery.count.limit").value == "7"


@pytest.mark.parametrize("described_only", [True, False])
def test_a_group_has_a_name(broker: Broker, described_only: bool) -> None:
    nameless = api.ConfigResourceKey(ResourceType.GROUP, "")
    if described_only:
        (result,) = broker.port.describe_configs(broker.context, [nameless])
    else:
        (result,) = broker.port.alter_configs(broker.context, {nameless: {}})
    assert result.error_code == 42


def test_settings_of_groups_survive_a_restart(tmp_path: Path) -> None:
    with running(str(tmp_path / "data")) as first:
        alter(first, "share.record.lock.duration.ms", "20000")
    with running(str(tmp_path / "data")) as second:
        assert second.engine.group_configs.of("g").share_record_lock_duration_ms == 20_000
        assert second.engine.group_configs.of("other").share_record_lock_duration_ms == 30_000


def test_settings_that_contradict_each_other_keep_an_engine_from_opening() -> None:
    with pytest.raises(KafkaConfigurationError, match=r"group\.share\.session\.timeout\.ms must be less than or equal"):
        Engine.open(configs={"group.share.session.timeout.ms": 100_000})


# What they do ------------------------------------------------------------------------------------------------------


def test_a_heartbeat_is_answered_with_the_groups_own_interval(broker: Broker) -> None:
    alter(broker, "consumer.heartbeat.interval.ms", "7000")
    alter(broker, "share.heartbeat.interval.ms", "8000")
    request = api.ConsumerGroupHeartbeatRequest("g", "m", 0, None, None, 1000, ["t"], topic_partitions={})
    assert broker.port.consumer_group_heartbeat(REMOTE, request).heartbeat_interval_ms == 7000
    shared = api.ConfigResourceKey(ResourceType.GROUP, "s")
    broker.port.alter_configs(broker.context, {shared: {"share.heartbeat.interval.ms": "8000"}})
    joined = broker.port.share_group_heartbeat(REMOTE, api.ShareGroupHeartbeatRequest("s", "m", 0, None, ["t"]))
    assert joined.heartbeat_interval_ms == 8000


def test_a_change_holds_from_the_next_heartbeat_on(broker: Broker) -> None:
    request = api.ShareGroupHeartbeatRequest("g", "m", 0, None, ["t"])
    assert broker.port.share_group_heartbeat(REMOTE, request).heartbeat_interval_ms == 5000
    alter(broker, "share.heartbeat.interval.ms", "8000")
    assert broker.port.share_group_heartbeat(REMOTE, request).heartbeat_interval_ms == 8000


@pytest.mark.parametrize("group_type", ["consumer", "share"])
def test_a_session_is_over_when_the_group_says_so(group_type: str) -> None:
    clock = ManualClock()
    with running(None, clock=clock) as broker:
        alter(broker, f"{group_type}.session.timeout.ms", "50000")
        if group_type == "share":
            broker.port.share_group_heartbeat(REMOTE, api.ShareGroupHeartbeatRequest("g", "m", 0, None, ["t"]))
        else:
            request = api.ConsumerGroupHeartbeatRequest("g", "m", 0, None, None, 1000, ["t"], topic_partitions={})
            broker.port.consumer_group_heartbeat(REMOTE, request)
        clock.advance(49_999)
        assert [each.group_state for each in broker.port.list_groups(REMOTE)] == ["Stable"]
        clock.advance(1)
        assert [each.group_state for each in broker.port.list_groups(REMOTE)] == ["Empty"]


def test_a_broker_without_the_consumer_protocol_does_not_speak_it() -> None:
    with running(None, **{"group.coordinator.rebalance.protocols": "classic"}) as broker:
        request = api.ConsumerGroupHeartbeatRequest("g", "m", 0, None, None, 1000, ["t"], topic_partitions={})
        assert broker.port.consumer_group_heartbeat(REMOTE, request).error_code == UnsupportedVersionError.errno


# Listing -----------------------------------------------------------------------------------------------------------


def test_resources_are_topics_brokers_and_groups_with_settings(broker: Broker) -> None:
    alter(broker, "share.isolation.level", "read_committed")
    found = broker.port.list_config_resources(broker.context)
    assert GROUP in found
    assert api.ConfigResourceKey(ResourceType.TOPIC, "t") in found
    assert api.ConfigResourceKey(ResourceType.BROKER, "0") in found


def test_a_type_that_kafka_does_not_know_cannot_be_listed(broker: Broker) -> None:
    with pytest.raises(UnsupportedVersionError, match="type 1"):
        broker.port.list_config_resources(broker.context, [1])


# What the broker's settings do for groups without their own --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("group.consumer.session.timeout.ms", 50_000),
        ("group.consumer.heartbeat.interval.ms", 6_000),
        ("group.consumer.assignment.interval.ms", 700),
        ("group.share.session.timeout.ms", 50_000),
        ("group.share.heartbeat.interval.ms", 6_000),
        ("group.share.assignment.interval.ms", 700),
        ("group.share.record.lock.duration.ms", 20_000),
        ("group.share.delivery.count.limit", 7),
        ("group.share.partition.max.record.locks", 300),
    ],
)
def test_a_group_without_a_setting_obeys_the_brokers(name: str, value: int) -> None:
    with running(None, **{name: value}) as broker:
        field = name.removeprefix("group.").replace(".", "_")
        assert getattr(broker.engine.group_configs.of("g"), field) == value


def test_a_share_group_takes_no_more_members_than_the_broker_allows() -> None:
    with running(None, **{"group.share.max.size": 1}) as broker:
        requests = [api.ShareGroupHeartbeatRequest("g", name, 0, None, ["t"]) for name in "ab"]
        codes = [broker.port.share_group_heartbeat(REMOTE, request).error_code for request in requests]
        assert codes == [0, 81]


@pytest.mark.parametrize("group_type", ["consumer", "share"])
def test_assignments_of_a_group_keep_the_brokers_distance(group_type: str) -> None:
    clock = ManualClock()
    with running(None, clock=clock, **{f"group.{group_type}.assignment.interval.ms": 1_000}) as broker:
        broker.create(partitions=2)

        def beat(name: str, epoch: int = 0) -> Any:
            topics = ["t"] if epoch == 0 else None
            if group_type == "share":
                shared = api.ShareGroupHeartbeatRequest("g", name, epoch, None, topics)
                return broker.port.share_group_heartbeat(REMOTE, shared)
            request = api.ConsumerGroupHeartbeatRequest(
                "g", name, epoch, None, None, 1000 if topics else -1, topics, topic_partitions={} if topics else None
            )
            return broker.port.consumer_group_heartbeat(REMOTE, request)

        epoch = beat("a").member_epoch
        beat("b")
        clock.advance(999)
        assert beat("b", epoch).member_epoch == epoch
        clock.advance(1)
        assert beat("b", epoch).member_epoch > epoch
