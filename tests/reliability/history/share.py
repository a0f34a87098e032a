"""A share group comes to an end with every record, gives it to one member at a time, and never again after that."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from reliability.history.events import NEVER, Acknowledging, Closing, Delivered, Drained, SharedDone
from reliability.history.findings import Finding, Kind
from reliability.history.index import History

from embedkafka import AcknowledgeType, TopicPartition

_UNSEEN = 2
"""Deliveries of a record to members that went before their poll returned it, of which nobody knows."""

_FINAL = (AcknowledgeType.ACCEPT, AcknowledgeType.REJECT)


class ShareRules(NamedTuple):
    """What the broker's settings say about every share group of a run."""

    topic: str
    lock_ms: float
    delivery_count_limit: int


class _Said(NamedTuple):
    """What a member said of a record."""

    begun: int
    done: int  # NEVER where it was not taken in, or nobody knows
    type: int
    member: str
    at_ms: float


Where = tuple[str, TopicPartition, int]  # group, partition, offset


class _Held(NamedTuple):
    """A record in a member's hands."""

    life: int  # between two restarts
    delivery_count: int
    delivered: Delivered


def check_share_groups(history: History, rules: ShareRules) -> Iterator[Finding]:
    held: dict[Where, list[_Held]] = defaultdict(list)
    for delivered in history.of(Delivered):
        yield from _check_records(history, delivered, rules)
        life = bisect(history.restarts, delivered.at)
        for offset, _, delivery_count in delivered.records:
            held[delivered.group, delivered.partition, offset].append(_Held(life, delivery_count, delivered))
    said = _said(history)
    closed = {closing.member: closing.at for closing in history.of(Closing)}
    for where, each in held.items():
        yield from _check_finished(where, each, said[where])
        yield from _check_locks(where, each, said[where], closed, rules)
    yield from _check_end(history, held, said, rules)


def _said(history: History) -> dict[Where, list[_Said]]:
    answers = {event.call: event for event in history.of(SharedDone)}
    said: dict[Where, list[_Said]] = defaultdict(list)
    for event in history.of(Acknowledging):
        answer = answers.get(event.call)
        done = answer.at if answer is not None and answer.done else NEVER
        for offset, type_ in event.types:
            one = _Said(event.at, done, type_, event.member, event.at_ms)
            said[event.group, event.partition, offset].append(one)
    return said


def _check_records(history: History, delivered: Delivered, rules: ShareRules) -> Iterator[Finding]:
    there = history.offsets_of(delivered.partition)
    for offset, record, delivery_count in delivered.records:
        name = f"{record} of {delivered.partition} {offset} for {delivered.member} at {delivered.at}"
        if there.get(offset) != record:
            yield Finding(Kind.MISREAD, f"{name}: the log holds {there.get(offset)}")
        if not 1 <= delivery_count <= rules.delivery_count_limit:
            yield Finding(Kind.MISCOUNTED, f"{name}: delivery {delivery_count}")
        sent = history.sent.get(record)
        if delivered.committed and sent is not None and sent.transaction is not None:
            outcome = history.outcomes[sent.transaction]
            if outcome.committed is False or outcome.began > delivered.at:
                yield Finding(Kind.UNCOMMITTED_VISIBLE, f"{name}: {sent.transaction} {outcome}")


def _check_finished(where: Where, held: list[_Held], said: list[_Said]) -> Iterator[Finding]:
    finished = min((one.done for one in said if one.type in _FINAL), default=NEVER)
    for _, _, delivered in held:
        if finished < delivered.begun:
            yield Finding(
                Kind.DELIVERED_AGAIN,
                f"{where} to {delivered.member} at {delivered.at}, which was acknowledged at {finished}",
            )


def _check_locks(
    where: Where, held: list[_Held], said: list[_Said], closed: dict[str, int], rules: ShareRules
) -> Iterator[Finding]:
    """In the order in which they were locked, which the delivery count tells."""
    held.sort(key=lambda one: (one.life, one.delivery_count, one.delivered.at))
    for before, after in pairwise(held):
        if before.life == after.life and not _was_unlocked(before, after, said, closed, rules):
            first, second = before.delivered, after.delivered
            yield Finding(
                Kind.DOUBLE_LOCK,
                f"{where}: delivery {after.delivery_count} to {second.member} at {second.at} ({second.at_ms:g} ms), "
                f"delivery {before.delivery_count} to {first.member} at {first.at} (from {first.begun_ms:g} ms on)",
            )


def _was_unlocked(before: _Held, after: _Held, said: list[_Said], closed: dict[str, int], rules: ShareRules) -> bool:
    """Whether anything can have ended the first one's lock by the time of the second delivery."""
    first, second = before.delivered, after.delivered
    if first.member == second.member and before.delivery_count == after.delivery_count:
        return True  # renewed, it comes again
    if before.delivery_count == after.delivery_count:  # what a member that goes had not worked on does not count
        return closed.get(first.member, NEVER) < second.at or closed.get(second.member, NEVER) < first.at
    since_ms = first.begun_ms
    for one in said:
        if one.member == first.member and first.at < one.begun < second.at:
            if one.type != AcknowledgeType.RENEW:
                return True
            if one.done < second.begun:
                since_ms = max(since_ms, one.at_ms)
    return closed.get(first.member, NEVER) < second.at or second.at_ms - since_ms >= rules.lock_ms


def _check_end(
    history: History, held: dict[Where, list[_Held]], said: dict[Where, list[_Said]], rules: ShareRules
) -> Iterator[Finding]:
    """Once a group has got all there is, somebody has finished every record, or it was delivered too often."""
    committed = {delivered.group: delivered.committed for delivered in history.of(Delivered)}
    nearly_exhausted = rules.delivery_count_limit - _UNSEEN
    for drained in history.of(Drained):
        logs = history.committed_logs if committed.get(drained.group) else history.logs
        for partition, log in logs.items():
            if partition.topic != rules.topic:
                continue
            for offset, record in log.records:
                where = (drained.group, partition, offset)
                is_finished = any(one.type in _FINAL for one in said[where])
                is_exhausted = any(one.delivery_count >= nearly_exhausted for one in held[where])
                if not (is_finished or is_exhausted):
                    yield Finding(
                        Kind.UNDELIVERED,
                        f"{record} at {where}: {len(held[where])} deliveries, acknowledged as {said[where]}",
                    )
