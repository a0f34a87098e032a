"""A streams group as its records say, and what follows from them (Kafka's ``StreamsGroup``).

:meth:`StreamsGroup.apply` is the only writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from embedkafka.coordinator.api import OffsetFetchRequest
from embedkafka.coordinator.config import GroupSettings
from embedkafka.coordinator.decision import CommitOffsets, Timer
from embedkafka.coordinator.group_type import KnownMember, Session
from embedkafka.coordinator.logged_group import LoggedGroup
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.streams import serialized
from embedkafka.coordinator.streams.configured import ConfiguredTopology, configure
from embedkafka.coordinator.streams.member import StreamsMember
from embedkafka.coordinator.streams.offsets import commit_errors
from embedkafka.coordinator.streams.reconcile import Holders
from embedkafka.coordinator.streams.records import (
    StreamsAssignmentRecord,
    StreamsMemberRecord,
    StreamsRecord,
    StreamsTargetEpochRecord,
    StreamsTargetRecord,
    StreamsTopologyRecord,
)
from embedkafka.coordinator.streams.tasks import NO_TASKS, TaskId, Tasks
from embedkafka.coordinator.streams.topology import Topology
from embedkafka.coordinator.topics import NO_TOPICS, Topics
from embedkafka.errors import StaleMemberEpochError, UnknownMemberIdError
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue

NOT_VALIDATED = -1


@dataclass(slots=True)
class StreamsGroup(LoggedGroup[StreamsMember, Tasks]):
    """``topology`` is None before the first member has sent one; ``configs`` are those of the last assignment.

    ``validated_topology_epoch`` is that of the topology all of whose topics were found in order.
    """

    topology: Topology | None = None
    validated_topology_epoch: int = NOT_VALIDATED
    configs: Mapping[str, str] = field(default_factory=dict)
    # Derived ---------------------------------------------------------------------------------------------------------
    _configured: ConfiguredTopology | None = field(default=None, compare=False, repr=False)
    _configured_for: Topics = field(default=NO_TOPICS, compare=False, repr=False)

    is_kept_elsewhere: ClassVar[bool] = False
    group_type: ClassVar[str] = "streams"
    shown_protocol_type: ClassVar[str] = "streams"

    def copy(self) -> StreamsGroup:
        """An independent copy; O(members)."""
        return replace(self, members=dict(self.members), targets=dict(self.targets))

    # Records ---------------------------------------------------------------------------------------------------------

    def apply(self, record: StreamsRecord) -> None:
        """Take one record in; tombstones of what is not there are ignored."""
        if isinstance(record, StreamsAssignmentRecord):
            self._apply_assignment(record)
        elif isinstance(record, StreamsTargetRecord):
            self._apply_target(record)
        elif isinstance(record, StreamsMemberRecord):
            self._apply_member(record)
        elif isinstance(record, StreamsTargetEpochRecord):
            self.apply_target_epoch(record.value)
        elif isinstance(record, StreamsTopologyRecord):
            self.topology = None if record.value is None else serialized.topology_of(record.value)
            self._configured = None
        elif record.value is not None:
            self.apply_epoch(record.value)
            self.validated_topology_epoch = record.value.validated_topology_epoch
            self.configs = {each.key: each.value for each in record.value.last_assignment_configs or ()}

    def _apply_target(self, record: StreamsTargetRecord) -> None:
        if record.value is None:
            self.targets.pop(record.key.member_id, None)
        else:
            self.targets[record.key.member_id] = serialized.target_of(record.value)

    def _apply_member(self, record: StreamsMemberRecord) -> None:
        member_id = record.key.member_id
        if record.value is None:
            self.members.pop(member_id, None)
        else:
            old = self.members.get(member_id) or StreamsMember(member_id)
            self.members[member_id] = serialized.with_metadata(old, record.value)

    def _apply_assignment(self, record: StreamsAssignmentRecord) -> None:
        member_id = record.key.member_id
        old = self.members.get(member_id)
        if record.value is not None:
            self.members[member_id] = serialized.with_assignment(old or StreamsMember(member_id), record.value)
        elif old is not None:
            self.members[member_id] = serialized.without_assignment(old)

    # What follows ----------------------------------------------------------------------------------------------------

    def target_of(self, member_id: str) -> Tasks:
        return self.targets.get(member_id, NO_TASKS)

    def configured(self, topics: Topics) -> ConfiguredTopology | None:
        """The topology held against the topics there are; None before there is one.

        Raises:
            StreamsInvalidTopologyError: no topics could make it work.
        """
        if self.topology is not None and (self._configured is None or self._configured_for is not topics):
            self._configured = configure(self.topology, topics)
            self._configured_for = topics
        return self._configured

    def holders(self) -> Holders:
        """Who has which task, or still has to give it up; O(tasks)."""
        active: dict[TaskId, str] = {}
        copies: dict[TaskId, set[str]] = {}
        for member in self.members.values():
            for held in (member.assigned, member.revoking):
                active.update(dict.fromkeys(held.active, member.process_id))
                for task in held.standby | held.warmup:
                    copies.setdefault(task, set()).add(member.process_id)
        return Holders(active, {task: frozenset(processes) for task, processes in copies.items()})

    # What all groups know --------------------------------------------------------------------------------------------

    @property
    def shown_state(self) -> str:
        if not self.members:
            return "Empty"
        if self.topology is None or self.topology.epoch != self.validated_topology_epoch:
            return "NotReady"
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
        return Session(settings.streams_session_timeout_ms) if member_id in self.members else None

    def needs_attention(self, member_id: str) -> bool:
        member = self.members.get(member_id)
        return member is None or not member.is_reconciled_to(self.epoch)

    def commit_errors(self, command: CommitOffsets) -> Mapping[TopicPartition, int]:
        return commit_errors(command, self.members, self.topology)

    def fetch_error(self, request: OffsetFetchRequest) -> int:
        if request.member_id is None and request.member_epoch < 0:
            return 0
        member = self.members.get(request.member_id or "")
        if member is None:
            return UnknownMemberIdError.errno
        return 0 if member.epoch == request.member_epoch else StaleMemberEpochError.errno

    def after_commit(self, member_id: str) -> Sequence[Timer]:
        return ()  # a commit is no heartbeat of this protocol

    def is_subscribed_to(self, topic: str) -> bool:
        return bool(self.members) and self.topology is not None and topic in self.topology.subtopology_by_source()

    def offset_delete_error(self) -> int:
        return 0

    def retention_start_ms(self, topic: str, value: OffsetCommitValue) -> int | None:
        return None if self.is_subscribed_to(topic) else value.commit_timestamp

    def tombstones(self) -> list[Record]:
        return serialized.tombstones(self.group_id, [*self.members, *self.targets])
