"""OffsetCommit (8): a member of the current generation, or anyone while the group is empty, stores offsets."""

from __future__ import annotations

from embedkafka.coordinator.api import OffsetCommitReply, OffsetCommitRequest
from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.classic.leave import session_timer
from embedkafka.coordinator.classic.validate import generation_error
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import CommitOffsets, Decision
from embedkafka.coordinator.records import OffsetRecord, Record
from embedkafka.errors import (
    IllegalGenerationError,
    OffsetMetadataTooLargeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from embedkafka.protocol.fields import ZERO_UUID
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue


def commit_offsets(command: CommitOffsets, group: Group | None, config: GroupConfig, now_ms: int) -> Decision:
    """Decide about a commit.  A commit by a member is also a sign of life."""
    request = command.request
    error_code = _error(request, group)
    if error_code:
        return Decision(reply=OffsetCommitReply(dict.fromkeys(request.offsets, error_code)))
    error_codes = {}
    records: list[Record] = []
    for topic_partition, committed in request.offsets.items():
        if len(committed.metadata) > config.offset_metadata_max_bytes:
            error_codes[topic_partition] = OffsetMetadataTooLargeError.errno
            continue
        error_codes[topic_partition] = 0
        topic, partition = topic_partition
        value = OffsetCommitValue(
            offset=committed.offset,
            leader_epoch=committed.leader_epoch,
            metadata=committed.metadata,
            commit_timestamp=now_ms,
            topic_id=command.topic_ids.get(topic, ZERO_UUID),
        )
        records.append(OffsetRecord(OffsetCommitKey(request.group_id, topic, partition), value))
    is_member = group is not None and request.member_id in group.members
    timers = [session_timer(group, request.member_id)] if group is not None and is_member else ()
    return Decision(reply=OffsetCommitReply(error_codes), records=records, timers=timers)


def _error(request: OffsetCommitRequest, group: Group | None) -> int:
    if group is None:
        # Kafka answers version 9 and later with GROUP_ID_NOT_FOUND; the classic protocol's clients, which this
        # coordinator serves, know ILLEGAL_GENERATION for a group that is gone, and join again.
        return IllegalGenerationError.errno if request.generation_id >= 0 else 0
    if request.generation_id < 0 and group.state is GroupState.EMPTY:
        return 0
    if request.generation_id < 0 and not request.member_id and request.group_instance_id is None:
        return UnknownMemberIdError.errno
    error_code = generation_error(group, request.member_id, request.group_instance_id, request.generation_id)
    if error_code:
        return error_code
    # Between two generations nobody owns a partition yet; while a rebalance is prepared the old owners still do.
    return RebalanceInProgressError.errno if group.state is GroupState.COMPLETING_REBALANCE else 0
