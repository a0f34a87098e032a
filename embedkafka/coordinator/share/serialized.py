"""A share group's parts as records, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from embedkafka.coordinator.assignment import Assignment
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.share.member import ShareMember, ShareMemberState
from embedkafka.coordinator.share.records import (
    ShareAssignmentRecord,
    ShareGroupRecord,
    ShareMemberRecord,
    ShareRecord,
    ShareStatesRecord,
    ShareTargetEpochRecord,
    ShareTargetRecord,
)
from embedkafka.coordinator.share.states import ShareStates, TopicState, TopicStates
from embedkafka.protocol.internal.share_group_current_member_assignment import (
    AssignedPartitions,
    ShareGroupCurrentMemberAssignmentKey,
    ShareGroupCurrentMemberAssignmentValue,
)
from embedkafka.protocol.internal.share_group_member_metadata import (
    ShareGroupMemberMetadataKey,
    ShareGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.share_group_metadata import ShareGroupMetadataKey, ShareGroupMetadataValue
from embedkafka.protocol.internal.share_group_state_partition_metadata import (
    ShareGroupStatePartitionMetadataKey,
    ShareGroupStatePartitionMetadataValue,
    TopicInfo,
    TopicPartitionsInfo,
)
from embedkafka.protocol.internal.share_group_target_assignment_member import (
    ShareGroupTargetAssignmentMemberKey,
    ShareGroupTargetAssignmentMemberValue,
    TargetPartitions,
)
from embedkafka.protocol.internal.share_group_target_assignment_metadata import (
    ShareGroupTargetAssignmentMetadataKey,
    ShareGroupTargetAssignmentMetadataValue,
)

# To records ----------------------------------------------------------------------------------------------------------


def epoch_record(group_id: str, epoch: int, metadata_hash: int) -> ShareGroupRecord:
    return ShareGroupRecord(ShareGroupMetadataKey(group_id), ShareGroupMetadataValue(epoch, metadata_hash))


def member_record(group_id: str, member: ShareMember) -> ShareMemberRecord:
    value = ShareGroupMemberMetadataValue(
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=sorted(member.subscribed_topics),
    )
    return ShareMemberRecord(ShareGroupMemberMetadataKey(group_id, member.member_id), value)


def target_record(group_id: str, member_id: str, target: Assignment) -> ShareTargetRecord:
    partitions = [TargetPartitions(topic_id, sorted(target[topic_id])) for topic_id in target]
    return ShareTargetRecord(
        ShareGroupTargetAssignmentMemberKey(group_id, member_id), ShareGroupTargetAssignmentMemberValue(partitions)
    )


def target_epoch_record(group_id: str, epoch: int, timestamp_ms: int) -> ShareTargetEpochRecord:
    return ShareTargetEpochRecord(
        ShareGroupTargetAssignmentMetadataKey(group_id), ShareGroupTargetAssignmentMetadataValue(epoch, timestamp_ms)
    )


def assignment_record(group_id: str, member: ShareMember) -> ShareAssignmentRecord:
    value = ShareGroupCurrentMemberAssignmentValue(
        member_epoch=member.epoch,
        previous_member_epoch=member.previous_epoch,
        state=member.state.value,
        assigned_partitions=[
            AssignedPartitions(topic_id, sorted(partitions)) for topic_id, partitions in member.assigned.items()
        ],
    )
    return ShareAssignmentRecord(ShareGroupCurrentMemberAssignmentKey(group_id, member.member_id), value)


def states_record(group_id: str, states: ShareStates) -> ShareStatesRecord:
    value = ShareGroupStatePartitionMetadataValue(
        initializing_topics=_infos(states.initializing),
        initialized_topics=_infos(states.initialized),
        deleting_topics=[TopicInfo(topic_id, name) for topic_id, name in states.deleting.items()],
    )
    return ShareStatesRecord(ShareGroupStatePartitionMetadataKey(group_id), value)


def _infos(states: TopicStates) -> list[TopicPartitionsInfo]:
    return [TopicPartitionsInfo(topic_id, each.name, sorted(each.partitions)) for topic_id, each in states.items()]


def member_tombstones(group_id: str, member_id: str) -> list[ShareRecord]:
    """What deletes a member, in Kafka's order."""
    return [
        ShareAssignmentRecord(ShareGroupCurrentMemberAssignmentKey(group_id, member_id), None),
        ShareTargetRecord(ShareGroupTargetAssignmentMemberKey(group_id, member_id), None),
        ShareMemberRecord(ShareGroupMemberMetadataKey(group_id, member_id), None),
    ]


def tombstones(group_id: str, members: Iterable[str]) -> list[Record]:
    """What deletes a whole group, in Kafka's order."""
    ids = list(dict.fromkeys(members))
    return [
        *(ShareAssignmentRecord(ShareGroupCurrentMemberAssignmentKey(group_id, each), None) for each in ids),
        *(ShareTargetRecord(ShareGroupTargetAssignmentMemberKey(group_id, each), None) for each in ids),
        ShareTargetEpochRecord(ShareGroupTargetAssignmentMetadataKey(group_id), None),
        *(ShareMemberRecord(ShareGroupMemberMetadataKey(group_id, each), None) for each in ids),
        ShareStatesRecord(ShareGroupStatePartitionMetadataKey(group_id), None),
        ShareGroupRecord(ShareGroupMetadataKey(group_id), None),
    ]


# From records --------------------------------------------------------------------------------------------------------

_STATES = {state.value: state for state in ShareMemberState}


def with_metadata(member: ShareMember, value: ShareGroupMemberMetadataValue) -> ShareMember:
    return replace(
        member,
        rack_id=value.rack_id,
        client_id=value.client_id,
        client_host=value.client_host,
        subscribed_topics=frozenset(value.subscribed_topic_names),
    )


def with_assignment(member: ShareMember, value: ShareGroupCurrentMemberAssignmentValue) -> ShareMember:
    return replace(
        member,
        epoch=value.member_epoch,
        previous_epoch=value.previous_member_epoch,
        state=_STATES.get(value.state, ShareMemberState.UNKNOWN),
        assigned={each.topic_id: frozenset(each.partitions) for each in value.assigned_partitions if each.partitions},
    )


def without_assignment(member: ShareMember) -> ShareMember:
    return replace(
        ShareMember(member.member_id),
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topics=member.subscribed_topics,
    )


def states_of(value: ShareGroupStatePartitionMetadataValue) -> ShareStates:
    return ShareStates(
        _states(value.initializing_topics),
        _states(value.initialized_topics),
        {each.topic_id: each.topic_name for each in value.deleting_topics},
    )


def _states(infos: list[TopicPartitionsInfo]) -> TopicStates:
    return {each.topic_id: TopicState(each.topic_name, frozenset(each.partitions)) for each in infos}
