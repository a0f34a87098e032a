"""Who may commit and read the offsets of a consumer group: a member of the right epoch, anyone while it is empty."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.consumer.member import Member
from embedkafka.coordinator.decision import CommitOffsets
from embedkafka.errors import IllegalGenerationError, StaleMemberEpochError, UnknownMemberIdError
from embedkafka.model import TopicPartition


def epoch_error(member: Member, epoch: int) -> int:
    """0, or that the epoch is not the member's; clients of the classic protocol know it as their generation."""
    if epoch == member.epoch:
        return 0
    return StaleMemberEpochError.errno if member.classic is None else IllegalGenerationError.errno


def commit_errors(command: CommitOffsets, members: Mapping[str, Member]) -> dict[TopicPartition, int]:
    """The partitions for which an offset may not be stored, each with its error code."""
    request = command.request
    epoch = request.generation_id
    if not command.needs_member(has_members=bool(members)):
        return {}
    member = members.get(request.member_id)
    if member is None:
        return dict.fromkeys(request.offsets, UnknownMemberIdError.errno)
    error_code = epoch_error(member, epoch)
    if not error_code:
        return {}
    if member.classic is not None or not 0 < epoch < member.epoch:
        return dict.fromkeys(request.offsets, error_code)
    # The member's epoch moved on while the commit was on its way.  What it owned then and owns still is its own.
    return {
        topic_partition: error_code
        for topic_partition in request.offsets
        if not _owned_since(member, command, topic_partition, epoch)
    }


def _owned_since(member: Member, command: CommitOffsets, topic_partition: TopicPartition, epoch: int) -> bool:
    topic_id = command.topic_ids.get(topic_partition.topic)
    if topic_id is None:
        return False
    for owned in (member.assigned, member.revoking):
        since = owned.get(topic_id, {}).get(topic_partition.partition)
        if since is not None:
            return since <= epoch
    return False
