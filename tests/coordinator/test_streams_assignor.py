"""The sticky assignor of streams groups: everything once, evenly, and as much as possible where it was."""

from __future__ import annotations

from collections import Counter

from coordinator.amounts import MANY
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.streams.assignor import TaskMember, TaskSource, assign
from embedkafka.coordinator.streams.tasks import NO_TASKS, TaskId, Tasks

SOURCE = TaskSource("0", 8, True)


def members(*names: str, before: dict[str, Tasks] | None = None) -> list[TaskMember]:
    """Members called after their process and a number: ``a1`` is of process ``a``."""
    return [TaskMember(name, name[0], (before or {}).get(name, NO_TASKS)) for name in names]


def test_no_members_have_no_tasks() -> None:
    assert assign([], [SOURCE]) == {}


def test_tasks_are_shared_evenly() -> None:
    assert sorted(len(each.active) for each in assign(members("a1", "b1", "c1"), [SOURCE]).values()) == [2, 3, 3]


def test_a_process_gets_tasks_for_each_of_its_threads() -> None:
    made = assign(members("a1", "a2", "a3", "b1"), [SOURCE])
    assert Counter(name[0] for name, tasks in made.items() for _ in tasks.active) == {"a": 6, "b": 2}


def test_a_second_member_takes_half_and_no_more() -> None:
    before = assign(members("a1"), [SOURCE])
    after = assign(members("a1", "b1", before=before), [SOURCE])
    assert after["a1"].active < before["a1"].active
    assert len(after["b1"].active) == 4


def test_a_lost_members_tasks_go_where_their_state_is() -> None:
    source = TaskSource("0", 2, True)
    before = {
        "a1": Tasks(frozenset({TaskId("0", 0)})),
        "b1": Tasks(frozenset(), frozenset({TaskId("0", 1)})),
        "c1": Tasks(frozenset({TaskId("0", 1)})),
    }
    after = assign(members("a1", "b1", before=before), [source], 1)
    assert after["b1"].active == {TaskId("0", 1)}


def test_standby_tasks_are_in_other_processes_than_the_active_one() -> None:
    made = assign(members("a1", "a2", "b1"), [SOURCE], 1)
    for name, tasks in made.items():
        for other, of_other in made.items():
            if name[0] == other[0]:
                assert tasks.standby.isdisjoint(of_other.active)
    assert sum(len(each.standby) for each in made.values()) == 8


def test_there_are_no_more_standby_tasks_than_other_processes() -> None:
    assert not any(each.standby for each in assign(members("a1", "a2"), [SOURCE], 2).values())
    assert sum(len(each.standby) for each in assign(members("a1", "b1"), [SOURCE], 2).values()) == 8


def test_only_tasks_with_state_have_standby_tasks() -> None:
    made = assign(members("a1", "b1"), [SOURCE, TaskSource("1", 4, False)], 1)
    assert {task.subtopology_id for each in made.values() for task in each.standby} == {"0"}


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[TaskMember], list[TaskSource], int]:
    """Members that come and go between some assignments of topologies that grow."""
    names = [f"{process}{thread}" for process in "abcd" for thread in "12"]
    replicas = draw(st.integers(0, 2))
    made: dict[str, Tasks] = {}
    here = members(names[0])
    sources = [SOURCE]
    for _ in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        here = members(*sorted(chosen), before=made)
        sources = [
            TaskSource(str(number), draw(st.integers(1, 9)), draw(st.booleans()))
            for number in range(draw(st.integers(1, 3)))
        ]
        made = assign(here, sources, replicas)
    return here, sources, replicas


@given(situations())
@MANY
def test_every_task_is_active_once_and_its_copies_are_apart(
    situation: tuple[list[TaskMember], list[TaskSource], int],
) -> None:
    here, sources, replicas = situation
    made = assign(here, sources, replicas)
    process_of = {each.member_id: each.process_id for each in here}
    processes = set(process_of.values())
    assert made.keys() == process_of.keys()
    active = Counter(task for each in made.values() for task in each.active)
    assert active == Counter(task for source in sources for task in source.tasks())
    for source in sources:
        for task in source.tasks():
            holders = [process_of[name] for name, tasks in made.items() for role in tasks[:2] if task in role]
            assert len(set(holders)) == len(holders), f"{task} twice in one process"
            wanted = min(replicas, len(processes) - 1) if source.is_stateful else 0
            assert len(holders) == 1 + wanted


@given(situations())
@MANY
def test_active_tasks_are_even_without_standby_tasks(
    situation: tuple[list[TaskMember], list[TaskSource], int],
) -> None:
    here, sources, _ = situation
    counts = [len(each.active) for each in assign(here, sources).values()]
    assert max(counts) <= -(-sum(counts) // len(counts))


@given(situations())
@MANY
def test_what_was_assigned_stays_when_nothing_changes(
    situation: tuple[list[TaskMember], list[TaskSource], int],
) -> None:
    here, sources, _ = situation
    made = assign(here, sources)
    again = assign([each._replace(previous=made[each.member_id]) for each in here], sources)
    assert again == made


def test_the_same_members_get_the_same_tasks() -> None:
    some = members("a1", "b1", "c1", before={"a1": Tasks(frozenset({TaskId("0", 3)}))})
    assert assign(some, [SOURCE], 1) == assign(some, [SOURCE], 1)
