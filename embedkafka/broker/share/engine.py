"""The engine as share partitions see it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from embedkafka.broker.api import NewTopicSpec
from embedkafka.broker.partition import Partition
from embedkafka.broker.share.host import DeadLetterTopicMissing, ShareGroupSettings
from embedkafka.broker.share.shares import Shares
from embedkafka.broker.share.states import ShareStates
from embedkafka.clock import Clock
from embedkafka.errors import (
    InvalidTopicError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    UnknownTopicIdError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicIdPartition, TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_log = logging.getLogger(__name__)

_AUTO_CREATE = "errors.deadletterqueue.auto.create.topics.enable"
_GROUP_ENABLE = "errors.deadletterqueue.group.enable"


class EngineHost:
    """See :class:`embedkafka.broker.share.host.SharesHost`."""

    def __init__(self, engine: Engine, states: ShareStates) -> None:
        self.states = states
        self._engine = engine
        self._topics = engine.topics
        self._unsealed = engine.unsealed
        self._config = engine.config
        self._uncreatable: set[str] = set()

    @property
    def clock(self) -> Clock:
        return self._engine.clock

    @property
    def max_sessions(self) -> int:
        return self._config.integer("group.share.max.share.sessions")

    @property
    def fetch_max_bytes(self) -> int:
        return self._config.integer("fetch.max.bytes")

    def settings(self, group_id: str) -> ShareGroupSettings:
        return self._engine.group_configs.of(group_id)

    def partition(self, partition: TopicIdPartition) -> Partition | int:
        name = self._topics.name_of(partition.topic_id)
        if name is None:
            return UnknownTopicIdError.errno
        found = self._topics.partition(TopicPartition(name, partition.partition))
        return UnknownTopicOrPartitionError.errno if found is None else found

    def seal(self, partitions: list[TopicPartition]) -> None:
        self._unsealed.seal(partitions)

    def park(self, partitions: list[TopicPartition]) -> None:
        self._unsealed.park(partitions)

    def unpark(self, partitions: list[TopicPartition]) -> None:
        self._unsealed.unpark(partitions)

    # Dead letters -----------------------------------------------------------------------------------------------------

    def dead_letter_partition(self, topic: str, number: int) -> Partition:
        """Kafka's rules (KIP-1191): no internal name, the broker's prefix, and the topic has to allow it."""
        prefix = self._config.text("errors.deadletterqueue.topic.name.prefix")
        if topic.startswith("__") or not topic.startswith(prefix):
            raise InvalidTopicError(f"a dead-letter topic's name begins with {prefix!r}, and not with '__': {topic!r}")
        found = self._topics.topic(topic)
        if found is None:
            if topic not in self._uncreatable and self._config.boolean(_AUTO_CREATE):
                raise DeadLetterTopicMissing(topic)
            raise UnknownTopicOrPartitionError(f"there is no dead-letter topic {topic!r}, or {_AUTO_CREATE} is off")
        if not found.settings[_GROUP_ENABLE]:
            raise PolicyViolationError(f"topic {topic!r} takes no dead letters of groups: {_GROUP_ENABLE} is off")
        return found.partitions[number % len(found.partitions)]

    def create_dead_letter_topic(self, topic: str) -> None:
        configs = {_GROUP_ENABLE: "true", "message.timestamp.type": "CreateTime"}
        (result,) = self._topics.create([NewTopicSpec(topic, configs=configs)])
        if result.error_code not in (0, TopicAlreadyExistsError.errno):
            _log.warning("dead-letter topic %r cannot be created: %s", topic, result.error_message)
            self._uncreatable.add(topic)


def open_shares(engine: Engine, states: ShareStates) -> Shares:
    """The share partitions of an engine."""
    return Shares(EngineHost(engine, states))
