"""A consumer group as its records say, and what follows from them (Kafka's ``ConsumerGroup``).

:meth:`ConsumerGroup.apply` is the only writer.  The fields below the line are derived, kept up with every record so
that a heartbeat need not walk over all members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar
from uuid import UUID

from embedkafka.coordinator.api import OffsetFetchRequest
from embedkafka.coordinator.assignment import Owned
from embedkafka.coordinator.config import GroupSettings
from embedkafka.coordinator.consumer import serialized
from embedkafka.coordinator.consumer.member import STATIC_LEAVE_EPOCH, Member, MemberState
from embedkafka.coordinator.consumer.offsets import commit_errors, epoch_error
from embedkafka.coordinator.decision import CommitOffsets, Timer
from embedkafka.coordinator.group_type import KnownMember, Session
from embedkafka.coordinator.logged_group import PartitionsGroup
from embedkafka.coordinator.records import (
    ConsumerGroupRecord,
    ConsumerMemberRecord,
    ConsumerRecord,
    CurrentAssignmentRecord,
    Record,
    RegularExpressionRecord,
    TargetEpochRecord,
    TargetRecord,
)
from embedkafka.errors import UnknownMemberIdError
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.consumer_group_regular_expression import ConsumerGroupRegularExpressionValue
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


def session_timeout_ms(member: Member, settings: GroupSettings) -> int:
    """How long a member may be silent."""
    return settings.consumer_session_timeout_ms if member.classic is None else member.classic.session_timeout_ms


@dataclass(slots=True)
class ConsumerGroup(PartitionsGroup[Member]):
    """``regexes`` are by pattern."""

    regexes: dict[str, ConsumerGroupRegularExpressionValue] = field(default_factory=dict)
    # ----------------------------------------------------------------------------------------------------------------
    owners: dict[UUID, dict[int, int]] = field(default_factory=dict)  # epoch of the owner, by topic and partition
    static_members: dict[str, str] = field(default_factory=dict)  # member id by instance id
    classic_count: int = 0
    _subscribed: frozenset[str] | None = field(default=None, compare=False, repr=False)

    is_kept_elsewhere: ClassVar[bool] = False
    group_type: ClassVar[str] = "consumer"
    shown_protocol_type: ClassVar[str] = "consumer"

    def copy(self) -> ConsumerGroup:
        """An independent copy; O(members + partitions)."""
        return replace(
            self,
            members=dict(self.members),
            targets=dict(self.targets),
            regexes=dict(self.regexes),
            owners={topic_id: dict(epochs) for topic_id, epochs in self.owners.items()},
            static_members=dict(self.static_members),
        )

    # Records ---------------------------------------------------------------------------------------------------------

    def apply(self, record: ConsumerRecord) -> None:
        """Take one record in; tombstones of what is not there are ignored."""
        if isinstance(record, CurrentAssignmentRecord):
            self._apply_current(record)
        elif isinstance(record, TargetRecord):
            self.apply_target(record.key.member_id, record.value)
        elif isinstance(record, ConsumerMemberRecord):
            self._apply_member(record)
        elif isinstance(record, TargetEpochRecord):
            self.apply_target_epoch(record.value)
        elif isinstance(record, ConsumerGroupRecord):
            self.apply_epoch(record.value)
        elif isinstance(record, RegularExpressionRecord):
            self._subscribed = None
            if record.value is None:
                self.regexes.pop(record.key.regular_expression, None)
            else:
                self.regexes[record.key.regular_expression] = record.value
        # What Kafka 4.0 kept of topics (PartitionMetadataRecord) is in the metadata hash since 4.1.

    def _apply_member(self, record: ConsumerMemberRecord) -> None:
        self._subscribed = None
        member_id = record.key.member_id
        old = self.members.get(member_id)
        if record.value is not None:
            self._replace(old, serialized.with_metadata(old or Member(member_id), record.value))
        elif old is not None:
            self._replace(old, None)

    def _apply_current(self, record: CurrentAssignmentRecord) -> None:
        member_id = record.key.member_id
        old = self.members.get(member_id)
        if record.value is not None:
            self._replace(old, serialized.with_assignment(old or Member(member_id), record.value))
        elif old is not None:
            self._replace(old, replace(Member(member_id), **serialized.metadata_fields(old)))

    def _replace(self, old: Member | None, new: Member | None) -> None:
        if old is not None:
            self._release(old.assigned, old.epoch)
            self._release(old.revoking, old.epoch)
            self.classic_count -= old.classic is not None
            if old.instance_id is not None and self.static_members.get(old.instance_id) == old.member_id:
                del self.static_members[old.instance_id]
            if new is None:
                del self.members[old.member_id]
        if new is not None:
            self._own(new.assigned, new.epoch)
            self._own(new.revoking, new.epoch)
            self.classic_count += new.classic is not None
            if new.instance_id is not None:
                self.static_members[new.instance_id] = new.member_id
            self.members[new.member_id] = new

    def _own(self, owned: Owned, epoch: int) -> None:
        for topic_id, partitions in owned.items():
            self.owners.setdefault(topic_id, {}).update(dict.fromkeys(partitions, epoch))

    def _release(self, owned: Owned, epoch: int) -> None:
        for topic_id, partitions in owned.items():
            epochs = self.owners.get(topic_id, {})
            for partition in partitions:
                if epochs.get(partition) == epoch:
                    del epochs[partition]
            if not epochs:
                self.owners.pop(topic_id, None)

    # What follows ----------------------------------------------------------------------------------------------------

    def is_free(self, topic_id: UUID, partition: int) -> bool:
        """Whether no member owns the partition, or still has to give it up."""
        epochs = self.owners.get(topic_id)
        return epochs is None or partition not in epochs

    def static_member(self, instance_id: str) -> Member | None:
        """The member that holds an instance id."""
        member_id = self.static_members.get(instance_id)
        return None if member_id is None else self.members.get(member_id)

    def waits_for_others(self, member: Member) -> bool:
        """Whether all that is missing of a member's target is in other hands."""
        missing = [
            (topic_id, partition)
            for topic_id, partitions in self.target_of(member.member_id).items()
            for partition in partitions
            if partition not in member.assigned.get(topic_id, ())
        ]
        return not any(self.is_free(*partition) for partition in missing)

    # What all groups know --------------------------------------------------------------------------------------------

    @property
    def shown_state(self) -> str:
        if not self.members:
            return "Empty"
        if self.epoch > self.assignment_epoch:
            return "Assigning"
        reconciled = all(member.is_reconciled_to(self.assignment_epoch) for member in self.members.values())
        return "Stable" if reconciled else "Reconciling"

    @property
    def is_abandoned(self) -> bool:
        return not self.members

    def known_members(self) -> Iterator[KnownMember]:
        for member in self.members.values():
            yield KnownMember(member.member_id, member.client_host, member.instance_id)

    def session(self, member_id: str, settings: GroupSettings) -> Session | None:
        member = self.members.get(member_id)
        return None if member is None else Session(session_timeout_ms(member, settings))

    def needs_attention(self, member_id: str) -> bool:
        member = self.members.get(member_id)
        if member is None or self.epoch > self.assignment_epoch:
            return True
        if member.state is MemberState.UNREVOKED_PARTITIONS:
            return member.classic is not None  # others were told already, and say when they are done
        if member.epoch != self.assignment_epoch:
            return member.epoch != STATIC_LEAVE_EPOCH
        return member.state is MemberState.UNRELEASED_PARTITIONS and not self.waits_for_others(member)

    def commit_errors(self, command: CommitOffsets) -> Mapping[TopicPartition, int]:
        return commit_errors(command, self.members)

    def fetch_error(self, request: OffsetFetchRequest) -> int:
        if request.member_id is None and request.member_epoch < 0:
            return 0
        member = self.members.get(request.member_id or "")
        return UnknownMemberIdError.errno if member is None else epoch_error(member, request.member_epoch)

    def after_commit(self, member_id: str) -> Sequence[Timer]:
        return ()  # a commit is no heartbeat of this protocol

    def is_subscribed_to(self, topic: str) -> bool:
        return topic in self.subscribed_topics()

    def subscribed_topics(self) -> frozenset[str]:
        """All topics that members read, by name or by a regular expression."""
        if self._subscribed is None:
            names: set[str] = set()
            for member in self.members.values():
                names |= member.subscribed_topics
            for resolved in self.regexes.values():
                names.update(resolved.topics)
            self._subscribed = frozenset(names)
        return self._subscribed

    def offset_delete_error(self) -> int:
        return 0

    def retention_start_ms(self, topic: str, value: OffsetCommitValue) -> int | None:
        return None if self.is_subscribed_to(topic) else value.commit_timestamp

    def tombstones(self) -> list[Record]:
        return serialized.tombstones(self.group_id, self.members, self.targets, self.regexes)
