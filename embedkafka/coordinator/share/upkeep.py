"""States on their way to and from the share coordinator: what is to be done, and what has been."""

from __future__ import annotations

from embedkafka.coordinator.decision import Decision, TopicsDeleted
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListedStates,
    ListStates,
    OpenStates,
    StatesDeleted,
    StatesInitialized,
    StatesNotInitialized,
    StatesUnderWay,
)
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.serialized import states_record
from embedkafka.coordinator.share.states import PartitionState, ShareStates, each_partition
from embedkafka.coordinator.share.turn import ShareTurn
from embedkafka.errors import NonEmptyGroupError


def open_states(command: OpenStates, group: ShareGroup, moment: Moment) -> Decision:
    """Which states wait for the share coordinator; a new offset for one that is there is its operator's affair."""
    states = group.states
    return Decision(
        reply=StatesUnderWay(
            group.epoch,
            tuple(
                each for each in each_partition(states.initializing) if states.of(each) is PartitionState.INITIALIZING
            ),
            states.partitions_to_delete(moment.topics),
            tuple(states.deleting),
        )
    )


def list_states(command: ListStates, group: ShareGroup, moment: Moment) -> Decision:
    """The partitions, of topics that exist, that have a state."""
    initialized = group.states.initialized
    names = {each: initialized[each.topic_id].name for each in each_partition(initialized)}
    return Decision(
        reply=ListedStates({each: name for each, name in names.items() if moment.topics.with_id(each.topic_id)})
    )


def states_initialized(command: StatesInitialized, group: ShareGroup, moment: Moment) -> Decision:
    return _now(group, group.states.with_initialized(command.partitions), moment)


def states_not_initialized(command: StatesNotInitialized, group: ShareGroup, moment: Moment) -> Decision:
    return _now(group, group.states.not_initialized(command.partitions), moment)


def states_deleted(command: StatesDeleted, group: ShareGroup, moment: Moment) -> Decision:
    return _now(group, group.states.without_deleting(command.topic_ids), moment)


def delete_states(command: DeleteStates, group: ShareGroup, moment: Moment) -> Decision:
    """Want all states deleted; the reply is an error code."""
    if group.members:
        return Decision(reply=NonEmptyGroupError.errno)
    return _now(group, group.states.deleting_topics(group.states.topic_ids()), moment, reply=0)


def topics_deleted(command: TopicsDeleted, group: ShareGroup, moment: Moment) -> Decision:
    """The topics are gone, and the share coordinator has heard of it."""
    gone = {topic_id for topic_id in group.states.topic_ids() if moment.topics.with_id(topic_id) is None}
    return _now(group, group.states.without_topics(gone), moment)


def _now(group: ShareGroup, states: ShareStates, moment: Moment, *, reply: object = None) -> Decision:
    turn = ShareTurn(group, moment)
    if states != group.states:
        turn.write(states_record(group.group_id, states))
    return turn.decide(reply)
