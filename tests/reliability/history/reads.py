"""Each poll against what the log holds in the end: nothing left out, nothing added, nothing too early, nothing late."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from reliability.history.events import NEVER, Polled
from reliability.history.findings import Finding, Kind
from reliability.history.index import History

from embedkafka import TopicPartition


def check_reads(history: History) -> Iterator[Finding]:
    truth = {
        (partition, committed): log.records
        for committed, logs in ((False, history.logs), (True, history.committed_logs))
        for partition, log in logs.items()
    }
    for poll in history.of(Polled):
        records = truth.get((poll.partition, poll.committed))
        if records is None:
            continue
        yield from _check_slice(poll, records)
        if poll.committed:
            yield from _check_visibility(history, poll)
    yield from _check_freshness(history)


def _check_slice(poll: Polled, records: tuple[tuple[int, str], ...]) -> Iterator[Finding]:
    """From its start to its end a poll returns what is there; without an end, to its last record."""
    first = poll.start if poll.start is not None else (poll.records[0][0] if poll.records else None)
    end = poll.end if poll.end is not None else (poll.records[-1][0] + 1 if poll.records else first)
    if first is None or end is None:
        return
    expected = records[bisect_left(records, (first, "")) : bisect_left(records, (end, ""))]
    if poll.records != expected:
        got, there = dict(poll.records), dict(expected)
        wrong = sorted(offset for offset in got.keys() | there.keys() if got.get(offset) != there.get(offset))
        what = [f"{offset}: got {got.get(offset)}, there is {there.get(offset)}" for offset in wrong[:3]]
        if not wrong:
            what = [f"got {poll.records[:5]}"]
        yield Finding(
            Kind.MISREAD, f"{poll.reader} from {first} to {end} of {poll.partition} at {poll.at}: {'; '.join(what)}"
        )


def _check_visibility(history: History, poll: Polled) -> Iterator[Finding]:
    for offset, record in poll.records:
        sent = history.sent.get(record)
        if sent is None or sent.transaction is None:
            continue
        outcome = history.outcomes[sent.transaction]
        if outcome.committed is False or outcome.began > poll.at:
            yield Finding(
                Kind.UNCOMMITTED_VISIBLE,
                f"{poll.reader} saw {record} at {poll.partition} {offset} at {poll.at}: {sent.transaction} {outcome}",
            )


def _check_freshness(history: History) -> Iterator[Finding]:
    """Who finds nothing at all has read everything that was there when it asked."""
    there: dict[TopicPartition, list[tuple[int, int, str]]] = defaultdict(list)  # offset, acknowledged, record
    for partition, log in history.logs.items():
        for offset, record in log.records:
            if record in history.sent:
                acknowledged = history.acknowledged.get(record)
                there[partition].append((offset, NEVER if acknowledged is None else acknowledged.at, record))
    for poll in history.of(Polled):
        if not poll.found_nothing or poll.group is not None or poll.start is None:
            continue
        found = there[poll.partition]
        for offset, at, record in found[bisect_left(found, (poll.start, 0, "")) :]:
            transaction = history.sent[record].transaction
            if at > poll.begun:
                continue
            if poll.committed and not _is_stable(history, found, offset, poll.begun):
                break
            if transaction is None or (
                not poll.committed
                or (history.outcomes[transaction].committed and history.outcomes[transaction].ended < poll.begun)
            ):
                yield Finding(
                    Kind.STALE,
                    f"{poll.reader} found nothing from {poll.start} on in {poll.partition} at {poll.begun}, {record} "
                    f"was acknowledged at offset {offset} at {at}",
                )
                break


def _is_stable(history: History, found: list[tuple[int, int, str]], offset: int, at: int) -> bool:
    """Whether no transaction with a record up to ``offset`` can have been open."""
    for lower, _, record in found:
        if lower > offset:
            return True
        transaction = history.sent[record].transaction
        if transaction is not None and history.settled.get(transaction, NEVER) >= at:
            return False
    return True
