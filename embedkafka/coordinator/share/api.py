"""What the group coordinator is asked and answers about share groups (KIP-932): Kafka's APIs 76, 77 and 90-92 as plain
values, a part of :mod:`embedkafka.broker.api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from embedkafka.coordinator.api import TopicIdPartitions
from embedkafka.model import TopicPartition
from embedkafka.protocol.fields import ZERO_UUID

__all__ = [
    "AlterShareGroupOffsetsReply",
    "AlterShareGroupOffsetsRequest",
    "AlteredShareGroupOffset",
    "DeleteShareGroupOffsetsReply",
    "DeleteShareGroupOffsetsRequest",
    "DeletedShareGroupTopic",
    "DescribeShareGroupOffsetsRequest",
    "DescribeShareGroupsRequest",
    "DescribedShareGroup",
    "DescribedShareGroupOffsets",
    "DescribedShareMember",
    "ShareGroupHeartbeatReply",
    "ShareGroupHeartbeatRequest",
    "ShareGroupOffset",
]

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


# ShareGroupHeartbeat (76) --------------------------------------------------------------------------------------------


class ShareGroupHeartbeatRequest(NamedTuple):
    """``member_epoch`` 0 joins, -1 leaves; None elsewhere: unchanged.  The member chooses its id, a random one."""

    group_id: str
    member_id: str
    member_epoch: int
    rack_id: str | None = None
    subscribed_topic_names: Sequence[str] | None = None


class ShareGroupHeartbeatReply(NamedTuple):
    """``assignment`` is all that the member may read now, None where that is unchanged."""

    error_code: int = 0
    error_message: str | None = None
    member_id: str | None = None
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    assignment: Mapping[UUID, Sequence[int]] | None = None


# ShareGroupDescribe (77) ---------------------------------------------------------------------------------------------


class DescribeShareGroupsRequest(NamedTuple):
    group_ids: Sequence[str]


class DescribedShareMember(NamedTuple):
    member_id: str
    rack_id: str | None
    member_epoch: int
    client_id: str
    client_host: str
    subscribed_topic_names: Sequence[str]
    assignment: Sequence[TopicIdPartitions] = ()


class DescribedShareGroup(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    group_state: str = ""
    group_epoch: int = 0
    assignment_epoch: int = 0
    assignor_name: str = ""
    members: Sequence[DescribedShareMember] = ()


# DescribeShareGroupOffsets (90), one value per group ------------------------------------------------------------------


class DescribeShareGroupOffsetsRequest(NamedTuple):
    """``partitions`` None asks for every partition that the group has a state of."""

    group_id: str
    partitions: Sequence[TopicPartition] | None = None


class ShareGroupOffset(NamedTuple):
    """Where a group is in a partition: ``start_offset`` -1 before its first read.

    ``lag`` is the number of records that are still to be delivered and settled (KIP-1226), -1 where that is not known.
    """

    start_offset: int = -1
    leader_epoch: int = 0
    lag: int = -1
    error_code: int = 0
    error_message: str | None = None
    topic_id: UUID = ZERO_UUID


class DescribedShareGroupOffsets(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    offsets: Mapping[TopicPartition, ShareGroupOffset] = _NOTHING


# AlterShareGroupOffsets (91) -----------------------------------------------------------------------------------------


class AlterShareGroupOffsetsRequest(NamedTuple):
    """``offsets`` are the new start offsets; only a group without members takes them."""

    group_id: str
    offsets: Mapping[TopicPartition, int]


class AlteredShareGroupOffset(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    topic_id: UUID = ZERO_UUID


class AlterShareGroupOffsetsReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    offsets: Mapping[TopicPartition, AlteredShareGroupOffset] = _NOTHING


# DeleteShareGroupOffsets (92) ----------------------------------------------------------------------------------------


class DeleteShareGroupOffsetsRequest(NamedTuple):
    """Whole topics, of a group without members."""

    group_id: str
    topics: Sequence[str]


class DeletedShareGroupTopic(NamedTuple):
    topic: str
    error_code: int = 0
    error_message: str | None = None
    topic_id: UUID = ZERO_UUID


class DeleteShareGroupOffsetsReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    topics: Sequence[DeletedShareGroupTopic] = ()
