"""The checker: a pure function from a history to what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable

from reliability.history.actors import DELIVERY_COUNT_LIMIT, LOCK_MS
from reliability.history.events import Event
from reliability.history.findings import Finding
from reliability.history.index import History
from reliability.history.logs import check_logs
from reliability.history.offsets import check_offsets
from reliability.history.ownership import check_ownership
from reliability.history.pipeline import check_pipeline
from reliability.history.reads import check_reads
from reliability.history.share import ShareRules, check_share_groups
from reliability.history.transactions import check_transactions

PIPELINE = {"group": "pipeline", "source": "input", "target": "output"}
"""The names that runs give to what consumes, transforms and produces."""


def check(events: Iterable[Event], *, lock_ms: float = LOCK_MS) -> list[Finding]:
    """All that is wrong with a history; an empty list when nothing is.

    Args:
        lock_ms: for how long share groups lock a record in this run.
    """
    history = History(events)
    return [
        *check_logs(history),
        *check_transactions(history),
        *check_reads(history),
        *check_offsets(history),
        *check_ownership(history),
        *check_pipeline(history, **PIPELINE),
        *check_share_groups(history, ShareRules("load", lock_ms, DELIVERY_COUNT_LIMIT)),
    ]
