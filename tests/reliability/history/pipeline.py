"""Consume, transform, produce: the committed output is the input below the group's offset, each record once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reliability.history.events import LookedUp
from reliability.history.findings import Finding, Kind
from reliability.history.index import History


def check_pipeline(history: History, *, group: str, source: str, target: str) -> Iterator[Finding]:
    """
    Args:
        group: whose last look-up says up to where the input is done.
        source: the input's topic.
        target: the output's.
    """
    done = {event.partition: event.offset or 0 for event in history.of(LookedUp) if event.group == group}
    expected = Counter(
        record
        for partition, log in history.committed_logs.items()
        if partition.topic == source
        for offset, record in log.records
        if offset < done.get(partition, 0)
    )
    found = Counter(
        history.sent[record].source or record
        for partition, log in history.committed_logs.items()
        if partition.topic == target
        for _, record in log.records
        if record in history.sent
    )
    for record in sorted(expected.keys() | found.keys()):
        if expected[record] != found[record]:
            yield Finding(
                Kind.NOT_EXACTLY_ONCE,
                f"{record} is in the committed output {found[record]} times, "
                f"{'read and committed' if expected[record] else 'not committed as read'}",
            )
