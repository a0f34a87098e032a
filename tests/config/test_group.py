"""Settings of groups: what a group may set within the broker's bounds, and what holds for it."""

from __future__ import annotations

import pytest

from embedkafka.config import BrokerConfig
from embedkafka.config.broker_groups import BOUNDED, Bounded
from embedkafka.config.group import GROUP_CONFIGS, check_bounds, check_group_configs, group_settings
from embedkafka.errors import KafkaConfigurationError

BROKER = BrokerConfig()


def _names(bounded: Bounded) -> str:
    return bounded.name


@pytest.mark.parametrize("bounded", BOUNDED, ids=_names)
def test_a_group_may_not_exceed_the_brokers_upper_bound(bounded: Bounded) -> None:
    limit = BROKER.integer(bounded.upper)
    check_group_configs(BROKER, {bounded.name: str(limit)})
    with pytest.raises(KafkaConfigurationError, match=f"{bounded.name} must be less than or equal to {bounded.upper}"):
        check_group_configs(BROKER, {bounded.name: str(limit + 1)})


@pytest.mark.parametrize("bounded", [each for each in BOUNDED if each.lower], ids=_names)
def test_a_group_may_not_fall_below_the_brokers_lower_bound(bounded: Bounded) -> None:
    higher = max(BROKER.integer(bounded.lower), 1) + 100
    broker = BrokerConfig({})
    broker.dynamic = {bounded.lower: higher}
    with pytest.raises(
        KafkaConfigurationError, match=f"{bounded.name} must be greater than or equal to {bounded.lower}"
    ):
        check_group_configs(broker, {bounded.name: str(higher - 1)})


@pytest.mark.parametrize("bounded", BOUNDED, ids=_names)
def test_a_broker_whose_own_value_lies_outside_of_its_bounds_is_refused(bounded: Bounded) -> None:
    broker = BrokerConfig()
    broker.dynamic = {bounded.broker_name: broker.integer(bounded.upper) + 1}
    with pytest.raises(KafkaConfigurationError, match=f"{bounded.broker_name} must be less than or equal to"):
        check_bounds(broker)


def test_the_brokers_defaults_lie_within_their_bounds() -> None:
    check_bounds(BROKER)


def test_a_session_must_outlast_the_interval_between_heartbeats() -> None:
    broker = BrokerConfig({"group.share.min.session.timeout.ms": 1_000, "group.consumer.min.session.timeout.ms": 1_000})
    with pytest.raises(KafkaConfigurationError, match=r"share\.session\.timeout\.ms must be greater than share\.heart"):
        check_group_configs(broker, {"share.session.timeout.ms": "5000"})
    broker.dynamic = {"group.consumer.session.timeout.ms": 4_000}
    with pytest.raises(KafkaConfigurationError, match=r"group\.consumer\.heartbeat\.interval\.ms must be less than"):
        check_bounds(broker)


def test_the_classic_protocol_cannot_be_left_out() -> None:
    with pytest.raises(KafkaConfigurationError, match="classic"):
        check_bounds(BrokerConfig({"group.coordinator.rebalance.protocols": "consumer"}))


def test_a_group_without_a_setting_has_the_brokers() -> None:
    broker = BrokerConfig({"group.share.record.lock.duration.ms": 40_000})
    assert group_settings(broker, {})["share.record.lock.duration.ms"] == 40_000
    assert group_settings(broker, {"share.record.lock.duration.ms": "20000"})["share.record.lock.duration.ms"] == 20_000


def test_a_value_that_the_bounds_have_left_behind_is_the_nearest_bound() -> None:
    broker = BrokerConfig({"group.consumer.max.session.timeout.ms": 50_000})
    settings = group_settings(broker, {"consumer.session.timeout.ms": "60000"})
    assert settings["consumer.session.timeout.ms"] == 50_000


@pytest.mark.parametrize("value", ["earliest", "latest", "by_duration:P1D", "by_duration:PT2H3M", "by_duration:PT0.5S"])
def test_an_offset_reset_is_an_end_or_a_duration(value: str) -> None:
    check_group_configs(BROKER, {"share.auto.offset.reset": value})


@pytest.mark.parametrize(
    "value", ["none", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:P1DT", "by_duration:-PT1H", "P1D"]
)
def test_anything_else_is_no_offset_reset(value: str) -> None:
    with pytest.raises(KafkaConfigurationError, match="must be either 'earliest', 'latest'"):
        check_group_configs(BROKER, {"share.auto.offset.reset": value})


def test_an_unknown_setting_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(KafkaConfigurationError, match=r"share\.session\.timeout\.ms"):
        check_group_configs(BROKER, {"share.session.timeout": "1"})


def test_group_settings_are_kafkas_and_the_two_of_kip_1191() -> None:
    assert len(GROUP_CONFIGS) == 19
    assert not any(key.inert_because for key in GROUP_CONFIGS.values())
