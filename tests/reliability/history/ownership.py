"""A partition belongs to one member of a group at a time, and only that one commits for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from reliability.history.events import Alive, Assigned, Committed, Committing, Released, Restarted
from reliability.history.findings import Finding, Kind
from reliability.history.index import History

from embedkafka import TopicPartition


class Ownership(NamedTuple):
    """A member was told that a partition is its own, and when it was last heard of before it gave that up."""

    member: str
    begun: int
    ended: int


def check_ownership(history: History) -> Iterator[Finding]:
    owners = owners_of(history)
    for (group, partition), owned in owners.items():
        owned.sort(key=lambda one: one.begun)
        for position, one in enumerate(owned):
            for other in owned[position + 1 :]:
                if other.begun > one.ended:
                    break
                if other.member != one.member:
                    yield Finding(
                        Kind.DOUBLE_OWNERSHIP,
                        f"{partition} of {group} was given to {other.member} at {other.begun}, {one.member} has it "
                        f"from {one.begun} to {one.ended}",
                    )
    yield from _check_commits(history, owners)


def owners_of(history: History) -> dict[tuple[str, TopicPartition], list[Ownership]]:
    owned: dict[tuple[str, str, TopicPartition], Ownership] = {}
    owners: dict[tuple[str, TopicPartition], list[Ownership]] = defaultdict(list)

    def end(key: tuple[str, str, TopicPartition], at: int | None) -> None:
        group, _, partition = key
        ownership = owned.pop(key)
        owners[group, partition].append(ownership if at is None else ownership._replace(ended=at))

    for event in history.events:
        if isinstance(event, Assigned):
            key = (event.group, event.member, event.partition)
            owned.setdefault(key, Ownership(event.member, event.at, event.at))
        elif isinstance(event, Alive):
            for key, ownership in owned.items():
                if key[:2] == (event.group, event.member):
                    owned[key] = ownership._replace(ended=event.at)
        elif isinstance(event, Released):
            for key in list(owned):
                if key[:2] == (event.group, event.member) and event.partition in (None, key[2]):
                    # Who gives one partition up has it until then; who is gone was last heard of before.
                    end(key, event.at if event.partition is not None else None)
        elif isinstance(event, Restarted):
            for key in list(owned):
                end(key, None)
    for key in list(owned):
        end(key, None)
    return owners


def _check_commits(history: History, owners: dict[tuple[str, TopicPartition], list[Ownership]]) -> Iterator[Finding]:
    answers = {event.call: event for event in history.of(Committed)}
    for event in history.of(Committing):
        answer = answers.get(event.call)
        if answer is None or not answer.done or not event.member:
            continue
        for owner in owners[event.group, event.partition]:
            if owner.member != event.member and owner.begun < event.at and answer.at < owner.ended:
                yield Finding(
                    Kind.ZOMBIE_COMMIT,
                    f"{event.member} committed {event.offset} for {event.partition} of {event.group} at {event.at}, "
                    f"which {owner.member} had since {owner.begun}",
                )
