"""ConsumerGroupDescribe (69)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.api import DescribedConsumerGroup, DescribedConsumerMember
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import Member
from embedkafka.coordinator.consumer.target import assignor_of
from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.describe import named_partitions, not_found
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import GroupIdNotFoundError

_CLASSIC_MEMBER = 0
_CONSUMER_MEMBER = 1


def describe_consumer_groups(groups: Iterable[tuple[str, AnyGroup | None]], moment: Moment) -> Decision:
    """Consumer groups with their members; a group of another type is not found."""
    return Decision(reply=[_describe(group_id, group, moment) for group_id, group in groups])


def _describe(group_id: str, group: AnyGroup | None, moment: Moment) -> DescribedConsumerGroup:
    if not isinstance(group, ConsumerGroup):
        return DescribedConsumerGroup(group_id, GroupIdNotFoundError.errno, not_found(group_id, group, "consumer"))
    return DescribedConsumerGroup(
        group_id,
        group_state=group.shown_state,
        group_epoch=group.epoch,
        assignment_epoch=group.assignment_epoch,
        assignor_name=assignor_of(group, moment.config),
        members=[_describe_member(group, member, moment.topics) for member in group.members.values()],
    )


def _describe_member(group: ConsumerGroup, member: Member, topics: Topics) -> DescribedConsumerMember:
    return DescribedConsumerMember(
        member_id=member.member_id,
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        member_epoch=member.epoch,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=sorted(member.subscribed_topics),
        subscribed_topic_regex=member.subscribed_regex or None,
        assignment=named_partitions(member.assigned, topics),
        target_assignment=named_partitions(group.target_of(member.member_id), topics),
        member_type=_CONSUMER_MEMBER if member.classic is None else _CLASSIC_MEMBER,
    )
