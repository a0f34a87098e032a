"""A topic while the engine is open: its catalog entry, the settings that hold, and its partitions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from uuid import UUID

from embedkafka.broker.catalog import TopicEntry
from embedkafka.config import BrokerConfig, ConfigValue, topic_settings
from embedkafka.storage.config import LogConfig

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition

CONSUMER_OFFSETS = "__consumer_offsets"
TRANSACTION_STATE = "__transaction_state"
SHARE_GROUP_STATE = "__share_group_state"
INTERNAL_TOPICS = frozenset({CONSUMER_OFFSETS, TRANSACTION_STATE, SHARE_GROUP_STATE})

_LOG_FIELDS = {
    field.name: field.name.replace("_", ".")
    for field in dataclasses.fields(LogConfig)
    if field.name not in ("cleanup_policy", "tail_bytes")
}


class Topic:
    """A topic and its partitions.  Changed under ``Topics.lock`` only, each attribute replaced as a whole."""

    __slots__ = ("entry", "is_internal", "log_config", "partitions", "settings")

    def __init__(self, entry: TopicEntry, broker: BrokerConfig) -> None:
        self.is_internal = entry.name in INTERNAL_TOPICS
        self.partitions: list[Partition] = []
        self.configure(entry, broker)

    def configure(self, entry: TopicEntry, broker: BrokerConfig) -> None:
        """Take a new entry or new broker defaults.

        Raises:
            KafkaConfigurationError: the settings are not valid; nothing has changed.
        """
        settings = topic_settings(broker, entry.configs)
        log_config = to_log_config(settings, tail_bytes=broker.integer("log.tail.bytes"))
        self.settings: dict[str, ConfigValue] = settings
        self.log_config = log_config
        for partition in self.partitions:
            partition.is_idle = True  # the next append starts the timers that the new settings ask for
            log = partition.open_log
            if log is not None:
                log.config = log_config
        self.entry = entry  # last: whoever finds it knows that the rest is done

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def topic_id(self) -> UUID:
        return self.entry.topic_id


def to_log_config(settings: dict[str, ConfigValue], *, tail_bytes: int) -> LogConfig:
    """The part of a topic's settings that its logs need."""
    fields: dict[str, Any] = {field: settings[name] for field, name in _LOG_FIELDS.items()}
    policy = settings["cleanup.policy"]
    assert isinstance(policy, list)
    return LogConfig(cleanup_policy=tuple(policy), tail_bytes=tail_bytes, **fields)
