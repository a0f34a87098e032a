"""StreamsGroupTargetAssignmentMemberKey (record type 21) and its value: the tasks that a member shall come to have."""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupTargetAssignmentMemberKey:
    group_id: str = wire(STRING)
    member_id: str = wire(STRING)


@dataclass(slots=True)
class TargetTaskIds:
    subtopology_id: str = wire(STRING)
    partitions: list[int] = wire(array(INT32))


@dataclass(slots=True)
class StreamsGroupTargetAssignmentMemberValue:
    active_tasks: list[TargetTaskIds] = wire(array(TargetTaskIds))
    standby_tasks: list[TargetTaskIds] = wire(array(TargetTaskIds))
    warmup_tasks: list[TargetTaskIds] = wire(array(TargetTaskIds))


KEY = Schema(StreamsGroupTargetAssignmentMemberKey, versions="0")
VALUE = Schema(StreamsGroupTargetAssignmentMemberValue, versions="0", flexible="0+")
