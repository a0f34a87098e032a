"""What the group coordinator is asked and answers: Kafka's group APIs (8-16, 42, 47) as plain values.

They are part of :mod:`embedkafka.broker.api`, which everyone else imports; they stand here because the coordinator is
below the broker and takes them as its commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embedkafka.model import TopicPartition

__all__ = [
    "CommittedOffset",
    "DeleteGroupsRequest",
    "DescribeGroupsRequest",
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
]


@dataclass(frozen=True, slots=True)
class JoinGroupRequest:
    group_id: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    member_id: str
    protocol_type: str
    protocols: Sequence[tuple[str, bytes]]
    group_instance_id: str | None = None
    reason: str | None = None
    require_member_id: bool = True  # version 4 and later (KIP-394)


@dataclass(frozen=True, slots=True)
class JoinedMember:
    member_id: str
    metadata: bytes
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class JoinGroupReply:
    """``members`` is the leader's alone; ``skip_assignment`` tells a returning static leader to keep its assignment."""

    error_code: int = 0
    generation_id: int = -1
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str = ""
    member_id: str = ""
    members: Sequence[JoinedMember] = ()
    skip_assignment: bool = False


@dataclass(frozen=True, slots=True)
class SyncGroupRequest:
    group_id: str
    generation_id: int
    member_id: str
    group_instance_id: str | None = None
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignments: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncGroupReply:
    error_code: int = 0
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class HeartbeatRequest:
    group_id: str
    generation_id: int
    member_id: str
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class LeavingMember:
    member_id: str
    group_instance_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LeftMember:
    member_id: str
    group_instance_id: str | None
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class LeaveGroupRequest:
    group_id: str
    members: Sequence[LeavingMember]


@dataclass(frozen=True, slots=True)
class LeaveGroupReply:
    error_code: int = 0
    members: Sequence[LeftMember] = ()


@dataclass(frozen=True, slots=True)
class OffsetToCommit:
    offset: int
    leader_epoch: int = -1
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class OffsetCommitRequest:
    """A generation of -1 with an empty member id is a commit from outside the group (allowed while it is empty)."""

    group_id: str
    offsets: Mapping[TopicPartition, OffsetToCommit]
    generation_id: int = -1
    member_id: str = ""
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class OffsetCommitReply:
    error_codes: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """``offset`` -1 means nothing is committed."""

    offset: int = -1
    leader_epoch: int = -1
    metadata: str = ""
    error_code: int = 0


@dataclass(frozen=True, slots=True)
class OffsetFetchRequest:
    """``partitions`` None asks for everything the group has committed."""

    group_id: str
    partitions: Sequence[TopicPartition] | None = None
    require_stable: bool = False
    member_id: str | None = None
    member_epoch: int = -1


@dataclass(frozen=True, slots=True)
class OffsetFetchReply:
    error_code: int = 0
    offsets: Mapping[TopicPartition, CommittedOffset] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OffsetDeleteRequest:
    group_id: str
    partitions: Sequence[TopicPartition]


@dataclass(frozen=True, slots=True)
class OffsetDeleteReply:
    error_code: int = 0
    error_codes: Mapping[TopicPartition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListGroupsRequest:
    """Empty filters let everything through; both compare without regard to case."""

    states: Sequence[str] = ()
    types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ListedGroup:
    group_id: str
    protocol_type: str
    group_state: str
    group_type: str = "classic"


@dataclass(frozen=True, slots=True)
class DescribeGroupsRequest:
    group_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class DescribedMember:
    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    member_metadata: bytes = b""
    member_assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    group_state: str = ""
    protocol_type: str = ""
    protocol_data: str = ""
    members: Sequence[DescribedMember] = ()


@dataclass(frozen=True, slots=True)
class DeleteGroupsRequest:
    group_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class GroupResult:
    group_id: str
    error_code: int = 0
    error_message: str | None = None
