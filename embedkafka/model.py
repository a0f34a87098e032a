"""The nouns every layer shares: partitions, offsets, group identity, records on their way in.

Names, fields and defaults are kafka-python 3's, so a program that builds or unpacks them changes nothing.
``ConsumerRecord`` is not here: it is built by the codec and lives in :mod:`embedkafka.record`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from embedkafka.errors import InvalidTopicError

Headers = Sequence[tuple[str, bytes | None]]

MAX_TOPIC_NAME_LENGTH = 249  # org.apache.kafka.common.internals.Topic
_LEGAL_TOPIC_NAME = re.compile(r"[a-zA-Z0-9._-]+")


def id_text(value: UUID) -> str:
    """An id the way Kafka writes it: 22 characters of URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(value.bytes).rstrip(b"=").decode()


def parse_id(text: str) -> UUID:
    """The id that :func:`id_text` wrote.

    Raises:
        ValueError: not 16 bytes of base64.
    """
    return UUID(bytes=base64.urlsafe_b64decode(text + "=="))


class TopicPartition(NamedTuple):
    """A topic and the number of one of its partitions."""

    topic: str
    partition: int


class TopicIdPartition(NamedTuple):
    """A partition by its topic's id, which a topic of the same name that is created later does not have (KIP-516)."""

    topic_id: UUID
    partition: int


class AcknowledgeType(IntEnum):
    """What became of a record that a share consumer got (Java's ``AcknowledgeType``)."""

    ACCEPT = 1
    """It is done."""
    RELEASE = 2
    """Somebody should try it again, unless it was delivered as often as it may be."""
    REJECT = 3
    """Nobody should: it is done away with, or goes to the group's dead-letter topic."""
    RENEW = 4
    """It takes longer: the lock starts anew (KIP-1222)."""


class TopicPartitionReplica(NamedTuple):
    """A partition's copy on one broker."""

    topic: str
    partition: int
    broker_id: int


class OffsetAndMetadata(NamedTuple):
    """What a group commits: the next offset to read, a free text, and the leader epoch of the record before it."""

    offset: int | None = None
    metadata: str | None = ""
    leader_epoch: int | None = -1


class OffsetAndTimestamp(NamedTuple):
    """The first record at or after a searched time."""

    offset: int
    timestamp: int
    leader_epoch: int | None


class RecordMetadata(NamedTuple):
    """Where an acknowledged record went; what a send's future resolves to."""

    topic: str
    partition: int
    topic_partition: TopicPartition
    offset: int
    timestamp: int
    checksum: int | None
    serialized_key_size: int
    serialized_value_size: int
    serialized_header_size: int


class MemberState:
    """Where a consumer stands in its group."""

    UNJOINED = "<unjoined>"
    REBALANCING = "<rebalancing>"
    STABLE = "<stable>"


@dataclass(frozen=True, slots=True)
class SubscriptionPattern:
    """A regular expression that the broker matches whole topic names with, for ``subscribe(pattern=...)`` (Java's).

    It needs ``group_protocol="consumer"``.  A plain text or compiled pattern is matched in the client instead, from the
    beginning of the name.
    """

    pattern: str


class ConsumerGroupMetadata(NamedTuple):
    """A consumer's identity in its group; fences offsets committed in a transaction (KIP-447)."""

    group_id: str | None = None
    generation_id: int | None = -1
    member_id: str | None = ""
    group_instance_id: str | None = None
    state: str | None = MemberState.UNJOINED


@dataclass(frozen=True, slots=True)
class ProducerRecord:
    """A record as Java's producer takes it; ``KafkaProducer.send`` accepts it in place of its arguments.

    Args:
        topic: where it goes.
        value: what the value serializer takes, or None for a tombstone.
        key: what the key serializer takes.
        headers: pairs of name and bytes (or None).
        partition: the partition, or None to let the partitioner choose.
        timestamp_ms: milliseconds since the epoch, or None for now.
    """

    topic: str
    value: Any = None
    key: Any = None
    headers: Headers | None = None
    partition: int | None = None
    timestamp_ms: int | None = None


def validate_topic_name(topic: str) -> None:
    """Check a topic's name by Kafka's rules.

    Raises:
        TypeError: it is not a string.
        InvalidTopicError: empty, ``.``, ``..``, over 249 characters, or a character outside ``[a-zA-Z0-9._-]``.
    """
    if not isinstance(topic, str):
        raise TypeError(f"a topic name is a str, not {type(topic).__name__}: {topic!r}")
    if not topic:
        raise InvalidTopicError("a topic name may not be empty")
    if topic in (".", ".."):
        raise InvalidTopicError(f"a topic may not be called {topic!r}")
    if len(topic) > MAX_TOPIC_NAME_LENGTH:
        raise InvalidTopicError(f"a topic name has at most {MAX_TOPIC_NAME_LENGTH} characters, this one {len(topic)}")
    if not _LEGAL_TOPIC_NAME.fullmatch(topic):
        raise InvalidTopicError(f"topic name {topic!r}: only ASCII letters, digits, '.', '_' and '-' are legal")
