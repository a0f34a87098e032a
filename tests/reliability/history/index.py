"""A history, looked up in the ways that the checks need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from reliability.history.events import (
    NEVER,
    Acknowledged,
    Committed,
    Committing,
    Ended,
    Ending,
    Event,
    Log,
    Refused,
    Restarted,
    Sent,
)

from embedkafka import TopicPartition

_Kind = TypeVar("_Kind")


class Outcome(NamedTuple):
    """What the clients know of a transaction's end."""

    began: int
    """When the commit was asked for, :data:`NEVER` when it never was."""
    ended: int
    """When that was answered, :data:`NEVER` when it was not."""
    committed: bool | None
    """None: asked for and never answered."""


class Write(NamedTuple):
    """A commit of an offset: it took effect at one moment from ``begun`` to ``ended``, or (not ``certain``) never."""

    begun: int
    ended: int
    offset: int
    certain: bool
    member: str


class History:
    """Events of one run, indexed.  Every attribute is worked out from the events alone."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = sorted(events, key=lambda event: NEVER if isinstance(event, Log) else event.at)
        self._offsets: dict[TopicPartition, dict[int, str]] = {}
        self._by_type: dict[type, list[Any]] = defaultdict(list)
        for event in self.events:
            self._by_type[type(event)].append(event)

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        return self._by_type[kind]

    @cached_property
    def sent(self) -> dict[str, Sent]:
        return {event.record: event for event in self.of(Sent)}

    @cached_property
    def acknowledged(self) -> dict[str, Acknowledged]:
        return {event.record: event for event in self.of(Acknowledged)}

    @cached_property
    def refused(self) -> dict[str, Refused]:
        return {event.record: event for event in self.of(Refused)}

    @cached_property
    def restarts(self) -> list[int]:
        return [event.at for event in self.of(Restarted)]

    @cached_property
    def logs(self) -> dict[TopicPartition, Log]:
        """What the logs hold in the end, of every producer and transaction."""
        return {event.partition: event for event in self.of(Log) if not event.committed}

    @cached_property
    def committed_logs(self) -> dict[TopicPartition, Log]:
        """What of that read_committed readers see."""
        return {event.partition: event for event in self.of(Log) if event.committed}

    def offsets_of(self, partition: TopicPartition) -> dict[int, str]:
        """What a log holds in the end, by offset."""
        if partition not in self._offsets:
            self._offsets[partition] = dict(self.logs[partition].records) if partition in self.logs else {}
        return self._offsets[partition]

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """By transaction: committed only if the one commit that was asked for was answered so."""
        found: dict[str, Outcome] = {
            sent.transaction: Outcome(NEVER, NEVER, False) for sent in self.sent.values() if sent.transaction
        }
        for event in self.events:
            if isinstance(event, Committing) and event.transaction:
                found.setdefault(event.transaction, Outcome(NEVER, NEVER, False))
            elif isinstance(event, Ending) and event.commit:
                found[event.transaction] = Outcome(event.at, NEVER, None)
            elif isinstance(event, Ended) and event.commit:
                found[event.transaction] = found[event.transaction]._replace(ended=event.at, committed=event.done)
        return found

    def is_visible_in_the_end(self, record: str) -> bool | None:
        """Whether read_committed readers must see a record once all is over; None where both would be right."""
        transaction = self.sent[record].transaction
        return True if transaction is None else self.outcomes[transaction].committed

    @cached_property
    def settled(self) -> dict[str, int]:
        """By transaction, when it had certainly ended, and all of its effects were there."""
        return {event.transaction: event.at for event in self.of(Ended) if event.done}

    @cached_property
    def commits(self) -> dict[tuple[str, TopicPartition], list[Write]]:
        """Offset commits that took effect, or may have, by group and partition."""
        answers = {event.call: event for event in self.of(Committed)}
        found: dict[tuple[str, TopicPartition], list[Write]] = defaultdict(list)
        for event in self.of(Committing):
            answer = answers.get(event.call)
            if answer is not None and not answer.done:
                continue
            if event.transaction is None:
                ended = self._next_restart(event.at) if answer is None else answer.at
                write = Write(event.at, ended, event.offset, answer is not None, event.member)
            else:
                outcome = self.outcomes[event.transaction]
                if outcome.committed is False or answer is None:
                    continue
                write = Write(outcome.began, outcome.ended, event.offset, outcome.committed is True, event.member)
            found[event.group, event.partition].append(write)
        return found

    def _next_restart(self, at: int) -> int:
        return next((restart for restart in self.restarts if restart > at), NEVER)

    def allowed_offsets(self, group: str, partition: TopicPartition, begun: int, ended: int) -> set[int | None]:
        """What a look-up from ``begun`` to ``ended`` may answer: the last commit, or one that was under way."""
        writes = [write for write in self.commits[group, partition] if write.begun < ended]
        last_begun = max((write.begun for write in writes if write.certain and write.ended < begun), default=None)
        allowed: set[int | None] = {None} if last_begun is None else set()
        for write in writes:
            if last_begun is None or write.ended >= last_begun:
                allowed.add(write.offset)
        return allowed
