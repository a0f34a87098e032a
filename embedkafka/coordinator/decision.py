"""What a machine answers to a command, and the commands that are not requests of a client.

Requests are the values of :mod:`embedkafka.coordinator.api`; the classes here wrap a join with what only the shell
knows, and name what happens without a client: timers that ran out, topics that were deleted, the start of a machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from embedkafka.coordinator.api import (
    ConsumerGroupHeartbeatRequest,
    DeleteGroupsRequest,
    DescribeConsumerGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    ListGroupsRequest,
    OffsetCommitRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.share.api import (
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
    DescribeShareGroupsRequest,
)
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListStates,
    OpenStates,
    ShareHeartbeat,
    ShareMemberGone,
    StatesDeleted,
    StatesInitialized,
    StatesNotInitialized,
)
from embedkafka.coordinator.streams.api import DescribeStreamsGroupsRequest
from embedkafka.coordinator.streams.commands import SoftChanged, StreamsDelayOver, StreamsHeartbeat

if TYPE_CHECKING:
    from embedkafka.coordinator.classic.group import Group


class JoinGroup(NamedTuple):
    """A join with who asks; ``fresh_id`` is a unique text that becomes the end of a new member's id."""

    request: JoinGroupRequest
    client_id: str
    client_host: str
    fresh_id: str


class ConsumerHeartbeat(NamedTuple):
    """A heartbeat of the consumer protocol with who sends it; ``fresh_id`` names a new member that has no id.

    ``hidden_topics`` may not be known to its sender, so that no regular expression matches them; None: not asked.
    """

    request: ConsumerGroupHeartbeatRequest
    client_id: str
    client_host: str
    fresh_id: str
    hidden_topics: frozenset[str] | None = frozenset()


class Producer(NamedTuple):
    """A transactional producer, on whose behalf offsets are stored."""

    producer_id: int
    producer_epoch: int


class CommitOffsets(NamedTuple):
    """A commit with the ids of its topics, where they are known.

    With a ``producer`` the offsets are pending until its transaction ends.
    """

    request: OffsetCommitRequest
    topic_ids: Mapping[str, UUID]
    producer: Producer | None = None

    def needs_member(self, *, has_members: bool) -> bool:
        """Whether only a member may send it, to a group whose members have epochs.

        While it is empty anyone may commit, and producers before KIP-447 did not say for which member they do.
        """
        request = self.request
        names_none = request.generation_id < 0 and not request.member_id and request.group_instance_id is None
        return (has_members or request.generation_id >= 0) and not (names_none and self.producer is not None)


class Loaded(NamedTuple):
    """The machine has been fed its log; members' sessions start now, as after Kafka's fail-over."""


class ExpireOffsets(NamedTuple):
    """Look for offsets past their retention, and for empty groups without offsets."""


class TopicsDeleted(NamedTuple):
    topics: Sequence[str]


class SessionExpired(NamedTuple):
    """Nothing was heard of a member, or of one that was only told its id, for its session timeout."""

    group_id: str
    member_id: str


class InitialDelayOver(NamedTuple):
    """An empty group has waited ``delay_ms`` for more members; ``remaining_ms`` is what it may still wait."""

    group_id: str
    delay_ms: int
    remaining_ms: int


class JoinDeadline(NamedTuple):
    """The rebalance timeout is over; who has not joined is out."""

    group_id: str


class SyncDeadline(NamedTuple):
    """Members that joined ``generation_id`` had the rebalance timeout to fetch their assignment."""

    group_id: str
    generation_id: int


class MemberOverdue(NamedTuple):
    """A member of a consumer or streams group has not done in time what others wait for.

    ``epoch`` is the one in which it had to give partitions or tasks up; None: it speaks the classic protocol and had to
    join again or to sync.
    """

    group_id: str
    member_id: str
    epoch: int | None = None


class AssignmentDue(NamedTuple):
    """The interval between two assignments of a group is over (KIP-1263)."""

    group_id: str


Command = (
    JoinGroup
    | ConsumerHeartbeat
    | SyncGroupRequest
    | HeartbeatRequest
    | LeaveGroupRequest
    | CommitOffsets
    | OffsetFetchRequest
    | OffsetDeleteRequest
    | ListGroupsRequest
    | DescribeGroupsRequest
    | DescribeConsumerGroupsRequest
    | DeleteGroupsRequest
    | Loaded
    | ExpireOffsets
    | TopicsDeleted
    | SessionExpired
    | InitialDelayOver
    | JoinDeadline
    | SyncDeadline
    | MemberOverdue
    | AssignmentDue
    | ShareHeartbeat
    | DescribeShareGroupsRequest
    | AlterShareGroupOffsetsRequest
    | DeleteShareGroupOffsetsRequest
    | OpenStates
    | ListStates
    | StatesInitialized
    | StatesNotInitialized
    | StatesDeleted
    | DeleteStates
    | StreamsHeartbeat
    | StreamsDelayOver
    | DescribeStreamsGroupsRequest
)


class TimerKey(NamedTuple):
    """One timer of a machine: a new one under the same key replaces it.  ``member_id`` is empty for a group's own."""

    kind: str
    group_id: str
    member_id: str = ""


SESSION = "session"
JOIN = "join"
SYNC = "sync"
REVOKE = "revoke"
CLASSIC_JOIN = "classic-join"
CLASSIC_SYNC = "classic-sync"
ASSIGN = "assign"
INITIAL_DELAY = "initial-delay"


class Timer(NamedTuple):
    """Send ``command`` after ``delay_ms`` milliseconds; None takes the timer back.

    ``keep`` leaves a timer that runs already under the key as it is.
    """

    key: TimerKey
    delay_ms: int = 0
    command: Command | None = None
    keep: bool = False


class ParkKey(NamedTuple):
    """A client that waits for the reply to its join or its sync."""

    kind: str
    group_id: str
    member_id: str


class GroupChanged(NamedTuple):
    """The soft state of a group is now ``group``; None: nothing (any more) beyond what is durable.

    Every decision that changes a group says so, for whoever watches its members.
    """

    group_id: str
    group: Group | None


class Decision(NamedTuple):
    """What to do about a command, in this order: append and apply ``records``, note ``events``, set ``timers``, answer.

    Exactly one of ``reply`` and ``park`` is set for a client's request.  ``completions`` answers others that were
    parked.
    """

    reply: object = None
    park: ParkKey | None = None
    completions: Sequence[tuple[ParkKey, object]] = ()
    records: Sequence[Record] = ()
    events: Sequence[GroupChanged | SoftChanged | ShareMemberGone] = ()
    timers: Sequence[Timer] = ()
    producer: Producer | None = None  # of the transaction that the records belong to
