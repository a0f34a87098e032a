"""Described groups as kafka-python's dicts: one shape for groups of either protocol, so that a program need not ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedkafka.broker.api import (
    DescribedConsumerGroup,
    DescribedConsumerMember,
    DescribedGroup,
    DescribedMember,
    DescribedShareGroup,
    DescribedStreamsGroup,
    TopicIdPartitions,
)
from embedkafka.errors import GroupIdNotFoundError, KafkaError, for_code
from embedkafka.protocol.consumer.assignment import decode_assignment
from embedkafka.protocol.consumer.subscription import decode_subscription

GROUP_OPERATIONS = ["READ", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"]


def consumer_group(group: DescribedConsumerGroup) -> dict[str, Any]:
    """A group of the consumer protocol; ``protocol_data`` is its server-side assignor."""
    members = [_consumer_member(member) for member in group.members]
    return group_with_epochs(group, "consumer", members, protocol_data=group.assignor_name)


def group_with_epochs(
    group: DescribedConsumerGroup | DescribedShareGroup | DescribedStreamsGroup,
    group_type: str,
    members: list[dict[str, Any]],
    *,
    protocol_data: str = "",
    **more: Any,
) -> dict[str, Any]:
    """A group of any type but classic; one that could not be described has an ``error`` and looks dead."""
    if group.error_code:
        return {
            "error": str(for_code(group.error_code)(group.error_message or group.group_id)),
            "group_id": group.group_id,
            "group_state": "Dead",
            "group_type": group_type,
            "protocol_type": group_type,
            "protocol_data": "",
            "members": [],
            "authorized_operations": None,
        }
    return {
        "error": None,
        "group_id": group.group_id,
        "group_state": group.group_state,
        "group_type": group_type,
        "group_epoch": group.group_epoch,
        "assignment_epoch": group.assignment_epoch,
        "protocol_type": group_type,
        "protocol_data": protocol_data,
        **more,
        "members": members,
        "authorized_operations": list(GROUP_OPERATIONS),
    }


def _consumer_member(member: DescribedConsumerMember) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "group_instance_id": member.instance_id,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "rack_id": member.rack_id,
        "member_epoch": member.member_epoch,
        "member_type": "consumer" if member.member_type else "classic",
        "subscribed_topic_regex": member.subscribed_topic_regex,
        "member_metadata": {"topics": list(member.subscribed_topic_names), "user_data": None},
        "member_assignment": named_partitions(member.assignment),
        "target_assignment": named_partitions(member.target_assignment),
    }


def named_partitions(partitions: Sequence[TopicIdPartitions]) -> dict[str, Any]:
    """Assigned partitions in the shape of a decoded assignment."""
    return {
        "assigned_partitions": [{"topic": each.topic_name, "partitions": list(each.partitions)} for each in partitions],
        "user_data": None,
    }


def classic_group(group: DescribedGroup) -> dict[str, Any]:
    """A classic group."""
    error = for_code(group.error_code)(group.error_message or group.group_id) if group.error_code else None
    is_there = not isinstance(error, GroupIdNotFoundError)
    return {
        "error": None if error is None else str(error),
        "group_id": group.group_id,
        "group_state": group.group_state,
        "group_type": "classic",
        "protocol_type": group.protocol_type,
        "protocol_data": group.protocol_data,
        "members": [_describe_member(member) for member in group.members],
        "authorized_operations": list(GROUP_OPERATIONS) if is_there else None,
    }


def _describe_member(member: DescribedMember) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "group_instance_id": member.group_instance_id,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "member_metadata": _decoded(_subscription, member.member_metadata),
        "member_assignment": _decoded(_assignment, member.member_assignment),
    }


def _decoded(decode: Any, data: bytes) -> Any:
    """A consumer's metadata in readable form; another protocol type's bytes as they are."""
    if not data:
        return data
    try:
        return decode(data)
    except KafkaError:
        return data


def _subscription(data: bytes) -> dict[str, Any]:
    subscription = decode_subscription(data)
    return {"topics": list(subscription.topics), "user_data": _text(subscription.user_data)}


def _assignment(data: bytes) -> dict[str, Any]:
    assignment = decode_assignment(data)
    return {
        "assigned_partitions": [
            {"topic": given.topic, "partitions": list(given.partitions)} for given in assignment.assigned_partitions
        ],
        "user_data": _text(assignment.user_data),
    }


def _text(user_data: bytes | None) -> str | None:
    return None if user_data is None else bytes(user_data).decode("utf-8", "replace")
