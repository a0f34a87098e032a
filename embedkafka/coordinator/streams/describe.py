"""StreamsGroupDescribe (89)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.describe import not_found
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.streams.api import (
    DescribedStreamsGroup,
    DescribedStreamsMember,
    DescribedSubtopology,
    DescribedTopology,
    MemberTasks,
)
from embedkafka.coordinator.streams.group import StreamsGroup
from embedkafka.coordinator.streams.member import StreamsMember
from embedkafka.coordinator.streams.tasks import Tasks, listed
from embedkafka.coordinator.streams.topology import Subtopology, Topology
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import GroupIdNotFoundError, InvalidGroupIdError


def describe_streams_groups(groups: Iterable[tuple[str, AnyGroup | None]], moment: Moment) -> Decision:
    """Streams groups with their topology and members; a group of another type is not found."""
    return Decision(reply=[_describe(group_id, group, moment.topics) for group_id, group in groups])


def _describe(group_id: str, group: AnyGroup | None, topics: Topics) -> DescribedStreamsGroup:
    if not group_id:
        return DescribedStreamsGroup(group_id, InvalidGroupIdError.errno)
    if not isinstance(group, StreamsGroup):
        return DescribedStreamsGroup(group_id, GroupIdNotFoundError.errno, not_found(group_id, group, "streams"))
    return DescribedStreamsGroup(
        group_id,
        group_state=group.shown_state,
        group_epoch=group.epoch,
        assignment_epoch=group.assignment_epoch,
        topology=None if group.topology is None else _topology(group, group.topology, topics),
        members=[_member(member, group.target_of(member.member_id)) for member in group.members.values()],
    )


def _topology(group: StreamsGroup, topology: Topology, topics: Topics) -> DescribedTopology:
    configured = group.configured(topics)
    subtopologies = sorted(topology.subtopologies)
    if configured is not None and configured.is_ready:
        subtopologies = [
            each.subtopology._replace(
                repartition_source_topics=each.repartition_sources, state_changelog_topics=each.changelogs
            )
            for each in configured.subtopologies.values()
        ]
    return DescribedTopology(topology.epoch, [_subtopology(each) for each in subtopologies])


def _subtopology(subtopology: Subtopology) -> DescribedSubtopology:
    return DescribedSubtopology(
        subtopology.subtopology_id,
        sorted(subtopology.source_topics),
        sorted(subtopology.repartition_sink_topics),
        sorted(subtopology.state_changelog_topics),
        sorted(subtopology.repartition_source_topics),
    )


def _member(member: StreamsMember, target: Tasks) -> DescribedStreamsMember:
    return DescribedStreamsMember(
        member_id=member.member_id,
        member_epoch=member.epoch,
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        topology_epoch=member.topology_epoch,
        process_id=member.process_id,
        endpoint=member.endpoint,
        client_tags=member.client_tags,
        assignment=_lists(member.assigned.tasks),
        target_assignment=_lists(target),
    )


def _lists(tasks: Tasks) -> MemberTasks:
    return MemberTasks(*(listed(each) for each in tasks))
