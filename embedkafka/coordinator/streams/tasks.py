"""Tasks, and who has which.  Values are never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class TaskId(NamedTuple):
    """A sub-topology's work on one partition of its source topics."""

    subtopology_id: str
    partition: int


class Tasks(NamedTuple):
    """Tasks by role: an active task processes, a standby task keeps a copy of the state, a warm-up task builds one."""

    active: frozenset[TaskId] = frozenset()
    standby: frozenset[TaskId] = frozenset()
    warmup: frozenset[TaskId] = frozenset()

    def overlaps(self, other: Tasks) -> bool:
        """Whether a task is in both, in the same role."""
        return any(not mine.isdisjoint(theirs) for mine, theirs in zip(self, other, strict=True))

    def contains(self, other: Tasks) -> bool:
        """Whether every task of ``other`` is in this, in the same role."""
        return all(theirs <= mine for mine, theirs in zip(self, other, strict=True))


_NONE: Mapping[TaskId, int] = MappingProxyType({})


class HeldTasks(NamedTuple):
    """Tasks that a member has; of an active one also the epoch in which it was assigned."""

    active: Mapping[TaskId, int] = _NONE
    standby: frozenset[TaskId] = frozenset()
    warmup: frozenset[TaskId] = frozenset()

    @property
    def tasks(self) -> Tasks:
        """The tasks without their epochs."""
        return Tasks(frozenset(self.active), self.standby, self.warmup)

    def with_added(self, added: Tasks, epoch: int) -> HeldTasks:
        """With more tasks, assigned in ``epoch``."""
        return HeldTasks(
            {**self.active, **dict.fromkeys(sorted(added.active), epoch)},
            self.standby | added.standby,
            self.warmup | added.warmup,
        )

    def only(self, wanted: Tasks) -> HeldTasks:
        """Those that are wanted, in the same role."""
        return HeldTasks(
            {task: epoch for task, epoch in self.active.items() if task in wanted.active},
            self.standby & wanted.standby,
            self.warmup & wanted.warmup,
        )

    def without(self, kept: HeldTasks) -> HeldTasks:
        """Those that are not in ``kept``."""
        return HeldTasks(
            {task: epoch for task, epoch in self.active.items() if task not in kept.active},
            self.standby - kept.standby,
            self.warmup - kept.warmup,
        )


NO_TASKS = Tasks()
NOTHING_HELD = HeldTasks()

TaskLists = Mapping[str, Collection[int]]
"""Partitions by sub-topology, as requests and replies name tasks."""


def listed(tasks: Iterable[TaskId]) -> dict[str, list[int]]:
    """Tasks as lists, both sorted."""
    lists: dict[str, list[int]] = {}
    for subtopology_id, partition in sorted(tasks):
        lists.setdefault(subtopology_id, []).append(partition)
    return lists


def task_set(lists: TaskLists) -> frozenset[TaskId]:
    """Tasks of lists."""
    return frozenset(TaskId(each, partition) for each, partitions in lists.items() for partition in partitions)
