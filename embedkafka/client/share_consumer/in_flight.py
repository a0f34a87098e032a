"""What a share consumer holds of one partition: offsets that are locked for it, and what became of each.

The state of an offset is one byte, those of neighbours lie side by side in a *run*, so that handing out, accepting and
collecting hundreds of records are a few operations on byte strings.  The states up to ``RENEW`` are Kafka's numbers of
acknowledgement types, and what is sent is the bytes themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from embedkafka.broker.api import AcknowledgementBatch, AcquiredRecords
from embedkafka.errors import IllegalStateError
from embedkafka.model import TopicIdPartition, TopicPartition
from embedkafka.record import ConsumerRecord

if TYPE_CHECKING:
    from embedkafka.client.share_consumer.session import ShareSession

GAP, ACCEPT, RELEASE, REJECT, RENEW = range(5)  # acknowledged, not sent yet
HELD = 5  # the program has it
AGAIN = 6  # the program gets it once more: renewed, or an error kept it from the program
ACQUIRED = 7  # not handed out yet
SETTLED = 8  # not this consumer's any more

_ACKNOWLEDGED = re.compile(rb"[\x00-\x04]+")
_UNSETTLED = re.compile(rb"[\x00-\x06]")  # and handed out
_NOTHING, _MUCH = -1, -2  # see Run.touched
_SETTLED_BYTE = bytes((SETTLED,))
_ACCEPT_HELD = bytes(ACCEPT if state == HELD else state for state in range(256))


class Run:
    """Neighbouring offsets from ``first`` on, with their states; acquired at once, so their locks end at once.

    ``touched`` is the index that was acknowledged since they were last collected, for one at a time is what many
    programs send; ``_MUCH`` where it was more than one.
    """

    __slots__ = ("deadline_ms", "first", "states", "touched")

    def __init__(self, first: int, states: bytearray, deadline_ms: float) -> None:
        self.first = first
        self.states = states
        self.deadline_ms = deadline_ms
        self.touched = _NOTHING

    @property
    def end(self) -> int:
        return self.first + len(self.states)


class Sent(NamedTuple):
    """Acknowledgements under way: ``types`` belong to the offsets of ``run`` from ``start`` on."""

    run: Run
    start: int
    types: bytes

    @property
    def first_offset(self) -> int:
        return self.run.first + self.start

    def batch(self) -> AcknowledgementBatch:
        types = self.types
        one = types[0]
        if len(types) > 1 and types.count(one) == len(types):
            types = types[:1]
        return AcknowledgementBatch(self.first_offset, self.first_offset + len(self.types) - 1, types)


class InFlight:
    """The runs of one partition, in offset order, and the session that they were acquired in."""

    def __init__(self, topic_partition: TopicPartition, key: TopicIdPartition, session: ShareSession) -> None:
        self.topic_partition = topic_partition
        self.key = key
        self.session = session
        self._runs: list[Run] = []
        self._run: Run | None = None  # the one that was needed last
        self._delivered: list[ConsumerRecord] = []
        self.again: dict[int, tuple[ConsumerRecord, float]] = {}  # whose state is AGAIN, and when their lock ends

    # Getting records -------------------------------------------------------------------------------------------------

    def acquire(self, acquired: Iterable[AcquiredRecords], deadline_ms: float) -> None:
        """Take note of offsets that a fetch has brought; what was known of them is out of date.

        Args:
            deadline_ms: when their lock ends, on the monotonic clock.
        """
        self._remove_settled(list(self._runs))
        run: Run | None = None
        for first, last, _ in acquired:
            states = bytes((ACQUIRED,)) * (last + 1 - first)
            if run is not None and run.end == first:
                run.states += states
                continue
            if self._runs and self._runs[-1].end > first:
                self._cut_out(first, last + 1)
            run = Run(first, bytearray(states), deadline_ms)
            self._runs.insert(bisect_right(self._runs, first, key=_first_of), run)

    def _cut_out(self, first: int, end: int) -> None:
        """Forget what is known of offsets that were acquired anew: their lock had run out."""
        kept: list[Run] = []
        for run in self._runs:
            if run.end <= first or run.first >= end:
                kept.append(run)
                continue
            for piece in (
                Run(run.first, run.states[: max(0, first - run.first)], run.deadline_ms),
                Run(end, run.states[end - run.first :], run.deadline_ms),
            ):
                if piece.states:
                    piece.touched = _MUCH if _ACKNOWLEDGED.search(piece.states) else _NOTHING
                    kept.append(piece)
        self._runs = kept
        self._run = None
        for offset in [offset for offset in self.again if first <= offset < end]:
            del self.again[offset]

    def hand_out(self, records: list[ConsumerRecord], first: int, end: int) -> None:
        """The program gets ``records``; acquired offsets from ``first`` to ``end`` without a record are gaps."""
        if not any(_UNSETTLED.search(run.states) for run in self._runs):
            self._delivered = []
        run = self._find(first)
        at = first - run.first
        if len(records) == end - first and end <= run.end:
            run.states[at : at + len(records)] = bytes((HELD,)) * len(records)
        else:
            there = {record.offset for record in records}
            for offset in range(first, end):
                self._mark(offset, HELD if offset in there else GAP)
        self._delivered += records

    def settle_unread(self, first: int, end: int, state: int) -> None:
        """Acknowledge offsets whose records cannot be read, unless the program says otherwise before that is sent."""
        for offset in range(first, end):
            self._mark(offset, state)

    def _mark(self, offset: int, state: int) -> None:
        run = self._find(offset)
        run.states[offset - run.first] = state
        if state <= RENEW:
            run.touched = _MUCH

    def take_again(self, limit: int, now_ms: float, into: list[ConsumerRecord]) -> None:
        """Up to ``limit`` records that the program gets once more; those whose lock has ended are gone."""
        for offset in sorted(self.again):
            record, deadline_ms = self.again[offset]
            if deadline_ms <= now_ms:
                self.drop(offset, offset + 1)
            elif len(into) < limit:
                into.append(record)
                self._mark(offset, HELD)
                del self.again[offset]

    def give_back(self, records: Iterable[ConsumerRecord]) -> None:
        """What was handed out has not reached the program: it comes again."""
        for record in records:
            self._come_again(record, self._find(record.offset).deadline_ms)

    def _come_again(self, record: ConsumerRecord, deadline_ms: float) -> None:
        self._mark(record.offset, AGAIN)
        self.again[record.offset] = (record, deadline_ms)

    def drop(self, first: int, end: int) -> None:
        """Of these offsets the program gets no more what it has not got: their lock has ended, or will."""
        for offset in range(first, end):
            if self._state(offset) in (ACQUIRED, AGAIN):
                self._mark(offset, SETTLED)
                self.again.pop(offset, None)
        self._remove_settled(list(self._runs))

    def drop_unread(self, first: int, end: int) -> None:
        """The same for those only that were never handed out."""
        for offset in range(first, end):
            if self._state(offset) == ACQUIRED:
                self._mark(offset, SETTLED)

    def _state(self, offset: int) -> int:
        at = bisect_right(self._runs, offset, key=_first_of) - 1
        if at < 0 or offset >= self._runs[at].end:
            return SETTLED
        return self._runs[at].states[offset - self._runs[at].first]

    # Acknowledging ---------------------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        return not self._runs

    @property
    def held_count(self) -> int:
        """How many records the program has and has not acknowledged."""
        return sum(run.states.count(HELD) for run in self._runs)

    @property
    def has_acknowledgements(self) -> bool:
        return any(run.touched != _NOTHING for run in self._runs)

    def acknowledge(self, offset: int, type_: int) -> None:
        """Say what became of a record that the program has.

        Raises:
            IllegalStateError: it is not this consumer's.
        """
        run = self._run
        if run is None or not run.first <= offset < run.first + len(run.states):
            run = self._find(offset)
        at = offset - run.first
        if not 0 < run.states[at] < ACQUIRED:
            raise self._not_ours(offset)
        if run.states[at] == AGAIN:
            del self.again[offset]
        run.states[at] = type_
        run.touched = at if run.touched == _NOTHING else _MUCH

    def accept_held(self) -> None:
        """Accept every record that the program has."""
        for run in self._runs:
            if HELD in run.states:
                run.touched = _MUCH
                run.states[:] = run.states.translate(_ACCEPT_HELD)

    def collect(self) -> list[Sent]:
        """What was acknowledged, to be sent; the same again until :meth:`settle` says how that went."""
        return [sent for run in self._runs if run.touched != _NOTHING for sent in self._collect(run)]

    def _collect(self, run: Run) -> Iterator[Sent]:
        if run.touched != _MUCH:
            yield Sent(run, run.touched, bytes((run.states[run.touched],)))
            return
        if run.states.count(ACCEPT) == len(run.states):
            yield Sent(run, 0, bytes(run.states))  # what most polls end with
            return
        for found in _ACKNOWLEDGED.finditer(run.states):
            yield Sent(run, found.start(), found.group())

    def only(self) -> tuple[Run, int] | None:
        """The run and index of the one record that was acknowledged, not renewed; None where it is not one."""
        run = self._run
        if run is None or len(self._runs) != 1:
            return None
        at = run.touched
        return (run, at) if at >= 0 and GAP < run.states[at] < RENEW else None

    def settle_only(self, run: Run, at: int) -> None:
        """The broker has taken that one."""
        run.states[at] = SETTLED
        run.touched = _NOTHING
        if at == len(run.states) - 1:  # the last one, as a rule; else the next fetch cleans up
            self._remove_settled((run,))

    def settle(self, sent: Sequence[Sent], *, succeeded: bool, renewed_until_ms: float = 0.0) -> None:
        """The broker has answered: renewed records come again, the others are no longer this consumer's.

        Args:
            renewed_until_ms: when a renewed lock ends, on the monotonic clock.
        """
        renewed: set[int] = set()
        for run, start, types in sent:
            run.states[start : start + len(types)] = _SETTLED_BYTE * len(types)
            run.touched = _NOTHING
            if succeeded and RENEW in types:
                renewed.update(run.first + start + at for at, type_ in enumerate(types) if type_ == RENEW)
        if renewed:
            for record in self._delivered:
                if record.offset in renewed:
                    self._come_again(record, renewed_until_ms)
        self._remove_settled([each.run for each in sent])

    def _remove_settled(self, runs: Iterable[Run]) -> None:
        for run in runs:
            if not run.states.strip(_SETTLED_BYTE) and run in self._runs:
                self._runs.remove(run)
                self._run = None
        if not self._runs:
            self._delivered = []

    # ------------------------------------------------------------------------------------------------------------------

    def _find(self, offset: int) -> Run:
        at = bisect_right(self._runs, offset, key=_first_of) - 1
        if at < 0 or offset >= self._runs[at].end:
            raise self._not_ours(offset)
        self._run = run = self._runs[at]
        return run

    def _not_ours(self, offset: int) -> IllegalStateError:
        name = f"{self.topic_partition.topic}-{self.topic_partition.partition}"
        return IllegalStateError(f"the record at offset {offset} of {name} cannot be acknowledged")


def _first_of(run: Run) -> int:
    return run.first
