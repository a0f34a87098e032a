"""What was sent against what is there in the end: lost, doubled, reordered, foreign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reliability.history.findings import Finding, Kind
from reliability.history.index import History


def check_logs(history: History) -> Iterator[Finding]:
    for partition, log in history.logs.items():
        name = f"{partition.topic}-{partition.partition}"
        offsets = [offset for offset, _ in log.records]
        if offsets != sorted(set(offsets)):
            yield Finding(Kind.REORDERED, f"{name}: offsets do not increase: {offsets[:20]}")
        for record, count in Counter(record for _, record in log.records).items():
            if count > 1:
                yield Finding(Kind.DUPLICATED, f"{name}: {record} is there {count} times")
        yield from _check_origin(history, name, log.records)
        yield from _check_order(history, name, log.records)
    yield from _check_acknowledged(history)


def _check_origin(history: History, name: str, records: tuple[tuple[int, str], ...]) -> Iterator[Finding]:
    for offset, record in records:
        sent = history.sent.get(record)
        if sent is None:
            yield Finding(Kind.FOREIGN, f"{name}: nobody sent {record} at offset {offset}")
        elif f"{sent.partition.topic}-{sent.partition.partition}" != name:
            yield Finding(Kind.FOREIGN, f"{name}: {record} was sent to {sent.partition}")


def _check_order(history: History, name: str, records: tuple[tuple[int, str], ...]) -> Iterator[Finding]:
    last: dict[str, tuple[int, str]] = {}
    for offset, record in records:
        sent = history.sent.get(record)
        if sent is None:
            continue
        before = last.get(sent.producer)
        if before is not None and before[0] > sent.at:
            yield Finding(Kind.REORDERED, f"{name}: {record} at offset {offset} comes after {before[1]}")
        last[sent.producer] = (sent.at, record)


def _check_acknowledged(history: History) -> Iterator[Finding]:
    where = {record: (log.partition, offset) for log in history.logs.values() for offset, record in log.records}
    for record, acknowledged in history.acknowledged.items():
        sent = history.sent[record]
        if sent.partition not in history.logs:
            continue
        if record not in where:
            yield Finding(
                Kind.LOST, f"{record} of {sent.partition} was acknowledged at offset {acknowledged.offset} and is gone"
            )
        elif where[record] != (sent.partition, acknowledged.offset):
            yield Finding(
                Kind.FOREIGN,
                f"{record} was acknowledged at {sent.partition} {acknowledged.offset} and is at {where[record]}",
            )
