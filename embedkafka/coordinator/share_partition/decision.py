"""The commands of a share partition's machine, and what it answers to any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedkafka.coordinator.share_partition.api import AcknowledgementBatch, AcquireMode
from embedkafka.coordinator.share_state.api import StateBatch


class Fetched(NamedTuple):
    """What was read from the log at an offset.

    Attributes:
        spans: ranges of offsets (both ends included) in whole batches that may be seen, in order.
        batch_lasts: the last offset of each batch, seen or not, in order; not empty.
    """

    spans: Sequence[tuple[int, int]]
    batch_lasts: Sequence[int]


class Acquire(NamedTuple):
    """Give a member records that were read at ``fetch_offset``.  The reply is a sequence of ``AcquiredRecords``."""

    member_id: str
    fetch_offset: int
    fetched: Fetched
    max_records: int
    batch_size: int
    mode: int = AcquireMode.BATCH_OPTIMIZED


class Acknowledge(NamedTuple):
    """A member says what became of records; all of it counts, or nothing.  The reply is a ``Refusal`` or None."""

    member_id: str
    batches: Sequence[AcknowledgementBatch]


class ReleaseMember(NamedTuple):
    """A member's session is closed: what it has acquired is available again."""

    member_id: str


class EndLocks(NamedTuple):
    """Locks whose time is up."""


class MoveStart(NamedTuple):
    """The log begins with this offset now."""

    log_start_offset: int


Command = Acquire | Acknowledge | ReleaseMember | EndLocks | MoveStart


class Refusal(NamedTuple):
    error_code: int
    message: str


class StateChange(NamedTuple):
    """Durable: how records stand from now on, and where the start is."""

    start_offset: int
    delivery_complete_count: int
    batches: Sequence[StateBatch] = ()


class Acquired(NamedTuple):
    """Soft: records are a member's, or still are, until the lock ends (monotonic milliseconds)."""

    first_offset: int
    last_offset: int
    delivery_count: int
    member_id: str
    locked_until_ms: float


class Hidden(NamedTuple):
    """Soft: at these offsets is no record that may be seen; ``delivery_count`` is what is stored of them."""

    first_offset: int
    last_offset: int
    delivery_count: int


Event = Acquired | Hidden


class DeadLetters(NamedTuple):
    """Records that nobody will be given any more."""

    first_offset: int
    last_offset: int
    delivery_count: int
    is_rejected: bool


class Decision(NamedTuple):
    """What to do about a command: put ``dead_letters`` away, store and apply ``change``, note ``events``, answer."""

    reply: object = None
    change: StateChange | None = None
    events: Sequence[Event] = ()
    dead_letters: Sequence[DeadLetters] = ()
