"""The target assignment: which partitions each member shall come to own, computed by a server-side assignor."""

from __future__ import annotations

from collections import Counter

from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.consumer.assignors import ASSIGNORS, Subscriber
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.serialized import target_epoch_record, target_record
from embedkafka.coordinator.consumer.subscription import subscribed_ids, update_epoch
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.decision import AssignmentDue, Decision
from embedkafka.coordinator.moment import Moment


def assignor_of(group: ConsumerGroup, config: GroupConfig) -> str:
    """The assignor most members ask for; the broker's first where none does."""
    wishes = Counter(member.server_assignor for member in group.members.values() if member.server_assignor)
    return wishes.most_common(1)[0][0] if wishes else config.consumer_assignors[0]


def update_target(turn: Turn) -> None:
    """Compute a new target assignment if the group's epoch is ahead of it, at most one per interval (KIP-1263)."""
    if turn.group.epoch > turn.group.assignment_epoch and not wait_for_assignment(turn):
        compute_target(turn)


def wait_for_assignment(turn: Turn) -> bool:
    """Whether the next assignment has to wait; a timer then sees to it that it comes without another heartbeat."""
    return turn.wait_for_assignment(turn.settings.consumer_assignment_interval_ms)


def compute_target(turn: Turn) -> None:
    """Compute the target assignment of the group's epoch, and write what changes."""
    group, moment = turn.group, turn.moment
    subscribers = [
        Subscriber(
            member.member_id,
            member.instance_id,
            subscribed_ids(group, member, moment.topics),
            group.target_of(member.member_id),
        )
        for _, member in sorted(group.members.items())  # so that nothing hangs on the order in which they came
    ]
    counts = {topic.topic_id: topic.partition_count for topic in moment.topics.existing(group.subscribed_topics())}
    targets = ASSIGNORS[assignor_of(group, moment.config)](subscribers, counts)
    turn.write_target(targets, target_record, target_epoch_record)


def assign_now(command: AssignmentDue, group: ConsumerGroup, moment: Moment) -> Decision:
    """The interval is over."""
    turn = Turn(group, moment)
    if group.epoch > group.assignment_epoch and group.members:
        update_epoch(turn, must_grow=False)
        compute_target(turn)
    return turn.decide()
