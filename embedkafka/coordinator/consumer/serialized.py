"""A consumer group's parts as records, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from embedkafka.coordinator.assignment import NOTHING, Assignment, Owned
from embedkafka.coordinator.consumer.member import ClassicPart, Member, MemberState
from embedkafka.coordinator.records import (
    ConsumerGroupRecord,
    ConsumerMemberRecord,
    ConsumerRecord,
    CurrentAssignmentRecord,
    Record,
    RegularExpressionRecord,
    TargetEpochRecord,
    TargetRecord,
)
from embedkafka.protocol.internal.consumer_group_current_member_assignment import (
    ConsumerGroupCurrentMemberAssignmentKey,
    ConsumerGroupCurrentMemberAssignmentValue,
    OwnedPartitions,
)
from embedkafka.protocol.internal.consumer_group_member_metadata import (
    ClassicMemberMetadata,
    ClassicProtocol,
    ConsumerGroupMemberMetadataKey,
    ConsumerGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.consumer_group_metadata import ConsumerGroupMetadataKey, ConsumerGroupMetadataValue
from embedkafka.protocol.internal.consumer_group_regular_expression import (
    ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_member import (
    ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue,
    TargetPartitions,
)
from embedkafka.protocol.internal.consumer_group_target_assignment_metadata import (
    ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue,
)

_STATES = {state.value: state for state in MemberState}

# To records ----------------------------------------------------------------------------------------------------------


def epoch_record(group_id: str, epoch: int, metadata_hash: int) -> ConsumerGroupRecord:
    return ConsumerGroupRecord(ConsumerGroupMetadataKey(group_id), ConsumerGroupMetadataValue(epoch, metadata_hash))


def member_record(group_id: str, member: Member) -> ConsumerMemberRecord:
    value = ConsumerGroupMemberMetadataValue(
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=sorted(member.subscribed_topics),
        subscribed_topic_regex=member.subscribed_regex,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        server_assignor=member.server_assignor,
        classic_member_metadata=None if member.classic is None else _classic_metadata(member.classic),
    )
    return ConsumerMemberRecord(ConsumerGroupMemberMetadataKey(group_id, member.member_id), value)


def _classic_metadata(classic: ClassicPart) -> ClassicMemberMetadata:
    return ClassicMemberMetadata(
        classic.session_timeout_ms, [ClassicProtocol(name, metadata) for name, metadata in classic.protocols]
    )


def target_record(group_id: str, member_id: str, target: Assignment) -> TargetRecord:
    partitions = [TargetPartitions(topic_id, sorted(target[topic_id])) for topic_id in target]
    return TargetRecord(
        ConsumerGroupTargetAssignmentMemberKey(group_id, member_id),
        ConsumerGroupTargetAssignmentMemberValue(partitions),
    )


def target_epoch_record(group_id: str, epoch: int, timestamp_ms: int) -> TargetEpochRecord:
    return TargetEpochRecord(
        ConsumerGroupTargetAssignmentMetadataKey(group_id),
        ConsumerGroupTargetAssignmentMetadataValue(epoch, timestamp_ms),
    )


def current_record(group_id: str, member: Member) -> CurrentAssignmentRecord:
    value = ConsumerGroupCurrentMemberAssignmentValue(
        member_epoch=member.epoch,
        previous_member_epoch=member.previous_epoch,
        state=member.state.value,
        assigned_partitions=_owned_list(member.assigned),
        partitions_pending_revocation=_owned_list(member.revoking),
    )
    return CurrentAssignmentRecord(ConsumerGroupCurrentMemberAssignmentKey(group_id, member.member_id), value)


def _owned_list(owned: Owned) -> list[OwnedPartitions]:
    return [
        OwnedPartitions(topic_id, list(partitions), list(partitions.values())) for topic_id, partitions in owned.items()
    ]


def regex_record(
    group_id: str, pattern: str, value: ConsumerGroupRegularExpressionValue | None
) -> RegularExpressionRecord:
    return RegularExpressionRecord(ConsumerGroupRegularExpressionKey(group_id, pattern), value)


def member_tombstones(group_id: str, member_id: str) -> list[ConsumerRecord]:
    """What deletes a member, in Kafka's order."""
    return [
        CurrentAssignmentRecord(ConsumerGroupCurrentMemberAssignmentKey(group_id, member_id), None),
        TargetRecord(ConsumerGroupTargetAssignmentMemberKey(group_id, member_id), None),
        ConsumerMemberRecord(ConsumerGroupMemberMetadataKey(group_id, member_id), None),
    ]


def tombstones(group_id: str, members: Iterable[str], targets: Iterable[str], regexes: Iterable[str]) -> list[Record]:
    """What deletes a whole group, in Kafka's order."""
    member_ids = list(dict.fromkeys([*members, *targets]))
    return [
        *(
            CurrentAssignmentRecord(ConsumerGroupCurrentMemberAssignmentKey(group_id, member_id), None)
            for member_id in member_ids
        ),
        *(TargetRecord(ConsumerGroupTargetAssignmentMemberKey(group_id, member_id), None) for member_id in member_ids),
        TargetEpochRecord(ConsumerGroupTargetAssignmentMetadataKey(group_id), None),
        *(ConsumerMemberRecord(ConsumerGroupMemberMetadataKey(group_id, member_id), None) for member_id in member_ids),
        *(regex_record(group_id, pattern, None) for pattern in regexes),
        ConsumerGroupRecord(ConsumerGroupMetadataKey(group_id), None),
    ]


# From records --------------------------------------------------------------------------------------------------------


def with_metadata(member: Member, value: ConsumerGroupMemberMetadataValue) -> Member:
    classic = value.classic_member_metadata
    return replace(
        member,
        instance_id=value.instance_id,
        rack_id=value.rack_id,
        client_id=value.client_id,
        client_host=value.client_host,
        subscribed_topics=frozenset(value.subscribed_topic_names),
        subscribed_regex=value.subscribed_topic_regex,
        rebalance_timeout_ms=value.rebalance_timeout_ms,
        server_assignor=value.server_assignor,
        classic=None
        if classic is None
        else ClassicPart(
            classic.session_timeout_ms, tuple((each.name, bytes(each.metadata)) for each in classic.supported_protocols)
        ),
    )


def with_assignment(member: Member, value: ConsumerGroupCurrentMemberAssignmentValue) -> Member:
    return replace(
        member,
        epoch=value.member_epoch,
        previous_epoch=value.previous_member_epoch,
        state=_STATES.get(value.state, MemberState.UNKNOWN),
        assigned=_owned(value.assigned_partitions, value.member_epoch),
        revoking=_owned(value.partitions_pending_revocation, value.member_epoch),
    )


def _owned(partitions: list[OwnedPartitions], epoch: int) -> Owned:
    if not partitions:
        return NOTHING
    return {
        each.topic_id: dict(zip(each.partitions, each.assignment_epochs, strict=True))
        if each.assignment_epochs is not None
        else dict.fromkeys(each.partitions, epoch)
        for each in partitions
        if each.partitions
    }


def metadata_fields(member: Member) -> dict[str, Any]:
    """What a member's metadata record says, as arguments of :class:`Member`."""
    return {
        "instance_id": member.instance_id,
        "rack_id": member.rack_id,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "subscribed_topics": member.subscribed_topics,
        "subscribed_regex": member.subscribed_regex,
        "rebalance_timeout_ms": member.rebalance_timeout_ms,
        "server_assignor": member.server_assignor,
        "classic": member.classic,
    }
