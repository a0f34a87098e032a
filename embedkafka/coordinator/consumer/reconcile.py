"""One step of a member from what it owns towards its target (Kafka 4.3's ``CurrentAssignmentBuilder``).

The step depends on two facts: whether there is something that the member still has to give up, and whether something of
its target is still in other hands.  :data:`OUTCOMES` says what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.assignment import (
    NOTHING,
    Assignment,
    Owned,
    Partitions,
    both,
    only,
    overlap,
    with_added,
    without,
)
from embedkafka.coordinator.consumer.member import Member, MemberState
from embedkafka.errors import FencedMemberEpochError


class Outcome(NamedTuple):
    """The member's next state, and whether its epoch becomes that of the target."""

    state: MemberState
    takes_target_epoch: bool


OUTCOMES: Mapping[tuple[bool, bool], Outcome] = {
    # (has to give up, has to wait)
    (True, False): Outcome(MemberState.UNREVOKED_PARTITIONS, takes_target_epoch=False),
    (True, True): Outcome(MemberState.UNREVOKED_PARTITIONS, takes_target_epoch=False),
    (False, True): Outcome(MemberState.UNRELEASED_PARTITIONS, takes_target_epoch=True),
    (False, False): Outcome(MemberState.STABLE, takes_target_epoch=True),
}


class Goal(NamedTuple):
    """Where a member shall get, and what stands in the way.

    ``subscribed`` are the ids of the topics it reads now: the target may be older.  ``is_free`` tells whether nobody
    owns a partition.  ``owned`` is what the member itself says it owns, None where it did not say.
    """

    epoch: int
    target: Assignment
    subscribed: Collection[UUID]
    subscription_changed: bool
    is_free: Callable[[UUID, int], bool]
    owned: Partitions | None


def reconcile(member: Member, goal: Goal) -> Member:
    """The member after the step; the same one where there is nothing to do yet.

    Raises:
        FencedMemberEpochError: the record of a newer Kafka has a state that nobody here knows.
    """
    if member.state is MemberState.STABLE:
        if member.epoch != goal.epoch:
            return _step(member, goal, member.epoch)
        return _drop_unsubscribed(member, goal) if goal.subscription_changed else member
    if member.state is MemberState.UNREVOKED_PARTITIONS:
        if _still_owns(member.revoking, goal.owned):
            return _drop_unsubscribed(member, goal) if goal.subscription_changed else member
        # What a change of subscription made it give up does not lead to an epoch that has no target yet.
        return _step(member, goal, min(member.epoch + 1, goal.epoch))
    if member.state is MemberState.UNRELEASED_PARTITIONS:
        return _step(member, goal, member.epoch)
    if goal.owned is None or goal.owned:
        raise FencedMemberEpochError("the member's state is unknown here; it has to give up everything and join again")
    return _step(member, goal, goal.epoch)


def _step(member: Member, goal: Goal, epoch: int) -> Member:
    target = {topic_id: goal.target[topic_id] for topic_id in goal.target if topic_id in goal.subscribed}
    kept = only(member.assigned, target)
    given_up = without(member.assigned, kept)
    missing = {
        topic_id: [partition for partition in partitions if partition not in kept.get(topic_id, ())]
        for topic_id, partitions in target.items()
    }
    # A partition that this very member is giving up is nobody else's: it may have it back.
    available = {
        topic_id: [
            partition
            for partition in partitions
            if goal.is_free(topic_id, partition) or partition in member.revoking.get(topic_id, ())
        ]
        for topic_id, partitions in missing.items()
    }
    available = {topic_id: partitions for topic_id, partitions in available.items() if partitions}
    must_give_up = bool(given_up) and _still_owns(given_up, goal.owned)
    must_wait = sum(map(len, missing.values())) > sum(map(len, available.values()))
    outcome = OUTCOMES[must_give_up, must_wait]
    if not outcome.takes_target_epoch:
        return _moved(member, outcome.state, epoch, kept, given_up)
    return _moved(member, outcome.state, goal.epoch, with_added(kept, available, goal.epoch), NOTHING)


def _moved(member: Member, state: MemberState, epoch: int, assigned: Owned, revoking: Owned) -> Member:
    return replace(
        member,
        state=state,
        epoch=epoch,
        previous_epoch=member.epoch,
        assigned=assigned,
        revoking=revoking,
    )


def _drop_unsubscribed(member: Member, goal: Goal) -> Member:
    """Have partitions given up whose topic the member does not read any more, before a new target says so."""
    dropped = {topic_id: owned for topic_id, owned in member.assigned.items() if topic_id not in goal.subscribed}
    if not dropped:
        return member
    kept = without(member.assigned, dropped)
    revoking = both(member.revoking, dropped)
    if _still_owns(revoking, goal.owned):
        return replace(member, state=MemberState.UNREVOKED_PARTITIONS, assigned=kept, revoking=revoking)
    return replace(member, assigned=kept)


def _still_owns(given_up: Owned, owned: Partitions | None) -> bool:
    """Whether the member has not said yet that it let go of all of these."""
    return owned is None or overlap(owned, given_up)
