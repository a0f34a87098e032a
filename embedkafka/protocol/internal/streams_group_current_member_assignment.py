"""StreamsGroupCurrentMemberAssignmentKey (record type 22) and its value: the tasks that a member has, and its epoch.

The assignment epochs, one per partition of an active task, say since when the member has it: a commit of an older
epoch is a zombie's.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT8, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupCurrentMemberAssignmentKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class TaskIds:
    """``assignment_epochs`` is None for standby and warm-up tasks, which commit nothing."""

    subtopology_id: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))
    assignment_epochs: list[int] | None = wire(array(INT32), default=None, nullable="0+", tag=0, tagged="0+")


@dataclass(slots=True)
class StreamsGroupCurrentMemberAssignmentValue:
    member_epoch: int = wire(INT32)
    previous_member_epoch: int = wire(INT32)
    state: int = wire(INT8)
    active_tasks: list[TaskIds] = wire(array(TaskIds))
    standby_tasks: list[TaskIds] = wire(array(TaskIds))
    warmup_tasks: list[TaskIds] = wire(array(TaskIds))
    active_tasks_pending_revocation: list[TaskIds] = wire(array(TaskIds))
    standby_tasks_pending_revocation: list[TaskIds] = wire(array(TaskIds))
    warmup_tasks_pending_revocation: list[TaskIds] = wire(array(TaskIds))


KEY = Schema(StreamsGroupCurrentMemberAssignmentKey, versions="0")
VALUE = Schema(StreamsGroupCurrentMemberAssignmentValue, versions="0", flexible="0+")
