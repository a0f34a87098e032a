"""What is known of a share partition: the state that commands look at and only records and events change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embedkafka.coordinator.runs import Runs
from embedkafka.coordinator.share_partition.decision import Acquired, Event, StateChange
from embedkafka.coordinator.share_partition.standing import (
    ACQUIRED,
    AVAILABLE,
    HIDDEN,
    IS_DONE,
    NOT_DELIVERED,
    Standing,
)
from embedkafka.coordinator.share_state.api import StateBatch


class SharePartition:
    """Offsets from start to end, each with its standing.

    Attributes:
        start_offset: everything below is done.
        end_offset: nothing from here on has been given to anybody.
        complete_count: how many offsets in between are done.
        standings: ranges that cover all of them without a gap.
    """

    __slots__ = ("_available_from", "complete_count", "end_offset", "standings", "start_offset")

    def __init__(self, start_offset: int, batches: Sequence[StateBatch] = ()) -> None:
        """
        Args:
            start_offset: 0 or more.
            batches: as they were stored; what lies between them was given to nobody, or to somebody who did not say.
        """
        self.start_offset = start_offset
        self.end_offset = start_offset
        self.complete_count = 0
        self.standings: Runs[Standing] = Runs()
        self._available_from = start_offset  # below this offset nothing is available
        for batch in batches:
            first, last = max(batch.first_offset, start_offset), batch.last_offset
            if last < first:
                continue
            if first > self.end_offset:
                self.standings.put(self.end_offset, first - 1, NOT_DELIVERED)
            state = batch.delivery_state if batch.delivery_state in IS_DONE else AVAILABLE  # Kafka 4.4 has another one
            self.standings.put(first, last, Standing(state, batch.delivery_count))
            self.end_offset = last + 1
            if IS_DONE[state]:
                self.complete_count += last - first + 1
        start_after = self.start_after(())  # Kafka stores the start as it was before the change that moves it
        self.apply(StateChange(start_after, self.complete_count - (start_after - start_offset)))

    @property
    def in_flight_count(self) -> int:
        """Records that were given to somebody, or could be again, and are not done."""
        return self.end_offset - self.start_offset - self.complete_count

    @property
    def next_offset(self) -> int:
        """The first offset to read for whoever asks next."""
        standings = self.standings
        for index in range(standings.first_reaching(self._available_from), len(standings)):
            if standings.values[index].state == AVAILABLE:
                self._available_from = standings.firsts[index]  # a memo: the next look begins here
                return self._available_from
        self._available_from = self.end_offset
        return self.end_offset

    @property
    def next_lock_end_ms(self) -> float | None:
        """When the first lock ends; None where nothing is acquired.  Costs a look at every range."""
        return min(
            (standing.locked_until_ms for standing in self.standings.values if standing.state == ACQUIRED), default=None
        )

    def stored(self) -> tuple[int, list[StateBatch]]:
        """What a fresh machine would know: the start, and how records stand that are not simply available."""
        durable: Runs[tuple[int, int]] = Runs()
        for first, last, standing in self.standings:
            state, count = standing.state, standing.delivery_count
            if state == ACQUIRED:
                state, count = AVAILABLE, count - 1
            elif state == HIDDEN:
                state = AVAILABLE
            if (state, count) != (AVAILABLE, 0):
                durable.put(first, last, (state, count))
        return self.start_offset, [StateBatch(first, last, *value) for first, last, value in durable]

    # Deciding ---------------------------------------------------------------------------------------------------------

    def changed(self, batches: Sequence[StateBatch]) -> StateChange:
        """A change that lets acquired records stand otherwise; moves the start over what is done then.

        Args:
            batches: in offset order, within start and end.
        """
        done = [(batch.first_offset, batch.last_offset) for batch in batches if IS_DONE[batch.delivery_state]]
        start_offset = self.start_after(done)
        done_count = sum(last - first + 1 for first, last in done)
        return StateChange(start_offset, self.complete_count + done_count - (start_offset - self.start_offset), batches)

    def start_after(self, done: Sequence[tuple[int, int]]) -> int:
        """Where the start will be when these ranges, which are in order, are done."""
        standings = self.standings
        offset = self.start_offset
        index = position = 0
        while True:
            while position < len(done) and done[position][1] < offset:
                position += 1
            if position < len(done) and done[position][0] <= offset:
                offset = done[position][1] + 1
                continue
            while index < len(standings) and standings.lasts[index] < offset:
                index += 1
            if index == len(standings) or not IS_DONE[standings.values[index].state]:
                return offset
            offset = standings.lasts[index] + 1

    # Changing ---------------------------------------------------------------------------------------------------------

    def apply(self, change: StateChange) -> None:
        """Let a change that is stored take effect."""
        start_offset = change.start_offset
        for first, last, delivery_state, delivery_count in change.batches:
            if last < start_offset:
                continue
            self.standings.put(first, last, Standing(delivery_state, delivery_count))
            if delivery_state == AVAILABLE and first < self._available_from:
                self._available_from = first
        self.complete_count = change.delivery_complete_count
        if start_offset > self.start_offset:
            self.start_offset = start_offset
            self.standings.drop_before(start_offset)
            if start_offset > self.end_offset:
                self.end_offset = start_offset

    def note(self, events: Iterable[Event]) -> None:
        """Let soft changes take effect."""
        for event in events:
            first, last = max(event.first_offset, self.start_offset), event.last_offset
            if last < first:
                continue
            if isinstance(event, Acquired):
                standing = Standing(ACQUIRED, event.delivery_count, event.member_id, event.locked_until_ms)
            else:
                standing = Standing(HIDDEN, event.delivery_count)
                self.complete_count += last - first + 1
            self.standings.put(first, last, standing)
            if last >= self.end_offset:
                self.end_offset = last + 1
