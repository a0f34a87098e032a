"""A share group as its records say, and what follows from them (Kafka's ``ShareGroup``).

:meth:`ShareGroup.apply` is the only writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from embedkafka.coordinator.api import OffsetFetchRequest
from embedkafka.coordinator.config import GroupSettings
from embedkafka.coordinator.decision import CommitOffsets, Timer
from embedkafka.coordinator.group_type import KnownMember, Session
from embedkafka.coordinator.logged_group import PartitionsGroup
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.share import serialized
from embedkafka.coordinator.share.member import ShareMember
from embedkafka.coordinator.share.records import (
    ShareAssignmentRecord,
    ShareGroupRecord,
    ShareMemberRecord,
    ShareRecord,
    ShareStatesRecord,
    ShareTargetEpochRecord,
    ShareTargetRecord,
)
from embedkafka.coordinator.share.states import NO_STATES, ShareStates
from embedkafka.errors import GroupIdNotFoundError
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue


@dataclass(slots=True)
class ShareGroup(PartitionsGroup[ShareMember]):
    """``states`` are those that the share coordinator keeps."""

    states: ShareStates = NO_STATES
    # Derived ---------------------------------------------------------------------------------------------------------
    _subscribed: frozenset[str] | None = field(default=None, compare=False, repr=False)
    _is_pending: bool | None = field(default=None, compare=False, repr=False)

    group_type: ClassVar[str] = "share"
    shown_protocol_type: ClassVar[str] = "share"

    def copy(self) -> ShareGroup:
        """An independent copy; O(members)."""
        return replace(self, members=dict(self.members), targets=dict(self.targets))

    # Records ---------------------------------------------------------------------------------------------------------

    def apply(self, record: ShareRecord) -> None:
        """Take one record in; tombstones of what is not there are ignored."""
        self._is_pending = None
        if isinstance(record, ShareAssignmentRecord):
            self._apply_assignment(record)
        elif isinstance(record, ShareTargetRecord):
            self.apply_target(record.key.member_id, record.value)
        elif isinstance(record, ShareMemberRecord):
            self._apply_member(record)
        elif isinstance(record, ShareTargetEpochRecord):
            self.apply_target_epoch(record.value)
        elif isinstance(record, ShareStatesRecord):
            self.states = NO_STATES if record.value is None else serialized.states_of(record.value)
        elif isinstance(record, ShareGroupRecord):
            self.apply_epoch(record.value)

    def _apply_member(self, record: ShareMemberRecord) -> None:
        self._subscribed = None
        member_id = record.key.member_id
        if record.value is None:
            self.members.pop(member_id, None)
        else:
            old = self.members.get(member_id) or ShareMember(member_id)
            self.members[member_id] = serialized.with_metadata(old, record.value)

    def _apply_assignment(self, record: ShareAssignmentRecord) -> None:
        member_id = record.key.member_id
        old = self.members.get(member_id)
        if record.value is not None:
            self.members[member_id] = serialized.with_assignment(old or ShareMember(member_id), record.value)
        elif old is not None:
            self.members[member_id] = serialized.without_assignment(old)

    # What follows ----------------------------------------------------------------------------------------------------

    def subscribed_topics(self) -> frozenset[str]:
        """All topics that members read."""
        if self._subscribed is None:
            self._subscribed = frozenset().union(*(member.subscribed_topics for member in self.members.values()))
        return self._subscribed

    def has_unassigned_states(self) -> bool:
        """Whether partitions that members read have become assignable, or have ceased to be."""
        if self._is_pending is None:
            self._is_pending = bool(self.members) and self._find_unassigned()
        return self._is_pending

    def _find_unassigned(self) -> bool:
        wanted = {
            topic_id: state.partitions
            for topic_id, state in self.states.initialized.items()
            if state.name in self.subscribed_topics()
        }
        if not wanted:
            return False
        assigned: dict[object, set[int]] = {}
        for target in self.targets.values():
            for topic_id, partitions in target.items():
                assigned.setdefault(topic_id, set()).update(partitions)
        return any(assigned.get(topic_id, set()) != partitions for topic_id, partitions in wanted.items())

    # What all groups know --------------------------------------------------------------------------------------------

    @property
    def shown_state(self) -> str:
        return "Stable" if self.members else "Empty"

    is_abandoned = False  # a share group stays until somebody deletes it: its states are worth as much as offsets

    def known_members(self) -> Iterator[KnownMember]:
        for member in self.members.values():
            yield KnownMember(member.member_id, member.client_host, None)

    def session(self, member_id: str, settings: GroupSettings) -> Session | None:
        return Session(settings.share_session_timeout_ms) if member_id in self.members else None

    def needs_attention(self, member_id: str) -> bool:
        member = self.members.get(member_id)
        if member is None or member.epoch != self.assignment_epoch or self.epoch > self.assignment_epoch:
            return True
        return self.has_unassigned_states()

    def commit_errors(self, command: CommitOffsets) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(command.request.offsets, GroupIdNotFoundError.errno)

    def fetch_error(self, request: OffsetFetchRequest) -> int:
        return 0  # nothing is committed; Kafka answers as for a group that does not exist

    def after_commit(self, member_id: str) -> Sequence[Timer]:
        return ()

    def is_subscribed_to(self, topic: str) -> bool:
        return topic in self.subscribed_topics()

    def offset_delete_error(self) -> int:
        return GroupIdNotFoundError.errno

    def retention_start_ms(self, topic: str, value: OffsetCommitValue) -> int | None:
        return None

    @property
    def is_kept_elsewhere(self) -> bool:
        return any(self.states)

    def tombstones(self) -> list[Record]:
        return serialized.tombstones(self.group_id, [*self.members, *self.targets])
