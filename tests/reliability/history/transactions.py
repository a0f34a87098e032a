"""What read_committed readers see in the end: all of a committed transaction, nothing of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reliability.history.findings import Finding, Kind
from reliability.history.index import History


def check_transactions(history: History) -> Iterator[Finding]:
    visible = {record for log in history.committed_logs.values() for _, record in log.records}
    seen: dict[str, set[bool]] = defaultdict(set)  # by transaction: whether there are visible, and hidden records
    for partition, log in history.logs.items():
        for offset, record in log.records:
            if record not in history.sent:
                continue  # check_logs says so
            sent = history.sent[record]
            must = history.is_visible_in_the_end(record)
            is_visible = record in visible
            if must and not is_visible:
                yield Finding(
                    Kind.LOST, f"{record} at {partition} {offset} is not shown to read_committed readers: {sent}"
                )
            elif must is False and is_visible:
                outcome = history.outcomes[sent.transaction or ""]
                yield Finding(
                    Kind.UNCOMMITTED_VISIBLE, f"{record} at {partition} {offset} of {sent.transaction}, {outcome}"
                )
            elif must is None and sent.transaction is not None:
                seen[sent.transaction].add(is_visible)
    for transaction, found in seen.items():
        if len(found) > 1:
            yield Finding(Kind.TORN, f"some records of {transaction} are visible and some are not")
