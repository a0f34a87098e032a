"""The target assignment: which partitions each member shall come to read."""

from __future__ import annotations

from embedkafka.coordinator.decision import AssignmentDue, Decision
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.assignor import Sharer, assign
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.serialized import target_epoch_record, target_record
from embedkafka.coordinator.share.turn import ShareTurn


def update_target(turn: ShareTurn) -> None:
    """Compute a new target assignment if the group's epoch is ahead of it, at most one per interval (KIP-1263)."""
    if turn.group.epoch > turn.group.assignment_epoch and not wait_for_assignment(turn):
        compute_target(turn)


def wait_for_assignment(turn: ShareTurn) -> bool:
    """Whether the next assignment has to wait; a timer then sees to it that it comes without another heartbeat."""
    return turn.wait_for_assignment(turn.settings.share_assignment_interval_ms)


def compute_target(turn: ShareTurn) -> None:
    """Compute the target assignment of the group's epoch, and write what changes."""
    group, topics = turn.group, turn.moment.topics
    sharers = [
        Sharer(
            member.member_id,
            frozenset(topic.topic_id for topic in topics.existing(member.subscribed_topics)),
            group.target_of(member.member_id),
        )
        for _, member in sorted(group.members.items())  # so that nothing hangs on the order in which they came
    ]
    assignable = {topic_id: state.partitions for topic_id, state in group.states.initialized.items()}
    targets = assign(sharers, assignable)
    turn.write_target(targets, target_record, target_epoch_record)


def assign_now(command: AssignmentDue, group: ShareGroup, moment: Moment) -> Decision:
    """The interval is over."""
    turn = ShareTurn(group, moment)
    if group.epoch > group.assignment_epoch and group.members:
        compute_target(turn)
    return turn.decide()
