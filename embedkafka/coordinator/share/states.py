"""Of which partitions a share group has a state with the share coordinator, and of which it is getting or losing one.

::

                      the group reads it                 told so by the share coordinator
    (no state) ------------------------> initializing ------------------------------------> initialized
        ^   ^                                 |                                                  |
        |   +--- could not be initialized ----+                offsets or group to be deleted    |
        |                                                                                        v
        +------------------------- deleted by the share coordinator ------------------------ deleting

A topic that is deleted leaves without a stop: the share coordinator hears of that itself.  Deleting goes by topic.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.topics import Topics
from embedkafka.model import TopicIdPartition

_NONE: frozenset[int] = frozenset()


class PartitionState(Enum):
    """How a group stands to a partition; one that is set to another offset stays initialized meanwhile."""

    NONE = "none"
    INITIALIZING = "initializing"
    INITIALIZED = "initialized"
    DELETING = "deleting"


ENTERED_FROM: Mapping[PartitionState, frozenset[PartitionState]] = {
    PartitionState.NONE: frozenset(PartitionState) - {PartitionState.NONE},
    PartitionState.INITIALIZING: frozenset({PartitionState.NONE, PartitionState.DELETING}),
    PartitionState.INITIALIZED: frozenset({PartitionState.INITIALIZING}),
    PartitionState.DELETING: frozenset({PartitionState.INITIALIZING, PartitionState.INITIALIZED}),
}
"""For each state those it follows."""


class TopicState(NamedTuple):
    """Partitions of one topic; the name is what the log shows, the id is what counts."""

    name: str
    partitions: frozenset[int]


TopicStates = Mapping[UUID, TopicState]


class ShareStates(NamedTuple):
    """Changes make a new value.  A partition is both initializing and initialized while its offset is set anew."""

    initializing: TopicStates
    initialized: TopicStates
    deleting: Mapping[UUID, str]

    def __bool__(self) -> bool:
        return bool(self.initializing or self.initialized or self.deleting)

    def of(self, partition: TopicIdPartition) -> PartitionState:
        """How the group stands to one partition."""
        topic_id, number = partition
        for states, state in (
            (self.initialized, PartitionState.INITIALIZED),
            (self.initializing, PartitionState.INITIALIZING),
        ):
            if topic_id in states and number in states[topic_id].partitions:
                return state
        return PartitionState.DELETING if topic_id in self.deleting else PartitionState.NONE

    def missing(self, names: Iterable[str], topics: Topics) -> TopicStates:
        """The partitions of existing topics that have no state, and for which none was asked yet."""
        found = {}
        for topic in topics.existing(sorted(names)):
            known = _partitions(self.initialized, topic.topic_id)
            if len(known) < topic.partition_count:  # partitions do not go
                known |= _partitions(self.initializing, topic.topic_id)
                partitions = frozenset(range(topic.partition_count)) - known
                if partitions:
                    found[topic.topic_id] = TopicState(topic.name, partitions)
        return found

    def asked_for(self, wanted: TopicStates) -> ShareStates:
        """``wanted`` are on their way; who comes again is not deleted."""
        deleting = {topic_id: name for topic_id, name in self.deleting.items() if topic_id not in wanted}
        return self._replace(initializing=_merged(self.initializing, wanted), deleting=deleting)

    def with_initialized(self, partitions: Collection[TopicIdPartition]) -> ShareStates:
        """Those of them that were initializing are initialized."""
        done = _only(self.initializing, partitions)
        return self._replace(
            initializing=_without(self.initializing, partitions), initialized=_merged(self.initialized, done)
        )

    def not_initialized(self, partitions: Collection[TopicIdPartition]) -> ShareStates:
        """They could not be: the next heartbeat asks for them again."""
        return self._replace(initializing=_without(self.initializing, partitions))

    def deleting_topics(self, topic_ids: Collection[UUID]) -> ShareStates:
        """The states of these topics are to go."""
        known = _merged(self.initializing, self.initialized)
        names = {topic_id: known[topic_id].name for topic_id in topic_ids if topic_id in known}
        return ShareStates(
            _without_topics(self.initializing, names),
            _without_topics(self.initialized, names),
            {**self.deleting, **names},
        )

    def without_deleting(self, topic_ids: Collection[UUID]) -> ShareStates:
        """The states of these topics are gone."""
        deleting = {topic_id: name for topic_id, name in self.deleting.items() if topic_id not in topic_ids}
        return self._replace(deleting=deleting)

    def without_topics(self, topic_ids: Collection[UUID]) -> ShareStates:
        """These topics are gone."""
        return ShareStates(
            _without_topics(self.initializing, topic_ids),
            _without_topics(self.initialized, topic_ids),
            self.without_deleting(topic_ids).deleting,
        )

    def topic_ids(self) -> set[UUID]:
        return {*self.initializing, *self.initialized, *self.deleting}

    def partitions_to_delete(self, topics: Topics) -> list[TopicIdPartition]:
        """Every partition of the topics in ``deleting`` that exist: which of them had a state is not kept."""
        found = (topics.with_id(topic_id) for topic_id in self.deleting)
        return [
            TopicIdPartition(topic.topic_id, partition)
            for topic in found
            if topic is not None
            for partition in range(topic.partition_count)
        ]


NO_STATES = ShareStates({}, {}, {})


def each_partition(states: TopicStates) -> Iterator[TopicIdPartition]:
    for topic_id, state in states.items():
        for partition in sorted(state.partitions):
            yield TopicIdPartition(topic_id, partition)


def _partitions(states: TopicStates, topic_id: UUID) -> frozenset[int]:
    state = states.get(topic_id)
    return _NONE if state is None else state.partitions


def _merged(one: TopicStates, other: TopicStates) -> TopicStates:
    result = dict(one)
    for topic_id, state in other.items():
        old = result.get(topic_id)
        result[topic_id] = TopicState(state.name, state.partitions | (old.partitions if old else _NONE))
    return result


def _only(states: TopicStates, partitions: Collection[TopicIdPartition]) -> TopicStates:
    kept = {
        topic_id: TopicState(
            state.name, frozenset(each for each in state.partitions if TopicIdPartition(topic_id, each) in partitions)
        )
        for topic_id, state in states.items()
    }
    return {topic_id: state for topic_id, state in kept.items() if state.partitions}


def _without(states: TopicStates, partitions: Collection[TopicIdPartition]) -> TopicStates:
    gone = _only(states, partitions)
    kept = {
        topic_id: TopicState(state.name, state.partitions - (gone[topic_id].partitions if topic_id in gone else _NONE))
        for topic_id, state in states.items()
    }
    return {topic_id: state for topic_id, state in kept.items() if state.partitions}


def _without_topics(states: TopicStates, topic_ids: Collection[UUID]) -> TopicStates:
    return {topic_id: state for topic_id, state in states.items() if topic_id not in topic_ids}
