"""What the group coordinator is asked and answers: Kafka's group APIs (8-16, 42, 47, 68, 69) as plain values.

They are part of :mod:`embedkafka.broker.api`, which everyone else imports; they stand here because the coordinator is
below the broker and takes them as its commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from embedkafka.model import TopicPartition

__all__ = [
    "CommittedOffset",
    "ConsumerGroupHeartbeatReply",
    "ConsumerGroupHeartbeatRequest",
    "DeleteGroupsRequest",
    "DescribeConsumerGroupsRequest",
    "DescribeGroupsRequest",
    "DescribedConsumerGroup",
    "DescribedConsumerMember",
    "DescribedGroup",
    "DescribedMember",
    "GroupResult",
    "HeartbeatRequest",
    "JoinGroupReply",
    "JoinGroupRequest",
    "JoinedMember",
    "LeaveGroupReply",
    "LeaveGroupRequest",
    "LeavingMember",
    "LeftMember",
    "ListGroupsRequest",
    "ListedGroup",
    "OffsetCommitReply",
    "OffsetCommitRequest",
    "OffsetDeleteReply",
    "OffsetDeleteRequest",
    "OffsetFetchReply",
    "OffsetFetchRequest",
    "OffsetToCommit",
    "SyncGroupReply",
    "SyncGroupRequest",
    "TopicIdPartitions",
]

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class JoinGroupRequest(NamedTuple):
    group_id: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    member_id: str
    protocol_type: str
    protocols: Sequence[tuple[str, bytes]]
    group_instance_id: str | None = None
    reason: str | None = None
    require_member_id: bool = True  # version 4 and later (KIP-394)


class JoinedMember(NamedTuple):
    member_id: str
    metadata: bytes
    group_instance_id: str | None = None


class JoinGroupReply(NamedTuple):
    """``members`` is the leader's alone; ``skip_assignment`` tells a returning static leader to keep its assignment."""

    error_code: int = 0
    generation_id: int = -1
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str = ""
    member_id: str = ""
    members: Sequence[JoinedMember] = ()
    skip_assignment: bool = False


class SyncGroupRequest(NamedTuple):
    group_id: str
    generation_id: int
    member_id: str
    group_instance_id: str | None = None
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignments: Mapping[str, bytes] = _NOTHING


class SyncGroupReply(NamedTuple):
    error_code: int = 0
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


class HeartbeatRequest(NamedTuple):
    group_id: str
    generation_id: int
    member_id: str
    group_instance_id: str | None = None


class LeavingMember(NamedTuple):
    member_id: str
    group_instance_id: str | None = None
    reason: str | None = None


class LeftMember(NamedTuple):
    member_id: str
    group_instance_id: str | None
    error_code: int = 0


class LeaveGroupRequest(NamedTuple):
    group_id: str
    members: Sequence[LeavingMember]


class LeaveGroupReply(NamedTuple):
    error_code: int = 0
    members: Sequence[LeftMember] = ()


class OffsetToCommit(NamedTuple):
    offset: int
    leader_epoch: int = -1
    metadata: str = ""


class OffsetCommitRequest(NamedTuple):
    """A generation of -1 with an empty member id is a commit from outside the group (allowed while it is empty)."""

    group_id: str
    offsets: Mapping[TopicPartition, OffsetToCommit]
    generation_id: int = -1
    member_id: str = ""
    group_instance_id: str | None = None


class OffsetCommitReply(NamedTuple):
    error_codes: Mapping[TopicPartition, int]


class CommittedOffset(NamedTuple):
    """``offset`` -1 means nothing is committed."""

    offset: int = -1
    leader_epoch: int = -1
    metadata: str = ""
    error_code: int = 0


class OffsetFetchRequest(NamedTuple):
    """``partitions`` None asks for everything the group has committed."""

    group_id: str
    partitions: Sequence[TopicPartition] | None = None
    require_stable: bool = False
    member_id: str | None = None
    member_epoch: int = -1


class OffsetFetchReply(NamedTuple):
    error_code: int = 0
    offsets: Mapping[TopicPartition, CommittedOffset] = _NOTHING


class OffsetDeleteRequest(NamedTuple):
    group_id: str
    partitions: Sequence[TopicPartition]


class OffsetDeleteReply(NamedTuple):
    error_code: int = 0
    error_codes: Mapping[TopicPartition, int] = _NOTHING


class ListGroupsRequest(NamedTuple):
    """Empty filters let everything through; both compare without regard to case."""

    states: Sequence[str] = ()
    types: Sequence[str] = ()


class ListedGroup(NamedTuple):
    group_id: str
    protocol_type: str
    group_state: str
    group_type: str = "classic"


class DescribeGroupsRequest(NamedTuple):
    group_ids: Sequence[str]


class DescribedMember(NamedTuple):
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    member_metadata: bytes = b""
    member_assignment: bytes = b""


class DescribedGroup(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    group_state: str = ""
    protocol_type: str = ""
    protocol_data: str = ""
    members: Sequence[DescribedMember] = ()


class DeleteGroupsRequest(NamedTuple):
    group_ids: Sequence[str]


class GroupResult(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None


class ConsumerGroupHeartbeatRequest(NamedTuple):
    """``member_epoch`` 0 joins, -1 leaves, -2 leaves for a while (static members); None and -1 elsewhere: unchanged.

    ``topic_partitions`` are those that the member owns; ``rebalance_timeout_ms`` is how long it may take to give up.
    """

    group_id: str
    member_id: str
    member_epoch: int
    instance_id: str | None = None
    rack_id: str | None = None
    rebalance_timeout_ms: int = -1
    subscribed_topic_names: Sequence[str] | None = None
    subscribed_topic_regex: str | None = None
    server_assignor: str | None = None
    topic_partitions: Mapping[UUID, Sequence[int]] | None = None


class ConsumerGroupHeartbeatReply(NamedTuple):
    """``assignment`` is all that the member may own now, None where that is unchanged."""

    error_code: int = 0
    error_message: str | None = None
    member_id: str | None = None
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    assignment: Mapping[UUID, Sequence[int]] | None = None


class DescribeConsumerGroupsRequest(NamedTuple):
    group_ids: Sequence[str]


class TopicIdPartitions(NamedTuple):
    topic_id: UUID
    topic_name: str
    partitions: Sequence[int]


class DescribedConsumerMember(NamedTuple):
    """``member_type`` 0 speaks the classic protocol, 1 the consumer protocol."""

    member_id: str
    instance_id: str | None
    rack_id: str | None
    member_epoch: int
    client_id: str
    client_host: str
    subscribed_topic_names: Sequence[str]
    subscribed_topic_regex: str | None
    assignment: Sequence[TopicIdPartitions] = ()
    target_assignment: Sequence[TopicIdPartitions] = ()
    member_type: int = 1


class DescribedConsumerGroup(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    group_state: str = ""
    group_epoch: int = 0
    assignment_epoch: int = 0
    assignor_name: str = ""
    members: Sequence[DescribedConsumerMember] = ()
