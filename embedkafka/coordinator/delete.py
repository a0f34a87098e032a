"""OffsetDelete (47), DeleteGroups (42), and what the deletion of a topic means for committed offsets."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.api import DeleteGroupsRequest, GroupResult, OffsetDeleteReply, OffsetDeleteRequest
from embedkafka.coordinator.decision import Decision, GroupChanged, TopicsDeleted
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.records import OffsetRecord, Record
from embedkafka.coordinator.state import DurableState
from embedkafka.errors import (
    GroupIdNotFoundError,
    GroupSubscribedToTopicError,
    NonEmptyGroupError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey


def delete_offsets(request: OffsetDeleteRequest, group: AnyGroup | None, durable: DurableState) -> Decision:
    """Offsets of topics that the group's members read are not deleted under them."""
    if group is None:
        return Decision(reply=OffsetDeleteReply(GroupIdNotFoundError.errno))
    error_code = group.offset_delete_error()
    if error_code:
        return Decision(reply=OffsetDeleteReply(error_code))
    stored = durable.offset_partitions(request.group_id)
    error_codes = {}
    records: list[Record] = []
    subscribed = {topic: group.is_subscribed_to(topic) for topic, _ in request.partitions}
    for topic_partition in request.partitions:
        if subscribed[topic_partition.topic]:
            error_codes[topic_partition] = GroupSubscribedToTopicError.errno
            continue
        error_codes[topic_partition] = 0
        if topic_partition in stored:
            records.append(offset_tombstone(request.group_id, topic_partition))
    return Decision(reply=OffsetDeleteReply(0, error_codes), records=records)


def delete_groups(
    request: DeleteGroupsRequest, groups: Iterable[tuple[str, AnyGroup | None]], durable: DurableState
) -> Decision:
    """Delete groups without members, with their offsets; the reply is a list of results."""
    results: list[GroupResult] = []
    records: list[Record] = []
    events = []
    for group_id, group in groups:
        if group is None:
            results.append(GroupResult(group_id, GroupIdNotFoundError.errno, f"there is no group {group_id!r}"))
        elif not group.is_empty:
            message = f"group {group_id!r} has {group.member_count} members"
            results.append(GroupResult(group_id, NonEmptyGroupError.errno, message))
        elif group.is_kept_elsewhere:
            message = f"group {group_id!r} was joined again while its states were deleted"
            results.append(GroupResult(group_id, NonEmptyGroupError.errno, message))
        else:
            results.append(GroupResult(group_id))
            records += group_tombstones(group, durable)
            events.append(GroupChanged(group_id, None))
    return Decision(reply=results, records=records, events=events)


def delete_topics(command: TopicsDeleted, durable: DurableState) -> Decision:
    """Forget every offset committed for these topics."""
    gone = frozenset(command.topics)
    records = [
        offset_tombstone(group_id, topic_partition)
        for group_id in sorted(durable.offsets.keys() | durable.pending.keys())
        for topic_partition in sorted(durable.offset_partitions(group_id))
        if topic_partition.topic in gone
    ]
    return Decision(records=records)


def group_tombstones(group: AnyGroup, durable: DurableState) -> list[Record]:
    """What deletes a group and everything it committed."""
    records: list[Record] = [
        offset_tombstone(group.group_id, topic_partition)
        for topic_partition in sorted(durable.offset_partitions(group.group_id))
    ]
    if durable.has_record_of(group.group_id):
        records += group.tombstones()
    return records


def offset_tombstone(group_id: str, topic_partition: TopicPartition) -> OffsetRecord:
    """What deletes one committed offset."""
    return OffsetRecord(OffsetCommitKey(group_id, *topic_partition), None)
