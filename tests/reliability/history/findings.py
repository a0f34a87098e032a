"""What the checker can find."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    LOST = "an acknowledged or committed record is not there"
    DUPLICATED = "a record is there twice"
    REORDERED = "one producer's records changed their order"
    FOREIGN = "a record is there that nobody sent, or at another offset than was answered"
    UNCOMMITTED_VISIBLE = "a read_committed reader saw a record before its commit, or of an aborted transaction"
    TORN = "a transaction counts in part"
    MISREAD = "a reader got something else than what the log holds"
    STALE = "a reader found nothing although there was something"
    OFFSET_LOST = "a committed offset is not the last one committed"
    OFFSET_BACK = "a group's committed offset went back"
    DOUBLE_OWNERSHIP = "two members own a partition at once"
    ZOMBIE_COMMIT = "a member committed for a partition that another one owned"
    DELIVERED_AGAIN = "a share group's record was delivered after it was acknowledged"
    DOUBLE_LOCK = "a share group's record was delivered while another member had it locked"
    MISCOUNTED = "a share group's record was delivered more often than its limit"
    UNDELIVERED = "a share group never came to an end with a record"
    NOT_EXACTLY_ONCE = "the committed output is not the input below the committed offset"


class Finding(NamedTuple):
    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.text}"
