"""A topology held against the topics there are: partitions of internal topics, what is missing or wrong, tasks.

In this order: source topics have to be there; repartition topics get as many partitions as they ask for, or as their
writers read; topics of a copartition group are made, or found, alike; a changelog has a partition per task.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from embedkafka.coordinator.streams.topology import Subtopology, TopicInfo, Topology
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import StreamsInvalidTopologyError

_SHOWN = 3  # names in a message


class StatusCode(IntEnum):
    """What a member is told of its group beside its tasks; the numbers in replies."""

    STALE_TOPOLOGY = 0
    MISSING_SOURCE_TOPICS = 1
    INCORRECTLY_PARTITIONED_TOPICS = 2
    MISSING_INTERNAL_TOPICS = 3
    SHUTDOWN_APPLICATION = 4
    ASSIGNMENT_DELAYED = 5


class Status(NamedTuple):
    code: int
    detail: str


class ConfiguredSubtopology(NamedTuple):
    """A sub-topology whose internal topics have their partitions; it has a task for each partition it reads."""

    task_count: int
    subtopology: Subtopology
    repartition_sources: tuple[TopicInfo, ...]
    changelogs: tuple[TopicInfo, ...]

    @property
    def is_stateful(self) -> bool:
        return bool(self.changelogs)


class ConfiguredTopology(NamedTuple):
    """``subtopologies`` are by id, in its order; none where topics are missing or wrong, which ``problem`` tells.

    With ``missing`` internal topics, which have to be created, there are both.
    """

    epoch: int
    subtopologies: Mapping[str, ConfiguredSubtopology]
    missing: tuple[TopicInfo, ...] = ()
    problem: Status | None = None

    @property
    def is_ready(self) -> bool:
        return self.problem is None


class _Problem(Exception):
    def __init__(self, code: StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.status = Status(code, detail)


def configure(topology: Topology, topics: Topics) -> ConfiguredTopology:
    """Hold a topology against the topics there are.

    Raises:
        StreamsInvalidTopologyError: no topics could make it work.
    """
    try:
        _check_sources(topology, topics)
        counts = _PartitionCounts(topology, topics)
        subtopologies = {each.subtopology_id: _configured(each, counts) for each in sorted(topology.subtopologies)}
        missing = _missing(subtopologies.values(), topics)
    except _Problem as problem:
        return ConfiguredTopology(topology.epoch, {}, problem=problem.status)
    if not missing:
        return ConfiguredTopology(topology.epoch, subtopologies)
    detail = f"internal topics are missing: {_some(topic.name for topic in missing)}"
    return ConfiguredTopology(
        topology.epoch, subtopologies, missing, Status(StatusCode.MISSING_INTERNAL_TOPICS, detail)
    )


def check_topology(topology: Topology) -> None:
    """Refuse what is no topology, whatever topics there are.

    Raises:
        StreamsInvalidTopologyError: two sub-topologies with one id, a copartition group of topics that are not in the
            lists, or a changelog whose partitions are not left to the coordinator.
    """
    ids = [each.subtopology_id for each in topology.subtopologies]
    if len(set(ids)) < len(ids):
        raise StreamsInvalidTopologyError(f"sub-topologies have the same id: {_some(sorted(ids))}")
    for each in topology.subtopologies:
        for changelog in each.state_changelog_topics:
            if changelog.partitions:
                raise StreamsInvalidTopologyError(
                    f"changelog topic {changelog.name} asks for {changelog.partitions} partitions, "
                    "it has as many as its sub-topology has tasks"
                )
        for group in each.copartition_groups:
            if not _in_range(group.source_topics, each.source_topics) or not _in_range(
                group.repartition_source_topics, each.repartition_source_topics
            ):
                raise StreamsInvalidTopologyError(
                    f"a copartition group of sub-topology {each.subtopology_id} names topics that it does not read"
                )


def _in_range(indexes: Iterable[int], listed: Collection[object]) -> bool:
    return all(0 <= index < len(listed) for index in indexes)


def _check_sources(topology: Topology, topics: Topics) -> None:
    missing = {name for each in topology.subtopologies for name in each.source_topics if topics.named(name) is None}
    if missing:
        raise _Problem(StatusCode.MISSING_SOURCE_TOPICS, f"source topics are missing: {_some(sorted(missing))}")


class _PartitionCounts:
    """How many partitions each topic has, or has to have.  An existing topic has what it has."""

    def __init__(self, topology: Topology, topics: Topics) -> None:
        self._subtopologies = topology.subtopologies
        self._topics = topics
        self._decided: dict[str, int] = {}
        self._decide_repartition_topics()
        self._enforce_copartitioning()
        for each in self._subtopologies:
            for topic in each.state_changelog_topics:
                self._decided[topic.name] = self.task_count(each)

    def of(self, topic: TopicInfo) -> int:
        """What an internal topic has to have."""
        return topic.partitions or self._decided[topic.name]

    def task_count(self, subtopology: Subtopology) -> int:
        count = max((self._count(name) or 0 for name in subtopology.all_sources()), default=0)
        if count == 0:
            raise StreamsInvalidTopologyError(f"sub-topology {subtopology.subtopology_id} reads no topic")
        return count

    def _count(self, name: str) -> int | None:
        topic = self._topics.named(name)
        return self._decided.get(name) if topic is None else topic.partition_count

    def _decide_repartition_topics(self) -> None:
        """A topic without a number of its own gets that of what its writers read, which may be decided on the way."""
        decided = self._decided
        sources = [topic for each in self._subtopologies for topic in each.repartition_source_topics]
        decided.update({topic.name: topic.partitions for topic in sources if topic.partitions})
        open_sinks = [
            (name, each) for each in self._subtopologies for name in each.repartition_sink_topics if name not in decided
        ]
        while open_sinks:
            still_open = []
            for name, each in open_sinks:
                count = self._count_read(each)
                if name in decided:
                    continue
                if count is None:
                    still_open.append((name, each))
                else:
                    decided[name] = count
            if len(still_open) == len(open_sinks):
                raise StreamsInvalidTopologyError(
                    f"repartition topics depend on each other: {_some(name for name, _ in still_open)}"
                )
            open_sinks = still_open
        unwritten = [topic.name for topic in sources if topic.name not in decided]
        if unwritten:
            raise StreamsInvalidTopologyError(f"nobody writes to repartition topics: {_some(unwritten)}")

    def _count_read(self, subtopology: Subtopology) -> int | None:
        """The most partitions of what a sub-topology reads, as far as that is known."""
        counts = [self._decided.get(topic.name) for topic in subtopology.repartition_source_topics]
        counts += [self._count(name) for name in subtopology.source_topics]
        return max((count for count in counts if count is not None), default=None)

    def _enforce_copartitioning(self) -> None:
        sources = [topic for each in self._subtopologies for topic in each.repartition_source_topics]
        fixed = {topic.name for topic in sources if topic.partitions}
        internal = {topic.name for topic in sources}
        for each in self._subtopologies:
            for group in each.copartition_groups:
                names = {each.source_topics[index] for index in group.source_topics}
                names |= {each.repartition_source_topics[index].name for index in group.repartition_source_topics}
                if names:
                    self._make_alike(names, internal, fixed)

    def _make_alike(self, names: set[str], internal: set[str], fixed: set[str]) -> None:
        counts = {name: self._count(name) or 0 for name in sorted(names)}
        given = {name: count for name, count in counts.items() if name not in internal}
        given = given or {name: count for name, count in counts.items() if name in fixed}
        if len(set(given.values())) > 1:
            raise _unequal(given)
        wanted = next(iter(given.values())) if given else max(counts.values())
        wrong = {name: count for name, count in counts.items() if name in fixed and count != wanted}
        if wrong:
            raise _unequal({**given, **wrong})
        self._decided.update(dict.fromkeys(names & internal, wanted))


def _unequal(counts: Mapping[str, int]) -> _Problem:
    found = ", ".join(f"{name} has {count}" for name, count in counts.items())
    detail = f"topics that are read together must have equally many partitions: {found}"
    return _Problem(StatusCode.INCORRECTLY_PARTITIONED_TOPICS, detail)


def _configured(subtopology: Subtopology, counts: _PartitionCounts) -> ConfiguredSubtopology:
    return ConfiguredSubtopology(
        counts.task_count(subtopology),
        subtopology,
        tuple(topic._replace(partitions=counts.of(topic)) for topic in subtopology.repartition_source_topics),
        tuple(topic._replace(partitions=counts.of(topic)) for topic in subtopology.state_changelog_topics),
    )


def _missing(subtopologies: Iterable[ConfiguredSubtopology], topics: Topics) -> tuple[TopicInfo, ...]:
    wanted = {topic.name: topic for each in subtopologies for topic in (*each.repartition_sources, *each.changelogs)}
    missing = []
    for name in sorted(wanted):
        found = topics.named(name)
        if found is None:
            missing.append(wanted[name])
        elif found.partition_count != wanted[name].partitions:
            raise _Problem(
                StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
                f"topic {name} has {found.partition_count} partitions, it has to have {wanted[name].partitions}",
            )
    return tuple(missing)


def _some(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more
