"""What the types of groups have in common whose every change is in the log (``consumer/``, ``share/``, ``streams/``).

An epoch, which grows whenever what decides the assignment changes; a target assignment of some epoch; members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment

FIRST_EPOCH = 1  # of a group before its first member, so that a member that joins, with epoch 0, is always behind

MemberT = TypeVar("MemberT")
TargetT = TypeVar("TargetT")


class _EpochValue(Protocol):
    epoch: int
    metadata_hash: int


class _TargetEpochValue(Protocol):
    assignment_epoch: int
    assignment_timestamp: int


class _TopicPartitions(Protocol):
    @property
    def topic_id(self) -> UUID: ...
    @property
    def partitions(self) -> Sequence[int]: ...


class _TargetValue(Protocol):
    @property
    def topic_partitions(self) -> Sequence[_TopicPartitions]: ...


@dataclass(slots=True)
class LoggedGroup(Generic[MemberT, TargetT]):
    """``targets`` and ``members`` are by member id."""

    group_id: str
    epoch: int = FIRST_EPOCH
    metadata_hash: int = 0
    assignment_epoch: int = FIRST_EPOCH
    assignment_timestamp_ms: int = 0
    members: dict[str, MemberT] = field(default_factory=dict)
    targets: dict[str, TargetT] = field(default_factory=dict)

    # Records ---------------------------------------------------------------------------------------------------------

    def apply_epoch(self, value: _EpochValue | None) -> None:
        """The group's own record; its deletion is the affair of whoever holds the group."""
        if value is not None:
            self.epoch = value.epoch
            self.metadata_hash = value.metadata_hash

    def apply_target_epoch(self, value: _TargetEpochValue | None) -> None:
        self.assignment_epoch = FIRST_EPOCH if value is None else value.assignment_epoch
        self.assignment_timestamp_ms = 0 if value is None else value.assignment_timestamp

    # What all groups know --------------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        return not self.members

    @property
    def member_count(self) -> int:
        return len(self.members)

    def knows(self, member_id: str) -> bool:
        return member_id in self.members


@dataclass(slots=True)
class PartitionsGroup(LoggedGroup[MemberT, Assignment]):
    """One whose members are assigned partitions."""

    def apply_target(self, member_id: str, value: _TargetValue | None) -> None:
        if value is None:
            self.targets.pop(member_id, None)
        else:
            self.targets[member_id] = {
                each.topic_id: frozenset(each.partitions) for each in value.topic_partitions if each.partitions
            }

    def target_of(self, member_id: str) -> Assignment:
        return self.targets.get(member_id, {})
