"""One step of a member from the tasks it has towards its target (``CurrentAssignmentBuilder`` of streams groups).

The step depends on two facts: whether there is something that the member still has to give up, and whether something of
its target cannot be had yet.  :data:`OUTCOMES` says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from embedkafka.coordinator.streams.member import MemberState, StreamsMember
from embedkafka.coordinator.streams.tasks import NOTHING_HELD, HeldTasks, TaskId, Tasks
from embedkafka.errors import FencedMemberEpochError


class Outcome(NamedTuple):
    """The member's next state, and whether its epoch becomes that of the target."""

    state: MemberState
    takes_target_epoch: bool


OUTCOMES: Mapping[tuple[bool, bool], Outcome] = {
    # (has to give up, has to wait)
    (True, False): Outcome(MemberState.UNREVOKED_TASKS, takes_target_epoch=False),
    (True, True): Outcome(MemberState.UNREVOKED_TASKS, takes_target_epoch=False),
    (False, True): Outcome(MemberState.UNRELEASED_TASKS, takes_target_epoch=True),
    (False, False): Outcome(MemberState.STABLE, takes_target_epoch=True),
}


class Holders(NamedTuple):
    """Which processes have a task, or still have to give it up: an active one has one, the others may have several."""

    active: Mapping[TaskId, str]
    copies: Mapping[TaskId, frozenset[str]]

    def active_is_free(self, task: TaskId, process_id: str) -> bool:
        """Whether a process may have the task as an active one: nobody has it, nor this process a copy of its state."""
        return task not in self.active and process_id not in self.copies.get(task, ())

    def copy_is_free(self, task: TaskId, process_id: str) -> bool:
        """Whether a process may have a copy of the task's state: it has nothing of the task."""
        return self.active.get(task) != process_id and process_id not in self.copies.get(task, ())


class Goal(NamedTuple):
    """Where a member shall get, and what stands in the way; ``owned`` is what it says it has, None where it did not."""

    epoch: int
    target: Tasks
    holders: Holders
    owned: Tasks | None


def reconcile(member: StreamsMember, goal: Goal) -> StreamsMember:
    """The member after the step; the same one where there is nothing to do yet.

    Raises:
        FencedMemberEpochError: the record of a newer Kafka has a state that nobody here knows.
    """
    if member.state is MemberState.STABLE:
        return member if member.epoch == goal.epoch else _step(member, goal, member.epoch)
    if member.state is MemberState.UNREVOKED_TASKS:
        return member if _still_has(member.revoking, goal.owned) else _step(member, goal, member.epoch + 1)
    if member.state is MemberState.UNRELEASED_TASKS:
        return _step(member, goal, member.epoch)
    if goal.owned is None or any(goal.owned):
        raise FencedMemberEpochError("the member's state is unknown here; it has to give up everything and join again")
    return _step(member, goal, goal.epoch)


def _step(member: StreamsMember, goal: Goal, epoch: int) -> StreamsMember:
    kept = member.assigned.only(goal.target)
    given_up = member.assigned.without(kept)
    held, process_id = kept.tasks, member.process_id
    missing = Tasks(*(wanted - had for wanted, had in zip(goal.target, held, strict=True)))
    available = Tasks(
        frozenset(each for each in missing.active if goal.holders.active_is_free(each, process_id)),
        frozenset(each for each in missing.standby if goal.holders.copy_is_free(each, process_id)),
        frozenset(each for each in missing.warmup if goal.holders.copy_is_free(each, process_id)),
    )
    outcome = OUTCOMES[_still_has(given_up, goal.owned), available != missing]
    if not outcome.takes_target_epoch:
        return _moved(member, outcome.state, epoch, kept, given_up)
    return _moved(member, outcome.state, goal.epoch, kept.with_added(available, goal.epoch), NOTHING_HELD)


def _moved(
    member: StreamsMember, state: MemberState, epoch: int, assigned: HeldTasks, revoking: HeldTasks
) -> StreamsMember:
    return replace(member, state=state, epoch=epoch, previous_epoch=member.epoch, assigned=assigned, revoking=revoking)


def _still_has(given_up: HeldTasks, owned: Tasks | None) -> bool:
    """Whether the member has not said yet that it let go of all of these."""
    tasks = given_up.tasks
    return any(tasks) and (owned is None or owned.overlaps(tasks))
