"""What members read, and what that means for the group's epoch."""

from __future__ import annotations

import re
from uuid import UUID

from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import Member
from embedkafka.coordinator.consumer.serialized import epoch_record, member_record, regex_record
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.patterns import compile_pattern
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import InvalidRegularExpressionError
from embedkafka.protocol.internal.consumer_group_regular_expression import ConsumerGroupRegularExpressionValue


def update_member(turn: Turn, old: Member, new: Member) -> bool:
    """Write what a member says of itself, if it is new; True where what it reads has changed."""
    if new == old and new.member_id in turn.group.members:
        return False
    turn.write(member_record(turn.group.group_id, new))
    return (new.subscribed_topics, new.subscribed_regex or None) != (
        old.subscribed_topics,
        old.subscribed_regex or None,
    )


def update_epoch(turn: Turn, *, must_grow: bool) -> None:
    """Bump the group's epoch where its members or their topics have changed; a new assignment follows from that."""
    _resolve_regexes(turn)
    group = turn.group
    metadata_hash = turn.moment.topics.hash_of(group.subscribed_topics())
    if must_grow or metadata_hash != group.metadata_hash:
        turn.write(epoch_record(group.group_id, group.epoch + 1, metadata_hash))


def check_regex(pattern: str) -> None:
    """Raise :class:`InvalidRegularExpressionError` for what is no regular expression."""
    try:
        compile_pattern(pattern)
    except re.error as error:
        raise InvalidRegularExpressionError(f"SubscribedTopicRegex {pattern!r} is not valid: {error}") from None


def subscribed_ids(group: ConsumerGroup, member: Member, topics: Topics) -> frozenset[UUID]:
    """The ids of the topics that a member reads, as far as they exist."""
    names = member.subscribed_topics
    resolved = group.regexes.get(member.subscribed_regex) if member.subscribed_regex else None
    if resolved is not None:
        names = names.union(resolved.topics)
    return frozenset(topic.topic_id for topic in topics.existing(names))


def _resolve_regexes(turn: Turn) -> None:
    """Keep the topics of every regular expression in use, and of no other.

    Kafka does this on a thread of its own, at most every ten seconds; matching names here takes no waiting for, and
    nothing is written unless the topics are others.  As there, whoever sends the heartbeat decides which topics may be
    known; where nobody does, what was known stays.
    """
    group, topics = turn.group, turn.moment.topics
    used = {member.subscribed_regex for member in group.members.values() if member.subscribed_regex}
    for pattern in [each for each in group.regexes if each not in used]:
        turn.write(regex_record(group.group_id, pattern, None))
    for pattern in sorted(used):
        known = turn.group.regexes.get(pattern)
        matching = topics.matching(pattern) - (turn.hidden_topics or frozenset())
        if turn.hidden_topics is None:
            matching &= frozenset(known.topics if known is not None else ())
        if known is None or matching != frozenset(known.topics):
            value = ConsumerGroupRegularExpressionValue(sorted(matching), topics.version, turn.moment.now_ms)
            turn.write(regex_record(group.group_id, pattern, value))
