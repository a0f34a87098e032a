"""What share partitions need of the engine."""

from __future__ import annotations

from typing import Protocol

from embedkafka.broker.partition import Partition
from embedkafka.broker.share.states import ShareStates
from embedkafka.clock import Clock
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.model import TopicIdPartition, TopicPartition

READ_COMMITTED = "read_committed"


class ShareGroupSettings(Protocol):
    """A group's settings, its own or the broker's, under Kafka's names (:mod:`embedkafka.config.group`)."""

    @property
    def share_record_lock_duration_ms(self) -> int: ...
    @property
    def share_delivery_count_limit(self) -> int: ...
    @property
    def share_partition_max_record_locks(self) -> int: ...
    @property
    def share_auto_offset_reset(self) -> str: ...
    @property
    def share_isolation_level(self) -> str: ...
    @property
    def share_renew_acknowledge_enable(self) -> bool: ...
    @property
    def errors_deadletterqueue_topic_name(self) -> str: ...
    @property
    def errors_deadletterqueue_copy_record_enable(self) -> bool: ...


class SharesHost(Protocol):
    """The engine as share partitions see it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def states(self) -> ShareStates: ...

    @property
    def max_sessions(self) -> int:
        """``group.share.max.share.sessions``."""

    @property
    def fetch_max_bytes(self) -> int:
        """``fetch.max.bytes``."""

    def settings(self, group_id: str) -> ShareGroupSettings:
        """A group's settings as they are now."""

    def partition(self, partition: TopicIdPartition) -> Partition | int:
        """The partition, or the error code that says why there is none."""

    def seal(self, partitions: list[TopicPartition]) -> None:
        """Hand what producers of this process hold to the partitions.  Called without a lock held."""

    def park(self, partitions: list[TopicPartition]) -> None:
        """A reader is about to wait at these partitions."""

    def unpark(self, partitions: list[TopicPartition]) -> None:
        """It waits no longer."""

    def dead_letter_partition(self, topic: str, number: int) -> Partition:
        """The partition of a dead-letter topic that takes records of the source's partition of this number.

        Raises:
            DeadLetterTopicMissing: it is to be created first.
            BrokerResponseError: there is none, or it may not be used for this.
        """

    def create_dead_letter_topic(self, topic: str) -> None:
        """Create it, or see to it that it is not asked for again.  Called without a lock held."""


class DeadLetterTopicMissing(Exception):  # not an error: whoever catches it creates the topic
    """A dead-letter topic is needed that does not exist, and may be created."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


def machine_settings(settings: ShareGroupSettings) -> ShareSettings:
    """What a share partition's machine needs of a group's settings."""
    return ShareSettings(
        settings.share_record_lock_duration_ms,
        settings.share_delivery_count_limit,
        settings.share_partition_max_record_locks,
    )
