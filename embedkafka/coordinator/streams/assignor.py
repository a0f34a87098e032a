"""The assignor of streams groups: sticky, and even over members and processes (Kafka's ``StickyTaskAssignor``).

*Active* tasks stay where they are as long as nobody has more than an even share, else go where a standby task keeps
their state, else to the least loaded process.  *Standby* tasks, of sub-topologies with state, go to processes that have
nothing of the task: first where it was active, then where it was a standby task, then to the least loaded.  The load of
a process is counted per member, which are its threads.

O(tasks * (standby replicas + 1) * log(processes)) as long as most processes may have most tasks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from embedkafka.coordinator.streams.tasks import TaskId, Tasks

STICKY = "sticky"


class TaskMember(NamedTuple):
    """A member with the tasks of the last target assignment."""

    member_id: str
    process_id: str
    previous: Tasks


class TaskSource(NamedTuple):
    """A sub-topology with its number of tasks."""

    subtopology_id: str
    task_count: int
    is_stateful: bool

    def tasks(self) -> Iterator[TaskId]:
        for partition in range(self.task_count):
            yield TaskId(self.subtopology_id, partition)


def assign(members: Sequence[TaskMember], sources: Sequence[TaskSource], standby_replicas: int = 0) -> dict[str, Tasks]:
    """The tasks of every member; where there are no members, none.

    Args:
        members: the same order gives the same assignment.
        standby_replicas: wanted standby tasks for each task with state; with fewer other processes there are fewer.
    """
    if not members:
        return {}
    return _Assignment(members, sources, standby_replicas).made()


class _Member:
    __slots__ = ("active", "member_id", "process", "standby")

    def __init__(self, member_id: str, process: _Process) -> None:
        self.member_id = member_id
        self.process = process
        self.active: set[TaskId] = set()
        self.standby: set[TaskId] = set()

    @property
    def task_count(self) -> int:
        return len(self.active) + len(self.standby)


class _Process:
    __slots__ = ("members", "order", "tasks")

    def __init__(self, order: int) -> None:
        self.order = order  # among processes of equal load
        self.members: list[_Member] = []
        self.tasks: set[TaskId] = set()

    @property
    def load(self) -> float:
        return sum(member.task_count for member in self.members) / len(self.members)

    def least_loaded_member(self) -> _Member:
        return min(self.members, key=lambda member: member.task_count)


class _Quota:
    """An even share, rounded up, of what those can still take who have not got theirs."""

    def __init__(self, task_count: int, member_count: int) -> None:
        self._tasks = task_count
        self._members = member_count

    @property
    def share(self) -> int:
        return -(-self._tasks // self._members) if self._members else 0

    def taken(self, count: int) -> None:
        """A member has ``count`` tasks now; with its whole share it is out of the count."""
        if count == self.share:
            self._tasks -= count
            self._members -= 1


class _Assignment:
    def __init__(self, members: Sequence[TaskMember], sources: Sequence[TaskSource], standby_replicas: int) -> None:
        self._sources = sources
        self._replicas = standby_replicas
        self._processes: dict[str, _Process] = {}
        self._members: list[_Member] = []
        self._was_active: dict[TaskId, _Member] = {}
        self._was_standby: dict[TaskId, list[_Member]] = {}
        for each in members:
            process = self._processes.setdefault(each.process_id, _Process(len(self._processes)))
            member = _Member(each.member_id, process)
            process.members.append(member)
            self._members.append(member)
            self._was_active.update(dict.fromkeys(each.previous.active, member))
            for task in sorted(each.previous.standby):
                self._was_standby.setdefault(task, []).append(member)
        active_count = sum(each.task_count for each in sources)
        standby_count = standby_replicas * sum(each.task_count for each in sources if each.is_stateful)
        self._active_quota = _Quota(active_count, len(members))
        self._quota = _Quota(active_count + standby_count, len(members))

    def made(self) -> dict[str, Tasks]:
        self._assign_active()
        if self._replicas:
            self._assign_standby()
        return {each.member_id: Tasks(frozenset(each.active), frozenset(each.standby)) for each in self._members}

    # Active ----------------------------------------------------------------------------------------------------------

    def _assign_active(self) -> None:
        tasks = [task for source in self._sources for task in source.tasks()]
        tasks.sort(key=_by_partition)  # who keeps tasks keeps some of every sub-topology
        tasks = [task for task in tasks if not self._stays(task, self._was_active.get(task))]
        tasks = [task for task in tasks if not self._stays(task, self._least_loaded(self._was_standby.get(task, ())))]
        heap = self._by_load()
        for task in sorted(tasks):
            _, _, process = heapq.heappop(heap)
            self._make_active(task, process.least_loaded_member())
            heapq.heappush(heap, (process.load, process.order, process))

    def _stays(self, task: TaskId, member: _Member | None) -> bool:
        if member is None or member.task_count >= self._active_quota.share:
            return False
        self._make_active(task, member)
        return True

    def _make_active(self, task: TaskId, member: _Member) -> None:
        member.active.add(task)
        member.process.tasks.add(task)
        self._active_quota.taken(member.task_count)
        self._quota.taken(member.task_count)

    # Standby ---------------------------------------------------------------------------------------------------------

    def _assign_standby(self) -> None:
        tasks = [task for source in self._sources if source.is_stateful for task in source.tasks()]
        open_replicas: dict[TaskId, int] = {}
        for task in sorted(tasks, key=_by_partition, reverse=True):
            for replica in range(self._replicas):
                if not self._stays_near(task):
                    open_replicas[task] = self._replicas - replica
                    break
        heap = self._by_load()
        for task in sorted(open_replicas, reverse=True):
            for _ in range(open_replicas[task]):
                if not self._place(task, heap):
                    break  # every process has something of the task

    def _stays_near(self, task: TaskId) -> bool:
        """Make a standby task where its state is, if there is room."""
        before = (self._was_active.get(task), self._least_loaded(self._was_standby.get(task, ()), task))
        for member in before:
            if member is not None and task not in member.process.tasks and member.task_count < self._quota.share:
                self._make_standby(task, member)
                return True
        return False

    def _place(self, task: TaskId, heap: list[tuple[float, int, _Process]]) -> bool:
        passed = []
        found = False
        while heap and not found:
            entry = heapq.heappop(heap)
            process = entry[2]
            if task in process.tasks:
                passed.append(entry)
                continue
            self._make_standby(task, process.least_loaded_member())
            passed.append((process.load, process.order, process))
            found = True
        for entry in passed:
            heapq.heappush(heap, entry)
        return found

    def _make_standby(self, task: TaskId, member: _Member) -> None:
        member.standby.add(task)
        member.process.tasks.add(task)
        self._quota.taken(member.task_count)

    # Load ------------------------------------------------------------------------------------------------------------

    def _by_load(self) -> list[tuple[float, int, _Process]]:
        heap = [(process.load, process.order, process) for process in self._processes.values()]
        heapq.heapify(heap)
        return heap

    @staticmethod
    def _least_loaded(members: Sequence[_Member], without: TaskId | None = None) -> _Member | None:
        """Of members, one of the least loaded process that has nothing of a task."""
        able = [member for member in members if without is None or without not in member.process.tasks]
        return min(able, key=lambda member: (member.process.load, member.task_count), default=None)


def _by_partition(task: TaskId) -> tuple[int, str]:
    return task.partition, task.subtopology_id
