"""ShareGroupDescribe (77)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.describe import named_partitions, not_found
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.api import DescribedShareGroup, DescribedShareMember
from embedkafka.coordinator.share.assignor import SIMPLE
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.member import ShareMember
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import GroupIdNotFoundError, InvalidGroupIdError


def describe_share_groups(groups: Iterable[tuple[str, AnyGroup | None]], moment: Moment) -> Decision:
    """Share groups with their members; a group of another type is not found."""
    return Decision(reply=[_describe(group_id, group, moment.topics) for group_id, group in groups])


def _describe(group_id: str, group: AnyGroup | None, topics: Topics) -> DescribedShareGroup:
    if not group_id:
        return DescribedShareGroup(group_id, InvalidGroupIdError.errno, "a group id may not be empty")
    if not isinstance(group, ShareGroup):
        return DescribedShareGroup(group_id, GroupIdNotFoundError.errno, not_found(group_id, group, "share"))
    return DescribedShareGroup(
        group_id,
        group_state=group.shown_state,
        group_epoch=group.epoch,
        assignment_epoch=group.assignment_epoch,
        assignor_name=SIMPLE,
        members=[_describe_member(member, topics) for member in group.members.values()],
    )


def _describe_member(member: ShareMember, topics: Topics) -> DescribedShareMember:
    return DescribedShareMember(
        member_id=member.member_id,
        rack_id=member.rack_id,
        member_epoch=member.epoch,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=sorted(member.subscribed_topics),
        assignment=named_partitions(member.assigned, topics),
    )
