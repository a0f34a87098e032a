"""Share groups (KIP-932): describe, delete, and where they are in their partitions.

kafka-python knows no share groups: the names are those of Java's admin client, the values are dicts as its others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from embedkafka.broker.api import (
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
    DescribedShareGroup,
    DescribedShareMember,
    DescribeShareGroupOffsetsRequest,
)
from embedkafka.client.admin.described_groups import group_with_epochs, named_partitions
from embedkafka.client.admin.groups import GroupAdmin
from embedkafka.errors import KafkaError, for_code
from embedkafka.model import TopicPartition


class SharePartitionOffsetInfo(NamedTuple):
    """Where a share group is in a partition.

    ``start_offset`` is that of the first record that is not settled, None before the group has read; ``lag`` the number
    of records from there on that are not settled (KIP-1226), None where that is not known.
    """

    start_offset: int | None
    leader_epoch: int | None = None
    lag: int | None = None


class ShareGroupAdmin(GroupAdmin):
    def describe_share_groups(self, group_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Share groups with their members and what these may read, by id; one that is not there has an ``error``."""
        described: dict[str, dict[str, Any]] = {}
        for group_id in group_ids:
            (group,) = self._coordinator(group_id).share_group_describe(self._link.context, [group_id])
            described[group_id] = share_group(group)
        return described

    def delete_share_groups(self, group_ids: Iterable[str]) -> dict[str, str]:
        """Delete share groups without members, and their state; ``"OK"`` or the name of the error, by id."""
        return self.delete_groups(group_ids)

    def list_share_group_offsets(
        self, group_specs: str | Sequence[str] | Mapping[str, Sequence[TopicPartition] | None]
    ) -> dict[str, dict[TopicPartition, SharePartitionOffsetInfo]]:
        """Where share groups are, and their lag, by group and partition.

        Args:
            group_specs: a group, several, or the partitions that are meant by group (None is all).

        Raises:
            ValueError: no groups.
            GroupIdNotFoundError: no such share group.
        """
        if isinstance(group_specs, str):
            group_specs = [group_specs]
        specs = dict(group_specs) if isinstance(group_specs, Mapping) else dict.fromkeys(group_specs)
        if not specs:
            raise ValueError("no groups in group_specs")
        return {group_id: self._share_offsets(group_id, partitions) for group_id, partitions in specs.items()}

    def _share_offsets(
        self, group_id: str, partitions: Sequence[TopicPartition] | None
    ) -> dict[TopicPartition, SharePartitionOffsetInfo]:
        request = DescribeShareGroupOffsetsRequest(group_id, None if partitions is None else list(partitions))
        (reply,) = self._coordinator(group_id).describe_share_group_offsets(self._link.context, [request])
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or group_id)
        offsets: dict[TopicPartition, SharePartitionOffsetInfo] = {}
        for partition, found in reply.offsets.items():
            if found.error_code:
                raise for_code(found.error_code)(found.error_message or f"{partition.topic}-{partition.partition}")
            is_known = found.start_offset >= 0
            offsets[partition] = SharePartitionOffsetInfo(
                found.start_offset if is_known else None,
                found.leader_epoch if is_known else None,
                found.lag if found.lag >= 0 else None,
            )
        return offsets

    def alter_share_group_offsets(
        self, group_id: str, offsets: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, type[KafkaError]]:
        """Have a share group without members read on from these offsets; ``NoError`` or an error's class, by partition.

        Raises:
            BrokerResponseError: the group has members, or is of another type.
        """
        for partition, offset in offsets.items():
            if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
                raise ValueError(f"the offset for {partition} is an int from 0 on, not {offset!r}")
        request = AlterShareGroupOffsetsRequest(group_id, dict(offsets))
        reply = self._coordinator(group_id).alter_share_group_offsets(self._link.context, request)
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or group_id)
        return {partition: for_code(altered.error_code) for partition, altered in reply.offsets.items()}

    def delete_share_group_offsets(self, group_id: str, topics: Iterable[str]) -> dict[str, type[KafkaError]]:
        """Have a share group without members forget topics; ``NoError`` or an error's class, by topic.

        Raises:
            BrokerResponseError: the group has members, is not there, or is of another type.
        """
        request = DeleteShareGroupOffsetsRequest(group_id, list(topics))
        reply = self._coordinator(group_id).delete_share_group_offsets(self._link.context, request)
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or group_id)
        return {topic.topic: for_code(topic.error_code) for topic in reply.topics}


def share_group(group: DescribedShareGroup) -> dict[str, Any]:
    """A described share group in the shape of the others; ``protocol_data`` is its assignor."""
    members = [_member(member) for member in group.members]
    return group_with_epochs(group, "share", members, protocol_data=group.assignor_name)


def _member(member: DescribedShareMember) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "group_instance_id": None,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "rack_id": member.rack_id,
        "member_epoch": member.member_epoch,
        "member_metadata": {"topics": list(member.subscribed_topic_names), "user_data": None},
        "member_assignment": named_partitions(member.assignment),
    }
