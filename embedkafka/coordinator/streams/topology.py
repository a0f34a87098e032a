"""The topology of a Kafka Streams application, as its members send it: what is read, and the topics in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class TopicInfo(NamedTuple):
    """An internal topic; 0 partitions are for the coordinator to decide, a replication factor of 0 for the broker."""

    name: str
    partitions: int = 0
    replication_factor: int = 0
    configs: tuple[tuple[str, str], ...] = ()


class CopartitionGroup(NamedTuple):
    """Topics that must have equally many partitions, by index in the lists of their sub-topology."""

    source_topics: tuple[int, ...] = ()
    source_topic_regex: tuple[int, ...] = ()
    repartition_source_topics: tuple[int, ...] = ()


class Subtopology(NamedTuple):
    """A part of a topology whose tasks have nothing to do with the other parts' but through topics."""

    subtopology_id: str
    source_topics: tuple[str, ...] = ()
    source_topic_regex: tuple[str, ...] = ()
    state_changelog_topics: tuple[TopicInfo, ...] = ()
    repartition_sink_topics: tuple[str, ...] = ()
    repartition_source_topics: tuple[TopicInfo, ...] = ()
    copartition_groups: tuple[CopartitionGroup, ...] = ()

    def all_sources(self) -> Iterator[str]:
        """The topics that its tasks read."""
        yield from self.source_topics
        for topic in self.repartition_source_topics:
            yield topic.name


class Topology(NamedTuple):
    """``epoch`` grows with every version of an application."""

    epoch: int
    subtopologies: tuple[Subtopology, ...] = ()

    def same_as(self, other: Topology) -> bool:
        """Whether the two differ in the order of their sub-topologies at most."""
        return self.epoch == other.epoch and sorted(self.subtopologies) == sorted(other.subtopologies)

    def required_topics(self) -> frozenset[str]:
        """The topics that have to be there before a task can run."""
        return frozenset(
            name
            for each in self.subtopologies
            for name in (*each.all_sources(), *(topic.name for topic in each.state_changelog_topics))
        )

    def named_topics(self) -> list[str]:
        """Every topic that the topology names, once each."""
        return list(dict.fromkeys(name for each in self.subtopologies for name in _named(each)))

    def subtopology_by_source(self) -> Mapping[str, str]:
        """Which sub-topology reads a topic."""
        return {name: each.subtopology_id for each in self.subtopologies for name in each.all_sources()}


def _named(subtopology: Subtopology) -> Iterable[str]:
    yield from subtopology.source_topics
    yield from subtopology.repartition_sink_topics
    for topic in (*subtopology.repartition_source_topics, *subtopology.state_changelog_topics):
        yield topic.name
