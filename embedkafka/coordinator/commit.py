"""OffsetCommit (8) and TxnOffsetCommit (28): a member that is up to date, or anyone while the group is empty, stores
offsets; in a transaction (KIP-447) they count once it is committed."""

from __future__ import annotations

from embedkafka.coordinator.api import OffsetCommitReply, OffsetCommitRequest
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import CommitOffsets, Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.records import OffsetRecord, Record
from embedkafka.errors import IllegalGenerationError, OffsetMetadataTooLargeError, StaleMemberEpochError
from embedkafka.model import TopicPartition
from embedkafka.protocol.fields import ZERO_UUID
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue


def commit_offsets(command: CommitOffsets, group: AnyGroup | None, config: GroupConfig, now_ms: int) -> Decision:
    """Decide about a commit.  The group says which partitions its sender may commit."""
    request = command.request
    error_codes = dict(_no_group(request) if group is None else group.commit_errors(command))
    if command.producer is not None:
        # Clients of this request do not know STALE_MEMBER_EPOCH.
        stale, illegal = StaleMemberEpochError.errno, IllegalGenerationError.errno
        error_codes = {each: illegal if code == stale else code for each, code in error_codes.items()}
    records: list[Record] = []
    for topic_partition, committed in request.offsets.items():
        if topic_partition in error_codes:
            continue
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
    is_refused = bool(request.offsets) and not any(error_code == 0 for error_code in error_codes.values())
    timers = () if group is None or is_refused else group.after_commit(request.member_id)
    return Decision(reply=OffsetCommitReply(error_codes), records=records, timers=timers, producer=command.producer)


def _no_group(request: OffsetCommitRequest) -> dict[TopicPartition, int]:
    # Kafka answers version 9 and later with GROUP_ID_NOT_FOUND; the classic protocol's clients know ILLEGAL_GENERATION
    # for a group that is gone, and join again.
    return dict.fromkeys(request.offsets, IllegalGenerationError.errno) if request.generation_id >= 0 else {}
