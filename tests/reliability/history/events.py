"""What a history is made of: one value per thing that a client saw, in the order of one counter.

``at`` is a tick of the recorder's counter: whatever was recorded before has a smaller one.  What takes time has two
ticks, or two events joined by a name; where the second is missing, its client died meanwhile and nobody was told how it
ended.  Records have names of their own ("producer/number"), which are what they hold.
"""

from __future__ import annotations

from typing import NamedTuple

from embedkafka import TopicPartition

NEVER = 1 << 62
"""The tick of what did not come to an end."""


class Sent(NamedTuple):
    """``send`` is about to be called."""

    at: int
    producer: str
    record: str
    partition: TopicPartition
    transaction: str | None = None
    source: str | None = None
    """The record of the input that this one was made of."""


class Acknowledged(NamedTuple):
    """The future of a record was done."""

    at: int
    record: str
    offset: int


class Refused(NamedTuple):
    """The future of a record has failed, or ``send`` has."""

    at: int
    record: str
    error: str


class Ending(NamedTuple):
    """``commit_transaction`` or ``abort_transaction`` is about to be called."""

    at: int
    transaction: str
    commit: bool


class Ended(NamedTuple):
    """That call returned, or (``done`` false) raised an error that says that it will not be done."""

    at: int
    transaction: str
    commit: bool
    done: bool = True


class Polled(NamedTuple):
    """A ``poll`` returned; one for each partition that the reader had, also for those of which it got nothing."""

    begun: int
    at: int
    reader: str
    partition: TopicPartition
    start: int | None
    """The position before; None: what the group had committed."""
    end: int | None
    """The position after; None where it was not looked up."""
    records: tuple[tuple[int, str], ...]
    committed: bool = False
    """Whether the reader is a ``read_committed`` one."""
    group: str | None = None
    found_nothing: bool = False
    """Whether the whole poll, of all partitions, returned nothing and moved no position."""


class Committing(NamedTuple):
    """A commit of one offset is about to be called, alone or as part of a transaction."""

    at: int
    call: str
    group: str
    member: str
    partition: TopicPartition
    offset: int
    transaction: str | None = None


class Committed(NamedTuple):
    """That call returned (``done``), or was refused."""

    at: int
    call: str
    done: bool


class LookedUp(NamedTuple):
    """Somebody asked what a group has committed."""

    begun: int
    at: int
    group: str
    partition: TopicPartition
    offset: int | None


class Assigned(NamedTuple):
    """A member of a group was told that a partition is its own."""

    at: int
    group: str
    member: str
    partition: TopicPartition


class Released(NamedTuple):
    """A member is about to give a partition up; None: all, because it leaves, dies, or does not poll in time."""

    at: int
    group: str
    member: str
    partition: TopicPartition | None = None


class Alive(NamedTuple):
    """A member polled in time, and has what it was assigned and did not release."""

    at: int
    group: str
    member: str


class Delivered(NamedTuple):
    """A share consumer's ``poll`` returned records of a partition, locked for it since ``begun`` or later.

    That may be the begin of an earlier poll, which has brought more than it returned.
    """

    begun: int
    at: int
    group: str
    member: str
    partition: TopicPartition
    records: tuple[tuple[int, str, int], ...]
    """Offset, record, delivery count."""
    begun_ms: float
    at_ms: float
    committed: bool = False
    """Whether the group gets committed records only."""


class Acknowledging(NamedTuple):
    """A share consumer is about to send what it says of some records."""

    at: int
    call: str
    group: str
    member: str
    partition: TopicPartition
    types: tuple[tuple[int, int], ...]
    """Offset and ``AcknowledgeType``."""
    at_ms: float


class SharedDone(NamedTuple):
    """The broker has taken that in, or (``done`` false) all or some of it was refused."""

    at: int
    call: str
    done: bool


class Closing(NamedTuple):
    """A share consumer is about to be closed, or dies: what it holds may be released from now on."""

    at: int
    group: str
    member: str


class Drained(NamedTuple):
    """In the end a group got everything there was to get."""

    at: int
    group: str


class Restarted(NamedTuple):
    """The engine was closed, or has died; whatever was under way is over, and all members are gone."""

    at: int


class Log(NamedTuple):
    """All there is in a partition in the end, to one kind of reader."""

    partition: TopicPartition
    records: tuple[tuple[int, str], ...]
    committed: bool


Event = (
    Sent
    | Acknowledged
    | Refused
    | Ending
    | Ended
    | Polled
    | Committing
    | Committed
    | LookedUp
    | Assigned
    | Released
    | Alive
    | Delivered
    | Acknowledging
    | SharedDone
    | Closing
    | Drained
    | Restarted
    | Log
)
