"""A topology held against topics: partitions of internal topics, what is missing, what is wrong."""

from __future__ import annotations

from uuid import UUID

import pytest

from embedkafka.coordinator.streams.configured import StatusCode, check_topology, configure
from embedkafka.coordinator.streams.topology import CopartitionGroup, Subtopology, TopicInfo, Topology
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.errors import StreamsInvalidTopologyError


def topics(**partition_counts: int) -> Topics:
    return Topics(Topic(name, UUID(int=number), count) for number, (name, count) in enumerate(partition_counts.items()))


def topology(*subtopologies: Subtopology) -> Topology:
    return Topology(0, subtopologies)


def reads(subtopology_id: str, *sources: str, **more: object) -> Subtopology:
    return Subtopology(subtopology_id, sources, **more)  # type: ignore[arg-type] # each field has its own type


def through(name: str, partitions: int = 0) -> tuple[TopicInfo, ...]:
    return (TopicInfo(name, partitions),)


def problem(found: object, known: Topics) -> StatusCode | None:
    assert isinstance(found, Topology)
    status = configure(found, known).problem
    return None if status is None else StatusCode(status.code)


def test_a_subtopology_has_a_task_per_partition_of_its_largest_source() -> None:
    configured = configure(topology(reads("0", "a", "b")), topics(a=3, b=5))
    assert configured.is_ready
    assert configured.subtopologies["0"].task_count == 5


def test_a_changelog_has_a_partition_per_task() -> None:
    configured = configure(topology(reads("0", "a", state_changelog_topics=through("log"))), topics(a=3))
    assert configured.missing == (TopicInfo("log", 3),)
    assert configured.problem is not None
    assert configured.problem.code == StatusCode.MISSING_INTERNAL_TOPICS


def test_a_repartition_topic_has_as_many_partitions_as_its_writer_reads_even_through_others() -> None:
    chain = topology(
        reads("2", repartition_source_topics=through("second")),
        reads("1", repartition_source_topics=through("first"), repartition_sink_topics=("second",)),
        reads("0", "a", repartition_sink_topics=("first",)),
    )
    configured = configure(chain, topics(a=6))
    assert configured.missing == (TopicInfo("first", 6), TopicInfo("second", 6))
    assert [each.task_count for each in configured.subtopologies.values()] == [6, 6, 6]


def test_a_repartition_topic_may_ask_for_its_own_number() -> None:
    plan = topology(
        reads("0", "a", repartition_sink_topics=("between",)),
        reads("1", repartition_source_topics=through("between", 2), state_changelog_topics=through("log")),
    )
    configured = configure(plan, topics(a=6))
    assert configured.missing == (TopicInfo("between", 2), TopicInfo("log", 2))


def test_a_repartition_topic_becomes_like_the_source_it_is_joined_with() -> None:
    plan = topology(
        reads("0", "a", repartition_sink_topics=("between",)),
        reads(
            "1",
            "b",
            repartition_source_topics=through("between"),
            copartition_groups=(CopartitionGroup((0,), (), (0,)),),
        ),
    )
    assert configure(plan, topics(a=6, b=4)).missing == (TopicInfo("between", 4),)


def test_repartition_topics_that_are_joined_get_the_larger_number() -> None:
    plan = topology(
        reads("0", "a", repartition_sink_topics=("one",)),
        reads("1", "b", repartition_sink_topics=("other",)),
        reads(
            "2",
            repartition_source_topics=(*through("one"), *through("other")),
            copartition_groups=(CopartitionGroup((), (), (0, 1)),),
        ),
    )
    assert configure(plan, topics(a=6, b=4)).missing == (TopicInfo("one", 6), TopicInfo("other", 6))


def test_topics_that_exist_are_not_missing() -> None:
    plan = topology(reads("0", "a", state_changelog_topics=through("log")))
    assert configure(plan, topics(a=3, log=3)).is_ready


@pytest.mark.parametrize(
    ("plan", "known", "code"),
    [
        (topology(reads("0", "a", "b")), topics(a=1), StatusCode.MISSING_SOURCE_TOPICS),
        (
            topology(reads("0", "a", "b", copartition_groups=(CopartitionGroup((0, 1)),))),
            topics(a=1, b=2),
            StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
        ),
        (
            topology(reads("0", "a", state_changelog_topics=through("log"))),
            topics(a=3, log=2),
            StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
        ),
        (
            topology(
                reads("0", "a", repartition_sink_topics=("between",)),
                reads(
                    "1",
                    "b",
                    repartition_source_topics=through("between", 3),
                    copartition_groups=(CopartitionGroup((0,), (), (0,)),),
                ),
            ),
            topics(a=1, b=2),
            StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
        ),
        (topology(reads("0", "a")), topics(a=1), None),
    ],
)
def test_what_is_wrong_with_the_topics_is_told(plan: Topology, known: Topics, code: StatusCode | None) -> None:
    assert problem(plan, known) == code


@pytest.mark.parametrize(
    "plan",
    [
        topology(reads("0")),
        topology(reads("0", repartition_source_topics=through("unwritten"))),
        topology(
            reads("0", repartition_source_topics=through("a"), repartition_sink_topics=("b",)),
            reads("1", repartition_source_topics=through("b"), repartition_sink_topics=("a",)),
        ),
    ],
    ids=["reads nothing", "nobody writes", "a circle"],
)
def test_what_no_topics_can_make_work_is_refused(plan: Topology) -> None:
    with pytest.raises(StreamsInvalidTopologyError):
        configure(plan, topics(t=1))


@pytest.mark.parametrize(
    "plan",
    [
        topology(reads("0", "a"), reads("0", "b")),
        topology(reads("0", "a", state_changelog_topics=through("log", 3))),
        topology(reads("0", "a", copartition_groups=(CopartitionGroup((1,)),))),
        topology(reads("0", "a", copartition_groups=(CopartitionGroup((), (), (0,)),))),
        topology(reads("0", "a", copartition_groups=(CopartitionGroup((-1,)),))),
    ],
    ids=["same id", "changelog with partitions", "no such source", "no such repartition topic", "negative"],
)
def test_what_is_no_topology_is_refused(plan: Topology) -> None:
    with pytest.raises(StreamsInvalidTopologyError):
        check_topology(plan)


def test_many_missing_topics_are_not_all_named() -> None:
    status = configure(topology(reads("0", *"abcdef")), topics()).problem
    assert status is not None
    assert status.detail == "source topics are missing: a, b, c and 3 more"
