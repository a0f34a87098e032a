"""What a consumer reads: its subscription or manual assignment, and where it stands in each partition.

A partition is assigned either by the program (``assign``) or by the group (``subscribe``); a consumer does one or the
other.  An assigned partition is *fetchable* once it has a position and is not paused.
Positions of partitions that stay assigned survive a new assignment; a revoked partition's state is dropped.

Source: org.apache.kafka.clients.consumer.internals.SubscriptionState.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from embedkafka.client.consumer.listener import Listener, check_listener
from embedkafka.errors import IllegalStateError
from embedkafka.model import OffsetAndMetadata, SubscriptionPattern, TopicPartition, validate_topic_name

if TYPE_CHECKING:
    from embedkafka.record.codec import RecordCursor


class SubscriptionKind(Enum):
    NONE = "none"
    TOPICS = "topics"
    PATTERN = "pattern"
    BROKER_PATTERN = "broker pattern"
    ASSIGNED = "assigned"


_GROUP_MANAGED = frozenset({SubscriptionKind.TOPICS, SubscriptionKind.PATTERN, SubscriptionKind.BROKER_PATTERN})


class PartitionState:
    """Where a consumer stands in one assigned partition.

    ``position`` is the offset of the next record the program gets, None while unknown; ``leader_epoch`` is that of the
    record before it; ``reset`` is the timestamp to look the position up by (a list-offsets sentinel or a time), None
    when no reset is asked for; ``fetched_from`` is the position that what is in ``cursor`` was asked for.
    """

    __slots__ = (
        "cursor",
        "fetched_from",
        "highwater",
        "last_stable_offset",
        "leader_epoch",
        "log_start_offset",
        "paused",
        "position",
        "reset",
        "topic_partition",
    )

    def __init__(self, topic_partition: TopicPartition) -> None:
        self.topic_partition = topic_partition
        self.position: int | None = None
        self.leader_epoch = -1
        self.reset: int | None = None
        self.highwater: int | None = None
        self.last_stable_offset: int | None = None
        self.log_start_offset: int | None = None
        self.paused = False
        self.cursor: RecordCursor | None = None
        self.fetched_from = -1

    @property
    def is_fetchable(self) -> bool:
        return self.position is not None and not self.paused

    def seek(self, offset: int, leader_epoch: int = -1) -> None:
        self.position = offset
        self.leader_epoch = leader_epoch
        self.reset = None
        self.cursor = None

    def ask_reset(self, timestamp: int) -> None:
        self.position = None
        self.leader_epoch = -1
        self.reset = timestamp
        self.cursor = None


class Subscription:
    """Topics or partitions a consumer asked for, and the state of those it has.

    ``is_settled`` is a shortcut for each poll: every assigned partition has a position.
    """

    def __init__(self) -> None:
        self.kind = SubscriptionKind.NONE
        self.topics: set[str] = set()
        self.pattern: re.Pattern[str] | None = None
        self.broker_pattern: str | None = None
        self.listener: Listener | None = None
        self.assignment: dict[TopicPartition, PartitionState] = {}
        self.is_settled = True

    @property
    def is_group_managed(self) -> bool:
        return self.kind in _GROUP_MANAGED

    def subscribe(
        self,
        topics: Sequence[str] = (),
        pattern: str | re.Pattern[str] | SubscriptionPattern | None = None,
        listener: Listener | None = None,
    ) -> None:
        """Ask for topics by name or by pattern.

        Raises:
            ValueError: neither, or an illegal topic name.
            IllegalStateError: both, or the consumer was told what to read in another way.
            TypeError: ``topics`` is no sequence, or ``listener`` is no rebalance listener.
        """
        if not topics and not pattern:
            raise ValueError("subscribe needs topics or a pattern")
        if topics and pattern:
            raise IllegalStateError(_ONE_WAY)
        compiled = broker_pattern = None
        kind = SubscriptionKind.PATTERN
        if isinstance(pattern, SubscriptionPattern):
            kind, broker_pattern = SubscriptionKind.BROKER_PATTERN, pattern.pattern
        elif not pattern:
            kind = SubscriptionKind.TOPICS
            if isinstance(topics, str) or not isinstance(topics, Sequence):
                raise TypeError(f"topics is a list (or other sequence) of names, not {topics!r}")
            for topic in topics:
                _check_topic(topic)
        else:
            compiled = re.compile(pattern)
        check_listener(listener)
        self._become(kind)
        self.pattern = compiled
        self.broker_pattern = broker_pattern
        self.listener = listener
        self.topics = set(topics) if kind is SubscriptionKind.TOPICS else set()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read exactly these partitions; those assigned before keep their state."""
        self._become(SubscriptionKind.ASSIGNED)
        self.replace_assignment(partitions)

    def _become(self, kind: SubscriptionKind) -> None:
        if self.kind not in (SubscriptionKind.NONE, kind):
            raise IllegalStateError(_ONE_WAY)
        self.kind = kind

    def unsubscribe(self) -> None:
        self.kind = SubscriptionKind.NONE
        self.topics = set()
        self.pattern = self.broker_pattern = None
        self.replace_assignment(())

    def replace_assignment(self, partitions: Iterable[TopicPartition]) -> None:
        """Make ``partitions`` the assignment; state of those that stay is kept."""
        self.is_settled = False
        wanted = dict.fromkeys(partitions)
        for topic_partition in [held for held in self.assignment if held not in wanted]:
            self.assignment.pop(topic_partition).cursor = None
        for topic_partition in wanted:
            if topic_partition not in self.assignment:
                self.assignment[topic_partition] = PartitionState(topic_partition)

    def state(self, partition: Any) -> PartitionState:
        """The state of an assigned partition.

        Raises:
            TypeError: not a TopicPartition.
            IllegalStateError: not assigned.
        """
        check_partition(partition)
        state = self.assignment.get(partition)
        if state is None:
            raise IllegalStateError(
                f"partition {partition.topic}-{partition.partition} is not assigned to this consumer"
            )
        return state

    def ask_reset(self, state: PartitionState, timestamp: int) -> None:
        """Have the position looked up by a time or a list-offsets sentinel."""
        state.ask_reset(timestamp)
        self.is_settled = False

    def note_settled(self) -> None:
        self.is_settled = all(state.position is not None for state in self.assignment.values())

    def without_position(self) -> list[PartitionState]:
        """Partitions that have no position and no reset asked for."""
        return [state for state in self.assignment.values() if state.position is None and state.reset is None]

    def to_reset(self) -> dict[TopicPartition, int]:
        return {state.topic_partition: state.reset for state in self.assignment.values() if state.reset is not None}

    def consumed_offsets(self) -> dict[TopicPartition, OffsetAndMetadata]:
        """The position of every partition that has one, ready to be committed."""
        return {
            topic_partition: OffsetAndMetadata(state.position, "", state.leader_epoch)
            for topic_partition, state in self.assignment.items()
            if state.position is not None
        }


_ONE_WAY = (
    "a consumer is told what to read in one way: subscribe to topics by name, subscribe to a pattern, or assign "
    "partitions; unsubscribe() first to change"
)


def check_partition(partition: object) -> None:
    if not isinstance(partition, TopicPartition):
        raise TypeError(f"a partition is a TopicPartition, not {partition!r}")


def _check_topic(topic: object) -> None:
    if not isinstance(topic, str):
        raise TypeError(f"a topic name is a str, not {topic!r}")
    try:
        validate_topic_name(topic)
    except Exception as error:
        raise ValueError(str(error)) from None
