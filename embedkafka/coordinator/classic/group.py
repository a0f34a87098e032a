"""A classic group as the coordinator sees it now: members, generation, and where it stands in a rebalance.

::

              first join                     everybody (re)joined            the leader's sync
    EMPTY ----------------> PREPARING_REBALANCE ---------> COMPLETING_REBALANCE ---------> STABLE
      ^                        |        ^    ^                      |                        |
      +------------------------+        |    +----------------------+                        |
       nobody rejoined in time          |     a join, a leave, a member that timed out       |
                                        +----------------------------------------------------+

Kafka's ``ClassicGroup``.  Its DEAD state is here the absence of the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import ClassVar

from embedkafka.coordinator.api import JoinedMember, OffsetFetchRequest
from embedkafka.coordinator.config import GroupSettings
from embedkafka.coordinator.decision import SESSION, CommitOffsets, SessionExpired, Timer, TimerKey
from embedkafka.coordinator.group_type import KnownMember, Session
from embedkafka.coordinator.records import GroupRecord, Record
from embedkafka.errors import (
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaProtocolError,
    NonEmptyGroupError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.consumer.subscription import subscribed_topics
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey, GroupMetadataValue, MemberMetadata
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue

CONSUMER_PROTOCOL_TYPE = "consumer"


class GroupState(str, Enum):
    """Values are the names Kafka shows."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"


PREVIOUS_STATES: dict[GroupState, frozenset[GroupState]] = {
    GroupState.EMPTY: frozenset({GroupState.PREPARING_REBALANCE}),
    GroupState.PREPARING_REBALANCE: frozenset({GroupState.STABLE, GroupState.COMPLETING_REBALANCE, GroupState.EMPTY}),
    GroupState.COMPLETING_REBALANCE: frozenset({GroupState.PREPARING_REBALANCE}),
    GroupState.STABLE: frozenset({GroupState.COMPLETING_REBALANCE}),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member; changes make a new value.

    ``awaiting_join`` and ``awaiting_sync``: its client is parked.  ``is_new``: it has not seen the end of a join yet,
    so its session may end even while it waits (KAFKA-7610).
    """

    member_id: str
    group_instance_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    protocols: tuple[tuple[str, bytes], ...]
    assignment: bytes = b""
    awaiting_join: bool = False
    awaiting_sync: bool = False
    is_new: bool = False

    def metadata(self, protocol: str | None) -> bytes:
        """The member's subscription under ``protocol``; empty when it does not support it."""
        return next((metadata for name, metadata in self.protocols if name == protocol), b"")

    def vote(self, candidates: frozenset[str]) -> str:
        """The first protocol in the member's own order that everyone supports."""
        return next(name for name, _ in self.protocols if name in candidates)


@dataclass(slots=True)
class Group:
    """A group's state; a turn works on a copy, so one that the machine holds never changes.

    ``members`` is in the order of joining, which decides who leads next.  ``pending_members`` were told their id and
    have not joined with it yet; ``pending_syncs`` joined the generation and have not fetched their assignment.
    """

    group_id: str
    state: GroupState = GroupState.EMPTY
    previous_state: GroupState | None = None
    generation_id: int = 0
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str | None = None
    state_timestamp_ms: int = -1
    members: dict[str, Member] = field(default_factory=dict)
    pending_members: frozenset[str] = frozenset()
    pending_syncs: frozenset[str] = frozenset()
    new_member_added: bool = False

    is_kept_elsewhere: ClassVar[bool] = False
    group_type: ClassVar[str] = "classic"

    def copy(self) -> Group:
        """An independent copy; O(members)."""
        return replace(self, members=dict(self.members))

    def transition(self, state: GroupState, now_ms: int) -> None:
        """Move to ``state``; a transition that Kafka does not have is a bug here."""
        if self.state not in PREVIOUS_STATES[state]:
            raise AssertionError(f"group {self.group_id} cannot go from {self.state.value} to {state.value}")
        self.previous_state = self.state
        self.state = state
        self.state_timestamp_ms = now_ms

    def can_rebalance(self) -> bool:
        return self.state in PREVIOUS_STATES[GroupState.PREPARING_REBALANCE]

    def is_consumer_group(self) -> bool:
        return self.protocol_type == CONSUMER_PROTOCOL_TYPE

    def static_member_id(self, group_instance_id: str) -> str | None:
        """The id under which the static member is in the group now."""
        return next((m.member_id for m in self.members.values() if m.group_instance_id == group_instance_id), None)

    def rebalance_timeout_ms(self) -> int:
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    def awaiting_join_count(self) -> int:
        return sum(member.awaiting_join for member in self.members.values())

    def has_all_joined(self) -> bool:
        return not self.pending_members and all(member.awaiting_join for member in self.members.values())

    def supported_by_all(self, protocols: Iterable[str]) -> frozenset[str]:
        """Which of the protocols every member supports."""
        sets = [{name for name, _ in member.protocols} for member in self.members.values()]
        return frozenset(name for name in protocols if all(name in names for names in sets))

    def supports(self, protocol_type: str, protocols: Iterable[str]) -> bool:
        """Whether a member with these protocols fits in; an empty group takes any that names some."""
        names = list(protocols)
        if self.state is GroupState.EMPTY:
            return bool(protocol_type) and bool(names)
        return self.protocol_type == protocol_type and bool(self.supported_by_all(names))

    def select_protocol(self) -> str:
        """The protocol most members vote for, among those all support; the first voted for wins a tie."""
        first = next(iter(self.members.values()))
        candidates = self.supported_by_all(name for name, _ in first.protocols)
        votes: dict[str, int] = {}
        for member in self.members.values():
            choice = member.vote(candidates)
            votes[choice] = votes.get(choice, 0) + 1
        return max(votes, key=lambda name: votes[name])

    def joined_members(self) -> list[JoinedMember]:
        """What the leader is told about everyone."""
        return [
            JoinedMember(member.member_id, member.metadata(self.protocol_name), member.group_instance_id)
            for member in self.members.values()
        ]

    # What all groups know --------------------------------------------------------------------------------------------

    @property
    def shown_protocol_type(self) -> str:
        return self.protocol_type or ""

    @property
    def shown_state(self) -> str:
        return self.state.value

    @property
    def is_empty(self) -> bool:
        return self.state is GroupState.EMPTY

    @property
    def is_abandoned(self) -> bool:
        """A member that was told its id is about to join, so its group is not deleted under it."""
        return self.is_empty and not self.pending_members

    @property
    def member_count(self) -> int:
        return len(self.members)

    def known_members(self) -> Iterator[KnownMember]:
        for member in self.members.values():
            yield KnownMember(member.member_id, member.client_host, member.group_instance_id)

    def knows(self, member_id: str) -> bool:
        return member_id in self.members or member_id in self.pending_members

    def session(self, member_id: str, settings: GroupSettings) -> Session | None:
        member = self.members.get(member_id)
        if member is None:
            return None
        return Session(member.session_timeout_ms, member.awaiting_join or member.awaiting_sync)

    def needs_attention(self, member_id: str) -> bool:
        return member_id not in self.members or self.state is GroupState.PREPARING_REBALANCE

    def session_timer(self, member_id: str) -> Timer:
        """The timer that a sign of life starts again."""
        timeout_ms = self.members[member_id].session_timeout_ms
        return Timer(TimerKey(SESSION, self.group_id, member_id), timeout_ms, SessionExpired(self.group_id, member_id))

    def member_error(self, member_id: str, group_instance_id: str | None) -> int:
        """0, or why this is not a member: FENCED_INSTANCE_ID where its static place is another client's now."""
        if group_instance_id is not None:
            current = self.static_member_id(group_instance_id)
            if current is not None and current != member_id:
                return FencedInstanceIdError.errno
        return 0 if member_id in self.members else UnknownMemberIdError.errno

    def generation_error(self, member_id: str, group_instance_id: str | None, generation_id: int) -> int:
        """:meth:`member_error`, or ILLEGAL_GENERATION for a member that missed a rebalance."""
        error_code = self.member_error(member_id, group_instance_id)
        if error_code:
            return error_code
        return 0 if generation_id == self.generation_id else IllegalGenerationError.errno

    def commit_errors(self, command: CommitOffsets) -> Mapping[TopicPartition, int]:
        request = command.request
        if request.generation_id < 0 and self.is_empty:
            return {}
        is_transactional = command.producer is not None
        if request.generation_id < 0 and not request.member_id and request.group_instance_id is None:
            # Producers before KIP-447 did not say for which member they commit.
            error_code = 0 if is_transactional else UnknownMemberIdError.errno
        else:
            error_code = self.generation_error(request.member_id, request.group_instance_id, request.generation_id)
        if not error_code and not is_transactional and self.state is GroupState.COMPLETING_REBALANCE:
            # Between two generations nobody owns a partition yet; while a rebalance is prepared old owners still do.
            error_code = RebalanceInProgressError.errno
        return dict.fromkeys(request.offsets, error_code) if error_code else {}

    def fetch_error(self, request: OffsetFetchRequest) -> int:
        return 0

    def after_commit(self, member_id: str) -> Sequence[Timer]:
        return [self.session_timer(member_id)] if member_id in self.members else ()

    def offset_delete_error(self) -> int:
        return 0 if self.is_empty or self.is_consumer_group() else NonEmptyGroupError.errno

    def retention_start_ms(self, topic: str, value: OffsetCommitValue) -> int | None:
        """The moment the group became empty; for topics nobody reads any more, and for groups that never had members,
        the commit.  Other protocol types keep their offsets while they have members."""
        if self.protocol_type is not None and not self.is_empty:
            readable = self.is_consumer_group() and self.state is GroupState.STABLE
            if not readable or self.is_subscribed_to(topic):
                return None
        if self.protocol_type is not None and self.is_empty and self.state_timestamp_ms != -1:
            return self.state_timestamp_ms
        return value.commit_timestamp

    def tombstones(self) -> list[Record]:
        return [GroupRecord(GroupMetadataKey(self.group_id), None)]

    def is_subscribed_to(self, topic: str) -> bool:
        """Whether a member reads the topic; where that cannot be known of a consumer group, it is assumed."""
        if not self.is_consumer_group():
            return False
        if self.members and self.protocol_name is None:
            return True
        try:
            return any(
                topic in subscribed_topics(member.metadata(self.protocol_name)) for member in self.members.values()
            )
        except KafkaProtocolError:
            return True

    def remove(self, member_id: str) -> Member | None:
        """Take a member, or one that was only told its id, out; the leader's place goes to the oldest member."""
        removed = self.members.pop(member_id, None)
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        self.pending_members -= {member_id}
        self.pending_syncs -= {member_id}
        return removed

    def elect_joined_leader(self) -> bool:
        """Make sure the leader is one that has joined; False when nobody has."""
        if self.leader is None:
            return False
        if self.members[self.leader].awaiting_join:
            return True
        joined = next((member.member_id for member in self.members.values() if member.awaiting_join), None)
        if joined is None:
            return False
        self.leader = joined
        return True

    def stored(self) -> GroupMetadataValue:
        """The group as it is written to the log."""
        return GroupMetadataValue(
            protocol_type=self.protocol_type or "",
            generation=self.generation_id,
            protocol=self.protocol_name,
            leader=self.leader,
            current_state_timestamp=self.state_timestamp_ms,
            members=[
                MemberMetadata(
                    member_id=member.member_id,
                    group_instance_id=member.group_instance_id,
                    client_id=member.client_id,
                    client_host=member.client_host,
                    rebalance_timeout=member.rebalance_timeout_ms,
                    session_timeout=member.session_timeout_ms,
                    subscription=member.metadata(self.protocol_name),
                    assignment=member.assignment,
                )
                for member in self.members.values()
            ],
        )


def restore(group_id: str, stored: GroupMetadataValue) -> Group:
    """The group a coordinator finds in the log: stable if it has members; what was soft is gone."""
    members = {
        member.member_id: Member(
            member_id=member.member_id,
            group_instance_id=member.group_instance_id,
            client_id=member.client_id,
            client_host=member.client_host,
            # Version 0 of the record had no rebalance timeout: the session timeout stood for both.
            rebalance_timeout_ms=(
                member.session_timeout if member.rebalance_timeout == -1 else member.rebalance_timeout
            ),
            session_timeout_ms=member.session_timeout,
            protocols=((stored.protocol or "", member.subscription),),
            assignment=member.assignment,
        )
        for member in stored.members
    }
    return Group(
        group_id,
        state=GroupState.STABLE if members else GroupState.EMPTY,
        generation_id=stored.generation,
        protocol_type=stored.protocol_type or None,
        protocol_name=stored.protocol,
        leader=stored.leader,
        state_timestamp_ms=stored.current_state_timestamp,
        members=members,
    )
