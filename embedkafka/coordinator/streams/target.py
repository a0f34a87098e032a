"""The target assignment: which tasks each member shall come to have."""

from __future__ import annotations

from embedkafka.coordinator.decision import AssignmentDue, Decision
from embedkafka.coordinator.streams.assignor import TaskMember, TaskSource, assign
from embedkafka.coordinator.streams.commands import StreamsDelayOver
from embedkafka.coordinator.streams.configured import ConfiguredTopology, Status, StatusCode
from embedkafka.coordinator.streams.serialized import target_epoch_record, target_record
from embedkafka.coordinator.streams.tasks import NO_TASKS
from embedkafka.coordinator.streams.turn import StreamsTurn


def update_target(turn: StreamsTurn, configured: ConfiguredTopology) -> list[Status]:
    """Compute a new target assignment if the group's epoch is ahead of it; what keeps it from that is told."""
    if turn.soft.is_delayed:
        return [Status(StatusCode.ASSIGNMENT_DELAYED, "a new group waits for more members before it assigns tasks")]
    if turn.group.epoch <= turn.group.assignment_epoch:
        return []
    if wait_for_assignment(turn):
        return [Status(StatusCode.ASSIGNMENT_DELAYED, "the interval between two assignments is not over")]
    compute_target(turn, configured)
    return []


def wait_for_assignment(turn: StreamsTurn) -> bool:
    """Whether the next assignment has to wait (KIP-1263); a timer then sees to it that it comes by itself."""
    return turn.wait_for_assignment(turn.settings.streams_assignment_interval_ms)


def compute_target(turn: StreamsTurn, configured: ConfiguredTopology) -> None:
    """Compute the target assignment of the group's epoch, and write what changes; without its topics, nothing."""
    group = turn.group
    members = [
        TaskMember(member.member_id, member.process_id, group.target_of(member.member_id))
        for _, member in sorted(group.members.items())  # so that nothing hangs on the order in which they came
    ]
    if configured.is_ready:
        sources = [
            TaskSource(subtopology_id, each.task_count, each.is_stateful)
            for subtopology_id, each in configured.subtopologies.items()
        ]
        targets = assign(members, sources, turn.settings.streams_num_standby_replicas)
    else:
        targets = {member.member_id: NO_TASKS for member in members}
    turn.write_target(targets, target_record, target_epoch_record)


def assign_now(command: AssignmentDue, turn: StreamsTurn) -> Decision:
    """The interval is over."""
    return _assign(turn)


def end_initial_delay(command: StreamsDelayOver, turn: StreamsTurn) -> Decision:
    """A new group has waited long enough."""
    turn.soft = turn.soft._replace(is_delayed=False)
    return _assign(turn)


def _assign(turn: StreamsTurn) -> Decision:
    group = turn.group
    configured = group.configured(turn.moment.topics)
    if group.members and group.epoch > group.assignment_epoch and configured is not None and not turn.soft.is_delayed:
        compute_target(turn, configured)
    return turn.decide()
