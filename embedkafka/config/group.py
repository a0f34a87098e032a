"""The settings that a group may have of its own: config resource GROUP (``org.apache.kafka.coordinator.group
.GroupConfig`` of Kafka 4.3), and the two of KIP-1191, which Kafka has since 4.4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embedkafka.config.broker_groups import BOUNDED, Bounded
from embedkafka.config.definition import (
    AtLeast,
    ConfigDef,
    ConfigKey,
    ConfigType,
    ConfigValue,
    OneOf,
    Refusal,
)
from embedkafka.config.effective import BrokerConfig
from embedkafka.errors import KafkaConfigurationError

_INT, _STRING, _BOOLEAN = ConfigType.INT, ConfigType.STRING, ConfigType.BOOLEAN

_DURATION = re.compile(r"[Pp](?!$)(?:\d+[Dd])?(?:[Tt](?=\d)(?:\d+[Hh])?(?:\d+[Mm])?(?:\d+(?:[.,]\d{0,9})?[Ss])?)?")
_BY_DURATION = "by_duration:"


@dataclass(frozen=True, slots=True)
class OffsetReset:
    """``earliest``, ``latest``, or ``by_duration:`` with a time before now as ISO 8601 writes it."""

    def __call__(self, value: ConfigValue) -> Refusal | None:
        text = str(value)
        if text in ("earliest", "latest"):
            return None
        if text.startswith(_BY_DURATION) and _DURATION.fullmatch(text[len(_BY_DURATION) :]):
            return None
        return Refusal(
            value, "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
        )

    def __str__(self) -> str:
        return "[latest, earliest, by_duration:PnDTnHnMn.nS]"


GROUP_CONFIGS = ConfigDef(
    "group",
    [
        ConfigKey(
            "consumer.assignment.interval.ms",
            _INT,
            0,
            "The least time between two assignments of a consumer group.",
            AtLeast(0),
            kafka_default=1_000,
        ),
        ConfigKey(
            "consumer.heartbeat.interval.ms",
            _INT,
            5_000,
            "How often members of a consumer group shall send a heartbeat.",
            AtLeast(1),
        ),
        ConfigKey(
            "consumer.session.timeout.ms",
            _INT,
            45_000,
            "How long a consumer group waits for a member's heartbeat before it takes it out.",
            AtLeast(1),
        ),
        ConfigKey(
            "errors.deadletterqueue.copy.record.enable",
            _BOOLEAN,
            False,
            "Whether the dead-letter topic gets the records themselves and not only what tells which they are.",
        ),
        ConfigKey(
            "errors.deadletterqueue.topic.name",
            _STRING,
            "",
            "The dead-letter topic of a share group: where rejected and undeliverable records go. Empty is none.",
        ),
        ConfigKey(
            "share.assignment.interval.ms",
            _INT,
            0,
            "The least time between two assignments of a share group.",
            AtLeast(0),
            kafka_default=1_000,
        ),
        ConfigKey(
            "share.auto.offset.reset",
            _STRING,
            "latest",
            "Where a share group begins with a partition: its earliest or latest record, or so long before now.",
            OffsetReset(),
        ),
        ConfigKey(
            "share.delivery.count.limit",
            _INT,
            5,
            "How often a record is delivered before it counts as undeliverable.",
            AtLeast(2),
        ),
        ConfigKey(
            "share.heartbeat.interval.ms",
            _INT,
            5_000,
            "How often members of a share group shall send a heartbeat.",
            AtLeast(1),
        ),
        ConfigKey(
            "share.isolation.level",
            _STRING,
            "read_uncommitted",
            "Whether a share group gets records of transactions that are open or aborted.",
            OneOf(("read_committed", "read_uncommitted")),
        ),
        ConfigKey(
            "share.partition.max.record.locks",
            _INT,
            2_000,
            "How many records of a partition may be under way at a time.",
            AtLeast(100),
        ),
        ConfigKey(
            "share.record.lock.duration.ms",
            _INT,
            30_000,
            "How long a record that a member has acquired is its own.",
            AtLeast(1_000),
        ),
        ConfigKey(
            "share.renew.acknowledge.enable",
            _BOOLEAN,
            True,
            "Whether members may renew what they have acquired.",
        ),
        ConfigKey(
            "share.session.timeout.ms",
            _INT,
            45_000,
            "How long a share group waits for a member's heartbeat before it takes it out.",
            AtLeast(1),
        ),
        ConfigKey(
            "streams.assignment.interval.ms",
            _INT,
            0,
            "The least time between two assignments of a streams group.",
            AtLeast(0),
            kafka_default=1_000,
        ),
        ConfigKey(
            "streams.heartbeat.interval.ms",
            _INT,
            5_000,
            "How often members of a streams group shall send a heartbeat.",
            AtLeast(1),
        ),
        ConfigKey(
            "streams.initial.rebalance.delay.ms",
            _INT,
            0,
            "How long a new streams group waits for more members.",
            AtLeast(0),
            kafka_default=3_000,
        ),
        ConfigKey(
            "streams.num.standby.replicas",
            _INT,
            0,
            "Standby replicas of each task.",
            AtLeast(0),
        ),
        ConfigKey(
            "streams.session.timeout.ms",
            _INT,
            45_000,
            "How long a streams group waits for a member's heartbeat before it takes it out.",
            AtLeast(1),
        ),
    ],
)

_WITHOUT_SYNONYM = (
    "errors.deadletterqueue.copy.record.enable",
    "errors.deadletterqueue.topic.name",
    "share.auto.offset.reset",
    "share.isolation.level",
    "share.renew.acknowledge.enable",
)
GROUP_SYNONYMS: Mapping[str, str] = {name: f"group.{name}" for name in GROUP_CONFIGS if name not in _WITHOUT_SYNONYM}
"""The broker setting that holds for groups which do not have the setting."""


def group_settings(broker: BrokerConfig, own: Mapping[str, str]) -> dict[str, ConfigValue]:
    """Every group setting with the value that holds: the group's own within the broker's bounds, the broker's, Kafka's.

    A value that lies outside of the bounds, which were others when it was set, becomes the nearest bound.
    """
    settings = {
        name: broker[GROUP_SYNONYMS[name]] if name in GROUP_SYNONYMS else key.default
        for name, key in GROUP_CONFIGS.items()
    }
    parsed = GROUP_CONFIGS.parse(own)
    for bounded in BOUNDED:
        if bounded.name in parsed:
            parsed[bounded.name] = _clamped(broker, bounded, parsed[bounded.name])
    return {**settings, **parsed}


def check_group_configs(broker: BrokerConfig, own: Mapping[str, str]) -> None:
    """Refuse what a group may not have (``GroupConfig.validate``).

    Raises:
        KafkaConfigurationError: an unknown name, a bad value, one outside of the broker's bounds, or a session that is
            no longer than the interval between heartbeats.
    """
    for name in own:
        if name not in GROUP_CONFIGS:
            raise GROUP_CONFIGS.unknown(name)
    parsed = GROUP_CONFIGS.parse(own)
    for bounded in BOUNDED:
        value = parsed.get(bounded.name)
        if not isinstance(value, int):
            continue
        if bounded.lower and value < broker.integer(bounded.lower):
            raise KafkaConfigurationError(f"{bounded.name} must be greater than or equal to {bounded.lower}")
        if value > broker.integer(bounded.upper):
            raise KafkaConfigurationError(f"{bounded.name} must be less than or equal to {bounded.upper}")
    settings = group_settings(broker, own)
    for name, smaller in ((each.name, each.exceeds) for each in BOUNDED if each.exceeds):
        if _number(settings[name]) <= _number(settings[smaller]):
            raise KafkaConfigurationError(f"{name} must be greater than {smaller}")


def check_bounds(broker: BrokerConfig) -> None:
    """Refuse a broker's ``group.*`` settings that contradict each other (``GroupCoordinatorConfig``).

    Raises:
        KafkaConfigurationError: a value outside of its own bounds, a session that ends between two heartbeats, or no
            classic protocol.
    """
    protocols = broker["group.coordinator.rebalance.protocols"]
    assert isinstance(protocols, list)
    if "classic" not in protocols:
        raise KafkaConfigurationError("Disabling the 'classic' protocol is not supported.")
    for bounded in BOUNDED:
        name, value = bounded.broker_name, broker.integer(bounded.broker_name)
        if bounded.lower and value < broker.integer(bounded.lower):
            raise KafkaConfigurationError(f"{name} must be greater than or equal to {bounded.lower}")
        if value > broker.integer(bounded.upper):
            raise KafkaConfigurationError(f"{name} must be less than or equal to {bounded.upper}")
    for name, smaller in ((each.broker_name, f"group.{each.exceeds}") for each in BOUNDED if each.exceeds):
        if broker.integer(name) <= broker.integer(smaller):
            raise KafkaConfigurationError(f"{smaller} must be less than {name}")


def _clamped(broker: BrokerConfig, bounded: Bounded, value: ConfigValue) -> int:
    least = broker.integer(bounded.lower) if bounded.lower else 0
    return max(least, min(_number(value), broker.integer(bounded.upper)))


def _number(value: ConfigValue) -> int:
    assert isinstance(value, int)
    return value
