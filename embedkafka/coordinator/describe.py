"""ListGroups (16), and DescribeGroups (15) for classic groups."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.api import (
    DescribedGroup,
    DescribedMember,
    ListedGroup,
    ListGroupsRequest,
    TopicIdPartitions,
)
from embedkafka.coordinator.assignment import Partitions
from embedkafka.coordinator.classic.group import Group, GroupState
from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import GroupIdNotFoundError

DEAD = "Dead"


def list_groups(request: ListGroupsRequest, groups: Iterable[AnyGroup]) -> Decision:
    """Every group that passes the filters (KIP-518, KIP-848), by id."""
    states = {state.lower() for state in request.states}
    types = {group_type.lower() for group_type in request.types}
    listed = [
        ListedGroup(group.group_id, group.shown_protocol_type, group.shown_state, group.group_type)
        for group in groups
        if (not states or group.shown_state.lower() in states) and (not types or group.group_type in types)
    ]
    return Decision(reply=sorted(listed, key=lambda group: group.group_id))


def named_partitions(partitions: Partitions, topics: Topics) -> list[TopicIdPartitions]:
    """Partitions by topic name, of topics that exist."""
    found = ((topics.with_id(topic_id), numbers) for topic_id, numbers in partitions.items())
    named = [(topic, numbers) for topic, numbers in found if topic is not None]
    return [
        TopicIdPartitions(topic.topic_id, topic.name, sorted(numbers))
        for topic, numbers in sorted(named, key=lambda each: each[0].name)
    ]


def not_found(group_id: str, group: AnyGroup | None, group_type: str) -> str:
    """Why a group of that type cannot be described; ``group`` is what there is of that id."""
    return f"there is no group {group_id!r}" if group is None else f"group {group_id!r} is no {group_type} group"


def describe_groups(groups: Iterable[tuple[str, AnyGroup | None]]) -> Decision:
    """Groups with their members; what members subscribe and own is told while the group is stable."""
    return Decision(reply=[_describe(group_id, group) for group_id, group in groups])


def _describe(group_id: str, group: AnyGroup | None) -> DescribedGroup:
    if not isinstance(group, Group):
        # KIP-1043; before version 6 Kafka described an unknown group as a dead one, without an error.
        message = not_found(group_id, group, "classic")
        return DescribedGroup(group_id, GroupIdNotFoundError.errno, message, group_state=DEAD)
    stable = group.state is GroupState.STABLE
    return DescribedGroup(
        group_id,
        group_state=group.state.value,
        protocol_type=group.protocol_type or "",
        protocol_data=(group.protocol_name or "") if stable else "",
        members=[
            DescribedMember(
                member_id=member.member_id,
                group_instance_id=member.group_instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                member_metadata=member.metadata(group.protocol_name) if stable else b"",
                member_assignment=member.assignment if stable else b"",
            )
            for member in group.members.values()
        ],
    )
