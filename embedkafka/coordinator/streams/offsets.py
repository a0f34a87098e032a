"""Who may commit the offsets of a streams group: a member with the task that reads the partition, anyone while it is
empty."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.decision import CommitOffsets
from embedkafka.coordinator.streams.member import StreamsMember
from embedkafka.coordinator.streams.tasks import TaskId
from embedkafka.coordinator.streams.topology import Topology
from embedkafka.errors import StaleMemberEpochError, UnknownMemberIdError
from embedkafka.model import TopicPartition


def commit_errors(
    command: CommitOffsets, members: Mapping[str, StreamsMember], topology: Topology | None
) -> dict[TopicPartition, int]:
    """The partitions for which an offset may not be stored, each with its error code."""
    request = command.request
    epoch = request.generation_id
    if not command.needs_member(has_members=bool(members)):
        return {}
    member = members.get(request.member_id)
    if member is None:
        return dict.fromkeys(request.offsets, UnknownMemberIdError.errno)
    if epoch == member.epoch:
        return {}
    stale = StaleMemberEpochError.errno
    if epoch > member.epoch or topology is None:
        return dict.fromkeys(request.offsets, stale)
    # The member's epoch moved on while the commit was on its way.  What it had then and has still is its own.
    by_source = topology.subtopology_by_source()
    return {each: stale for each in request.offsets if not _had_since(member, by_source, each, epoch)}


def _had_since(
    member: StreamsMember, by_source: Mapping[str, str], topic_partition: TopicPartition, epoch: int
) -> bool:
    subtopology_id = by_source.get(topic_partition.topic)
    if subtopology_id is None:
        return False
    task = TaskId(subtopology_id, topic_partition.partition)
    since = member.assigned.active.get(task, member.revoking.active.get(task))
    return since is not None and since <= epoch
