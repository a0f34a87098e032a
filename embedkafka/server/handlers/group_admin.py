"""Groups from outside: DescribeGroups (15), ListGroups (16), DeleteGroups (42) and ConsumerGroupDescribe (69)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from embedkafka.broker import api
from embedkafka.errors import GroupIdNotFoundError
from embedkafka.protocol.apis import api_15_describe_groups as classic
from embedkafka.protocol.apis import api_69_consumer_group_describe as consumer
from embedkafka.protocol.apis.api_16_list_groups import ListedGroup, ListGroupsRequest, ListGroupsResponse
from embedkafka.protocol.apis.api_42_delete_groups import (
    DeletableGroupResult,
    DeleteGroupsRequest,
    DeleteGroupsResponse,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

G = TypeVar("G", api.DescribedConsumerGroup, api.DescribedShareGroup, api.DescribedStreamsGroup)
R = TypeVar("R")

_GROUP = 3  # org.apache.kafka.common.resource.ResourceType
_NOT_ASKED = -(2**31)


def authorized_operations(call: Call, group_id: str, error_code: int, *, is_asked: bool) -> int:
    """What the caller may do with a group, as Kafka's bit field (KIP-430)."""
    if not is_asked or error_code:
        return _NOT_ASKED
    return call.port.authorized_operations(call.context, _GROUP, group_id)


def described_groups(
    call: Call,
    groups: Iterable[G],
    answer: Callable[..., R],
    own: Callable[[G], tuple[Any, list[Any]]],
    *,
    is_asked: bool,
) -> list[R]:
    """Groups in the fields that ConsumerGroupDescribe, ShareGroupDescribe and StreamsGroupDescribe share.

    Args:
        answer: the API's own ``DescribedGroup``.
        own: what differs: a group's assignor or topology, and its members.
        is_asked: for what the caller may do with each.
    """
    return [
        answer(
            group.error_code,
            group.error_message,
            group.group_id,
            group.group_state,
            group.group_epoch,
            group.assignment_epoch,
            *own(group),
            authorized_operations(call, group.group_id, group.error_code, is_asked=is_asked),
        )
        for group in groups
    ]


# Classic groups ------------------------------------------------------------------------------------------------------

_NOT_FOUND = 6  # the first version that says so, instead of describing a dead group (KIP-1043)


def describe_groups(call: Call, request: classic.DescribeGroupsRequest) -> classic.DescribeGroupsResponse:
    """Groups with their members."""
    return classic.DescribeGroupsResponse(
        groups=[
            _described(call, group, is_asked=request.include_authorized_operations)
            for group in call.port.describe_groups(call.context, request.groups)
        ]
    )


def _described(call: Call, group: api.DescribedGroup, *, is_asked: bool) -> classic.DescribedGroup:
    error_code, error_message = group.error_code, group.error_message
    if call.version < _NOT_FOUND:
        error_code = 0 if error_code == GroupIdNotFoundError.errno else error_code
        error_message = None
    return classic.DescribedGroup(
        error_code=error_code,
        error_message=error_message,
        group_id=group.group_id,
        group_state=group.group_state,
        protocol_type=group.protocol_type,
        protocol_data=group.protocol_data,
        members=[classic.DescribedGroupMember(*member) for member in group.members],
        authorized_operations=authorized_operations(call, group.group_id, error_code, is_asked=is_asked),
    )


# Groups of every type ------------------------------------------------------------------------------------------------


def list_groups(call: Call, request: ListGroupsRequest) -> ListGroupsResponse:
    """Groups that pass the filters."""
    found = call.port.list_groups(call.context, states=request.states_filter, types=request.types_filter)
    return ListGroupsResponse(groups=[ListedGroup(*group) for group in found])


def delete_groups(call: Call, request: DeleteGroupsRequest) -> DeleteGroupsResponse:
    """Delete groups without members, each for itself."""
    results = call.port.delete_groups(call.context, request.groups_names)
    return DeleteGroupsResponse(results=[DeletableGroupResult(each.group_id, each.error_code) for each in results])


# Consumer groups -----------------------------------------------------------------------------------------------------


def consumer_group_describe(
    call: Call, request: consumer.ConsumerGroupDescribeRequest
) -> consumer.ConsumerGroupDescribeResponse:
    """Groups of KIP-848 with their members."""
    return consumer.ConsumerGroupDescribeResponse(
        groups=described_groups(
            call,
            call.port.consumer_group_describe(call.context, request.group_ids),
            consumer.DescribedGroup,
            lambda group: (group.assignor_name, [_consumer_member(member) for member in group.members]),
            is_asked=request.include_authorized_operations,
        )
    )


def _consumer_member(member: api.DescribedConsumerMember) -> consumer.Member:
    return consumer.Member(
        member_id=member.member_id,
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        member_epoch=member.member_epoch,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=list(member.subscribed_topic_names),
        subscribed_topic_regex=member.subscribed_topic_regex or "",  # as Kafka, though null may stand here
        assignment=_assignment(member.assignment),
        target_assignment=_assignment(member.target_assignment),
        member_type=member.member_type,
    )


def _assignment(topics: Sequence[api.TopicIdPartitions]) -> consumer.Assignment:
    return consumer.Assignment(
        [consumer.TopicPartitions(topic.topic_id, topic.topic_name, list(topic.partitions)) for topic in topics]
    )


HANDLERS = (
    Handler(15, describe_groups),
    Handler(16, list_groups),
    Handler(42, delete_groups),
    Handler(69, consumer_group_describe),
)
