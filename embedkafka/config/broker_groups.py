"""The broker's ``group.*`` settings: all that Kafka 4.3 has.

Most of those of a protocol come in threes: what holds for a group without settings of its own
(:mod:`embedkafka.config.group`), and the bounds of what a group may set.
"""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.config.definition import (
    MAX_INT,
    AtLeast,
    Between,
    ConfigKey,
    ConfigType,
    Importance,
    OneOf,
    SomeOf,
)

_INT, _STRING, _LIST = ConfigType.INT, ConfigType.STRING, ConfigType.LIST
_HIGH, _LOW = Importance.HIGH, Importance.LOW

_ONE_LOCK = "commands of a shard are carried out one by one, on the caller's thread"


class Bounded(NamedTuple):
    """A setting that groups may have of their own, by its name without ``group.`` and the bounds'."""

    name: str
    lower: str
    upper: str
    exceeds: str = ""  # a setting that has to be smaller

    @property
    def broker_name(self) -> str:
        return f"group.{self.name}"


def _bounded(protocol: str, setting: str, exceeds: str = "") -> Bounded:
    return Bounded(
        f"{protocol}.{setting}",
        f"group.{protocol}.min.{setting}",
        f"group.{protocol}.max.{setting}",
        f"{protocol}.{exceeds}" if exceeds else "",
    )


BOUNDED = (
    _bounded("consumer", "heartbeat.interval.ms"),
    _bounded("consumer", "session.timeout.ms", "heartbeat.interval.ms"),
    _bounded("consumer", "assignment.interval.ms"),
    _bounded("share", "heartbeat.interval.ms"),
    _bounded("share", "session.timeout.ms", "heartbeat.interval.ms"),
    _bounded("share", "record.lock.duration.ms"),
    _bounded("share", "delivery.count.limit"),
    _bounded("share", "partition.max.record.locks"),
    _bounded("share", "assignment.interval.ms"),
    _bounded("streams", "session.timeout.ms", "heartbeat.interval.ms"),
    _bounded("streams", "heartbeat.interval.ms"),
    Bounded("streams.num.standby.replicas", "", "group.streams.max.standby.replicas"),
    _bounded("streams", "assignment.interval.ms"),
)
"""In the order in which Kafka looks at them."""


def _protocol(protocol: str) -> list[ConfigKey]:
    """Session, heartbeat and assignment interval of a protocol's groups, each with its bounds."""

    def key(name: str, default: int, doc: str, least: int = 1, *, kafka_default: int | None = None) -> ConfigKey:
        full = f"group.{protocol}.{name}"
        return ConfigKey(full, _INT, default, doc, AtLeast(least), kafka_default=kafka_default)

    return [
        key("session.timeout.ms", 45_000, "How long a group waits for a member's heartbeat before it takes it out."),
        key("min.session.timeout.ms", 45_000, "The shortest session timeout that a group may have of its own."),
        key("max.session.timeout.ms", 60_000, "The longest session timeout that a group may have of its own."),
        key("heartbeat.interval.ms", 5_000, "How often members of a group shall send a heartbeat."),
        key("min.heartbeat.interval.ms", 5_000, "The shortest heartbeat interval that a group may have of its own."),
        key("max.heartbeat.interval.ms", 15_000, "The longest heartbeat interval that a group may have of its own."),
        key(
            "assignment.interval.ms",
            0,
            "The least time between two assignments of a group. In one process nobody is late.",
            0,
            kafka_default=1_000,
        ),
        key("min.assignment.interval.ms", 0, "The shortest assignment interval that a group may have of its own.", 0),
        key(
            "max.assignment.interval.ms",
            15_000,
            "The longest assignment interval that a group may have of its own.",
            0,
        ),
    ]


_CONSUMER = [
    *_protocol("consumer"),
    ConfigKey(
        "group.consumer.assignors",
        _LIST,
        ["uniform", "range"],
        "The server-side assignors that members may ask for; who asks for none gets the first.",
        SomeOf(("uniform", "range")),
    ),
    ConfigKey("group.consumer.max.size", _INT, MAX_INT, "The most members of a consumer group.", AtLeast(1)),
    ConfigKey(
        "group.consumer.migration.policy",
        _STRING,
        "bidirectional",
        "Which way a group with members may change between the classic and the consumer protocol.",
        OneOf(("disabled", "downgrade", "upgrade", "bidirectional")),
    ),
    ConfigKey(
        "group.consumer.regex.refresh.interval.ms",
        _INT,
        600_000,
        "How often the topics of regular expressions are looked for again.",
        AtLeast(10_000),
        is_internal=True,
        inert_because="the topics of a regular expression are found again at each change of topics",
    ),
]

_SHARE = [
    *_protocol("share"),
    ConfigKey(
        "group.share.assignors",
        _LIST,
        ["simple"],
        "The server-side assignor of share groups.",
        SomeOf(("simple",)),
        inert_because="there is one",
    ),
    ConfigKey("group.share.max.size", _INT, 200, "The most members of a share group.", Between(1, 1_000)),
    ConfigKey(
        "group.share.delivery.count.limit",
        _INT,
        5,
        "How often a record is delivered before it counts as undeliverable.",
        Between(2, 10),
    ),
    ConfigKey(
        "group.share.min.delivery.count.limit", _INT, 2, "The lowest such limit that a group may have.", Between(2, 5)
    ),
    ConfigKey(
        "group.share.max.delivery.count.limit",
        _INT,
        10,
        "The highest such limit that a group may have.",
        Between(5, 25),
    ),
    ConfigKey(
        "group.share.record.lock.duration.ms",
        _INT,
        30_000,
        "How long a record that a member has acquired is its own.",
        Between(1_000, 3_600_000),
    ),
    ConfigKey(
        "group.share.min.record.lock.duration.ms",
        _INT,
        15_000,
        "The shortest such time that a group may have of its own.",
        Between(1_000, 30_000),
    ),
    ConfigKey(
        "group.share.max.record.lock.duration.ms",
        _INT,
        60_000,
        "The longest such time that a group may have of its own.",
        Between(30_000, 3_600_000),
    ),
    ConfigKey(
        "group.share.partition.max.record.locks",
        _INT,
        2_000,
        "How many records of a partition may be under way at a time.",
        Between(100, 10_000),
    ),
    ConfigKey(
        "group.share.min.partition.max.record.locks",
        _INT,
        100,
        "The lowest such limit that a group may have.",
        Between(100, 2_000),
    ),
    ConfigKey(
        "group.share.max.partition.max.record.locks",
        _INT,
        4_000,
        "The highest such limit that a group may have.",
        Between(2_000, 10_000),
    ),
    ConfigKey(
        "group.share.max.share.sessions",
        _INT,
        2_000,
        "The most share sessions of a broker.",
        AtLeast(1),
    ),
    ConfigKey(
        "group.share.initialize.retry.interval.ms",
        _INT,
        30_000,
        "When a share partition's state is initialized again that was not.",
        AtLeast(1),
        _LOW,
        is_internal=True,
        inert_because="the next heartbeat of the group sees to it",
    ),
    ConfigKey(
        "group.share.persister.class.name",
        _STRING,
        "org.apache.kafka.server.share.persister.DefaultStatePersister",
        "Who keeps the state of share partitions.",
        is_internal=True,
        inert_because="the share coordinator does, in __share_group_state",
    ),
]

_STREAMS = [
    *_protocol("streams"),
    ConfigKey(
        "group.streams.initial.rebalance.delay.ms",
        _INT,
        0,
        "How long a new streams group waits for more members. In one process nobody is late.",
        AtLeast(0),
        kafka_default=3_000,
    ),
    ConfigKey(
        "group.streams.max.size",
        _INT,
        MAX_INT,
        "The most members of a streams group.",
        AtLeast(1),
    ),
    ConfigKey(
        "group.streams.num.standby.replicas",
        _INT,
        0,
        "Standby replicas of each task.",
        AtLeast(0),
    ),
    ConfigKey(
        "group.streams.max.standby.replicas",
        _INT,
        2,
        "The most standby replicas that a group may have of its own.",
        AtLeast(0),
    ),
]

_CLASSIC = [
    ConfigKey(
        "group.initial.rebalance.delay.ms",
        _INT,
        0,
        "How long the first rebalance of an empty group waits for more members. In one process nobody is late.",
        kafka_default=3_000,
    ),
    ConfigKey("group.max.session.timeout.ms", _INT, 1_800_000, "The longest session timeout a member may ask for."),
    ConfigKey("group.max.size", _INT, MAX_INT, "The most members of a group.", AtLeast(1)),
    ConfigKey("group.min.session.timeout.ms", _INT, 6_000, "The shortest session timeout a member may ask for."),
]

_COORDINATOR = [
    ConfigKey(
        "group.coordinator.rebalance.protocols",
        _LIST,
        ["classic", "consumer", "streams"],
        "The group protocols that are spoken; share groups are, whatever stands here, as in Kafka since 4.2.",
        SomeOf(("consumer", "classic", "share", "streams")),
    ),
    ConfigKey(
        "group.coordinator.append.linger.ms",
        _INT,
        -1,
        "How long writes of a group coordinator are gathered.",
        AtLeast(-1),
        inert_because="a command's records are written before it is answered",
    ),
    ConfigKey(
        "group.coordinator.background.threads",
        _INT,
        2,
        "Threads that resolve regular expressions and assign.",
        AtLeast(1),
        _HIGH,
        inert_because=_ONE_LOCK,
    ),
    ConfigKey(
        "group.coordinator.cached.buffer.max.bytes",
        _INT,
        1_048_588,
        "How large a write buffer may be that is kept.",
        AtLeast(524_288),
        inert_because="no buffer is kept",
    ),
    ConfigKey(
        "group.coordinator.threads",
        _INT,
        4,
        "Threads of a group coordinator.",
        AtLeast(1),
        _HIGH,
        inert_because=_ONE_LOCK,
    ),
]

GROUP_KEYS = [*_COORDINATOR, *_CLASSIC, *_CONSUMER, *_SHARE, *_STREAMS]
