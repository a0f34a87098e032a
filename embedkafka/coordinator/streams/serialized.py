"""A streams group's parts as records, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from embedkafka.coordinator.records import Record
from embedkafka.coordinator.streams.member import Endpoint, MemberState, StreamsMember
from embedkafka.coordinator.streams.records import (
    StreamsAssignmentRecord,
    StreamsGroupRecord,
    StreamsMemberRecord,
    StreamsRecord,
    StreamsTargetEpochRecord,
    StreamsTargetRecord,
    StreamsTopologyRecord,
)
from embedkafka.coordinator.streams.tasks import NOTHING_HELD, HeldTasks, TaskId, Tasks, listed
from embedkafka.coordinator.streams.topology import CopartitionGroup, Subtopology, TopicInfo, Topology
from embedkafka.protocol.internal import streams_group_member_metadata as member_metadata
from embedkafka.protocol.internal import streams_group_topology as topologies
from embedkafka.protocol.internal.streams_group_current_member_assignment import (
    StreamsGroupCurrentMemberAssignmentKey,
    StreamsGroupCurrentMemberAssignmentValue,
    TaskIds,
)
from embedkafka.protocol.internal.streams_group_metadata import (
    LastAssignmentConfig,
    StreamsGroupMetadataKey,
    StreamsGroupMetadataValue,
)
from embedkafka.protocol.internal.streams_group_target_assignment_member import (
    StreamsGroupTargetAssignmentMemberKey,
    StreamsGroupTargetAssignmentMemberValue,
    TargetTaskIds,
)
from embedkafka.protocol.internal.streams_group_target_assignment_metadata import (
    StreamsGroupTargetAssignmentMetadataKey,
    StreamsGroupTargetAssignmentMetadataValue,
)

# To records ----------------------------------------------------------------------------------------------------------


def epoch_record(
    group_id: str, epoch: int, metadata_hash: int, validated_topology_epoch: int, configs: Mapping[str, str]
) -> StreamsGroupRecord:
    listed_configs = [LastAssignmentConfig(name, configs[name]) for name in sorted(configs)]
    return StreamsGroupRecord(
        StreamsGroupMetadataKey(group_id),
        StreamsGroupMetadataValue(epoch, metadata_hash, validated_topology_epoch, listed_configs),
    )


def member_record(group_id: str, member: StreamsMember) -> StreamsMemberRecord:
    value = member_metadata.StreamsGroupMemberMetadataValue(
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        topology_epoch=member.topology_epoch,
        process_id=member.process_id,
        user_endpoint=None if member.endpoint is None else member_metadata.Endpoint(*member.endpoint),
        client_tags=[member_metadata.KeyValue(key, value) for key, value in member.client_tags],
    )
    return StreamsMemberRecord(member_metadata.StreamsGroupMemberMetadataKey(group_id, member.member_id), value)


def target_record(group_id: str, member_id: str, target: Tasks) -> StreamsTargetRecord:
    lists = ([TargetTaskIds(*each) for each in listed(tasks).items()] for tasks in target)
    return StreamsTargetRecord(
        StreamsGroupTargetAssignmentMemberKey(group_id, member_id), StreamsGroupTargetAssignmentMemberValue(*lists)
    )


def target_epoch_record(group_id: str, epoch: int, timestamp_ms: int) -> StreamsTargetEpochRecord:
    return StreamsTargetEpochRecord(
        StreamsGroupTargetAssignmentMetadataKey(group_id),
        StreamsGroupTargetAssignmentMetadataValue(epoch, timestamp_ms),
    )


def assignment_record(group_id: str, member: StreamsMember) -> StreamsAssignmentRecord:
    value = StreamsGroupCurrentMemberAssignmentValue(
        member.epoch,
        member.previous_epoch,
        member.state.value,
        *_held_lists(member.assigned),
        *_held_lists(member.revoking),
    )
    return StreamsAssignmentRecord(StreamsGroupCurrentMemberAssignmentKey(group_id, member.member_id), value)


def _held_lists(held: HeldTasks) -> tuple[list[TaskIds], list[TaskIds], list[TaskIds]]:
    active = [
        TaskIds(each, partitions, [held.active[TaskId(each, partition)] for partition in partitions])
        for each, partitions in listed(held.active).items()
    ]
    standby, warmup = ([TaskIds(*each) for each in listed(tasks).items()] for tasks in (held.standby, held.warmup))
    return active, standby, warmup


def topology_record(group_id: str, topology: Topology) -> StreamsTopologyRecord:
    value = topologies.StreamsGroupTopologyValue(
        topology.epoch, [_subtopology_value(each) for each in topology.subtopologies]
    )
    return StreamsTopologyRecord(topologies.StreamsGroupTopologyKey(group_id), value)


def _subtopology_value(subtopology: Subtopology) -> topologies.Subtopology:
    return topologies.Subtopology(
        subtopology_id=subtopology.subtopology_id,
        source_topics=list(subtopology.source_topics),
        source_topic_regex=list(subtopology.source_topic_regex),
        state_changelog_topics=_topic_values(subtopology.state_changelog_topics),
        repartition_sink_topics=list(subtopology.repartition_sink_topics),
        repartition_source_topics=_topic_values(subtopology.repartition_source_topics),
        copartition_groups=[
            topologies.CopartitionGroup(*(list(indexes) for indexes in group))
            for group in subtopology.copartition_groups
        ],
    )


def _topic_values(topics: Iterable[TopicInfo]) -> list[topologies.TopicInfo]:
    return [
        topologies.TopicInfo(
            topic.name,
            topic.partitions,
            topic.replication_factor,
            [topologies.TopicConfig(*config) for config in topic.configs],
        )
        for topic in topics
    ]


def member_tombstones(group_id: str, member_id: str) -> list[StreamsRecord]:
    """What deletes a member, in Kafka's order."""
    return [
        StreamsAssignmentRecord(StreamsGroupCurrentMemberAssignmentKey(group_id, member_id), None),
        StreamsTargetRecord(StreamsGroupTargetAssignmentMemberKey(group_id, member_id), None),
        StreamsMemberRecord(member_metadata.StreamsGroupMemberMetadataKey(group_id, member_id), None),
    ]


def tombstones(group_id: str, members: Iterable[str]) -> list[Record]:
    """What deletes a whole group, in Kafka's order."""
    ids = list(dict.fromkeys(members))
    return [
        *(StreamsAssignmentRecord(StreamsGroupCurrentMemberAssignmentKey(group_id, each), None) for each in ids),
        *(StreamsTargetRecord(StreamsGroupTargetAssignmentMemberKey(group_id, each), None) for each in ids),
        StreamsTargetEpochRecord(StreamsGroupTargetAssignmentMetadataKey(group_id), None),
        *(StreamsMemberRecord(member_metadata.StreamsGroupMemberMetadataKey(group_id, each), None) for each in ids),
        StreamsGroupRecord(StreamsGroupMetadataKey(group_id), None),
        StreamsTopologyRecord(topologies.StreamsGroupTopologyKey(group_id), None),
    ]


# From records --------------------------------------------------------------------------------------------------------

_STATES = {state.value: state for state in MemberState}


def with_metadata(member: StreamsMember, value: member_metadata.StreamsGroupMemberMetadataValue) -> StreamsMember:
    endpoint = value.user_endpoint
    return replace(
        member,
        instance_id=value.instance_id,
        rack_id=value.rack_id,
        client_id=value.client_id,
        client_host=value.client_host,
        rebalance_timeout_ms=value.rebalance_timeout_ms,
        topology_epoch=value.topology_epoch,
        process_id=value.process_id,
        endpoint=None if endpoint is None else Endpoint(endpoint.host, endpoint.port),
        client_tags=tuple(sorted((each.key, each.value) for each in value.client_tags)),
    )


def with_assignment(member: StreamsMember, value: StreamsGroupCurrentMemberAssignmentValue) -> StreamsMember:
    return replace(
        member,
        epoch=value.member_epoch,
        previous_epoch=value.previous_member_epoch,
        state=_STATES.get(value.state, MemberState.UNKNOWN),
        assigned=_held(value.active_tasks, value.standby_tasks, value.warmup_tasks, value.member_epoch),
        revoking=_held(
            value.active_tasks_pending_revocation,
            value.standby_tasks_pending_revocation,
            value.warmup_tasks_pending_revocation,
            value.member_epoch,
        ),
    )


def without_assignment(member: StreamsMember) -> StreamsMember:
    """The member as if it had only just joined."""
    return replace(
        member, epoch=0, previous_epoch=0, state=MemberState.STABLE, assigned=NOTHING_HELD, revoking=NOTHING_HELD
    )


def _held(active: Sequence[TaskIds], standby: Sequence[TaskIds], warmup: Sequence[TaskIds], epoch: int) -> HeldTasks:
    """Tasks of a record; ``epoch`` is for active ones whose own were not written, by a Kafka before 4.2."""
    epochs: dict[TaskId, int] = {}
    for each in active:
        known = each.assignment_epochs
        if known is None or len(known) != len(each.partitions):
            known = [epoch] * len(each.partitions)
        epochs.update(
            (TaskId(each.subtopology_id, number), since) for number, since in zip(each.partitions, known, strict=True)
        )
    return HeldTasks(epochs, _plain(standby), _plain(warmup))


def _plain(lists: Iterable[TaskIds | TargetTaskIds]) -> frozenset[TaskId]:
    return frozenset(TaskId(each.subtopology_id, partition) for each in lists for partition in each.partitions)


def target_of(value: StreamsGroupTargetAssignmentMemberValue) -> Tasks:
    return Tasks(_plain(value.active_tasks), _plain(value.standby_tasks), _plain(value.warmup_tasks))


def topology_of(value: topologies.StreamsGroupTopologyValue) -> Topology:
    return Topology(value.epoch, tuple(_subtopology(each) for each in value.subtopologies))


def _subtopology(value: topologies.Subtopology) -> Subtopology:
    return Subtopology(
        subtopology_id=value.subtopology_id,
        source_topics=tuple(value.source_topics),
        source_topic_regex=tuple(value.source_topic_regex),
        state_changelog_topics=_topics(value.state_changelog_topics),
        repartition_sink_topics=tuple(value.repartition_sink_topics),
        repartition_source_topics=_topics(value.repartition_source_topics),
        copartition_groups=tuple(
            CopartitionGroup(
                tuple(group.source_topics), tuple(group.source_topic_regex), tuple(group.repartition_source_topics)
            )
            for group in value.copartition_groups
        ),
    )


def _topics(values: Iterable[topologies.TopicInfo]) -> tuple[TopicInfo, ...]:
    return tuple(
        TopicInfo(
            each.name,
            each.partitions,
            each.replication_factor,
            tuple((config.key, config.value) for config in each.topic_configs),
        )
        for each in values
    )
