"""What a group has committed is one register: a look-up finds the last commit, and work goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from reliability.history.events import Assigned, LookedUp, Polled
from reliability.history.findings import Finding, Kind
from reliability.history.index import History, Write


def check_offsets(history: History) -> Iterator[Finding]:
    for event in history.of(LookedUp):
        allowed = history.allowed_offsets(event.group, event.partition, event.begun, event.at)
        if event.offset not in allowed:
            yield Finding(
                Kind.OFFSET_LOST,
                f"{event.group} has {event.offset} at {event.at} for {event.partition}, allowed is {allowed}",
            )
    for poll in history.of(Polled):
        if poll.group is not None and poll.start is None and poll.records:
            yield from _check_resumption(history, poll)
    for (group, partition), writes in history.commits.items():
        yield from _check_monotonic(f"{group} {partition}", [write for write in writes if write.certain])


def _check_resumption(history: History, poll: Polled) -> Iterator[Finding]:
    """A member that was given a partition goes on where the group has committed."""
    assert poll.group is not None
    assigned = max(
        (
            event.at
            for event in history.of(Assigned)
            if (event.member, event.partition) == (poll.reader, poll.partition) and event.at < poll.at
        ),
        default=poll.begun,
    )
    logs = history.committed_logs if poll.committed else history.logs
    there = [offset for offset, _ in logs[poll.partition].records] if poll.partition in logs else []
    first = poll.records[0][0]
    allowed = history.allowed_offsets(poll.group, poll.partition, assigned, poll.at)
    starts = {offset or 0 for offset in allowed}
    if not any(start <= first and not any(start <= offset < first for offset in there) for start in starts):
        yield Finding(
            Kind.OFFSET_LOST,
            f"{poll.reader} of {poll.group} begins {poll.partition} with the record at {first} at {poll.at}; "
            f"committed is {allowed}",
        )


def _check_monotonic(name: str, writes: list[Write]) -> Iterator[Finding]:
    writes.sort(key=lambda write: write.begun)
    for before, after in pairwise(writes):
        if before.ended < after.begun and after.offset < before.offset:
            yield Finding(
                Kind.OFFSET_BACK,
                f"{name}: {after.member} committed {after.offset} at {after.ended}, after {before}",
            )
