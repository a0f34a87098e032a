"""What a share consumer holds of one partition, compared with a plain dict."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from embedkafka import ConsumerRecord, TopicPartition
from embedkafka.broker.api import AcknowledgementBatch, AcquiredRecords
from embedkafka.client.share_consumer.in_flight import (
    ACCEPT,
    ACQUIRED,
    AGAIN,
    GAP,
    HELD,
    REJECT,
    RELEASE,
    RENEW,
    InFlight,
)
from embedkafka.errors import IllegalStateError
from embedkafka.model import TopicIdPartition

LOCK_ENDS = 30_000.0


def in_flight() -> InFlight:
    session: Any = None
    return InFlight(TopicPartition("jobs", 0), TopicIdPartition(UUID(int=1), 0), session)


def record(offset: int) -> ConsumerRecord:
    return ConsumerRecord("jobs", 0, 0, offset, 0, 0, None, b"", [], None, -1, 0, -1)


def held(*offsets: int) -> InFlight:
    """Records from the first to the last of these offsets, the others gaps."""
    holding = in_flight()
    holding.acquire([AcquiredRecords(offsets[0], offsets[-1], 1)], LOCK_ENDS)
    holding.hand_out([record(offset) for offset in offsets], offsets[0], offsets[-1] + 1)
    return holding


def sent(holding: InFlight) -> list[AcknowledgementBatch]:
    return [each.batch() for each in holding.collect()]


def test_records_of_one_kind_are_one_entry() -> None:
    holding = held(5, 6, 7)
    for offset in (5, 6, 7):
        holding.acknowledge(offset, ACCEPT)
    assert sent(holding) == [AcknowledgementBatch(5, 7, bytes((ACCEPT,)))]


def test_neighbours_of_several_kinds_are_one_entry_with_a_type_each() -> None:
    holding = held(5, 6, 7)
    for offset, type_ in ((5, ACCEPT), (6, REJECT), (7, RELEASE)):
        holding.acknowledge(offset, type_)
    assert sent(holding) == [AcknowledgementBatch(5, 7, bytes((ACCEPT, REJECT, RELEASE)))]


def test_an_offset_without_a_record_is_sent_as_a_gap() -> None:
    holding = held(5, 7)
    holding.acknowledge(5, ACCEPT)
    assert sent(holding) == [AcknowledgementBatch(5, 6, bytes((ACCEPT, GAP)))]


def test_the_last_word_on_a_record_counts() -> None:
    holding = held(5)
    holding.acknowledge(5, RELEASE)
    holding.acknowledge(5, ACCEPT)
    assert sent(holding) == [AcknowledgementBatch(5, 5, bytes((ACCEPT,)))]


@pytest.mark.parametrize("offset", [4, 6, 8])
def test_a_record_that_is_not_held_cannot_be_acknowledged(offset: int) -> None:
    holding = held(5, 7)
    with pytest.raises(IllegalStateError, match=f"offset {offset} of jobs-0"):
        holding.acknowledge(offset, ACCEPT)


def test_a_settled_record_cannot_be_acknowledged_again() -> None:
    holding = held(5, 6)
    holding.acknowledge(5, ACCEPT)
    holding.settle(holding.collect(), succeeded=True, renewed_until_ms=LOCK_ENDS)
    with pytest.raises(IllegalStateError):
        holding.acknowledge(5, ACCEPT)
    assert holding.held_count == 1


def test_what_was_collected_and_not_settled_is_collected_again() -> None:
    holding = held(5, 6)
    holding.acknowledge(6, REJECT)
    assert sent(holding) == sent(holding) == [AcknowledgementBatch(6, 6, bytes((REJECT,)))]


def test_a_renewed_record_comes_again_and_can_be_acknowledged_before() -> None:
    holding = held(5, 6)
    holding.acknowledge(5, RENEW)
    holding.acknowledge(6, RENEW)
    holding.settle(holding.collect(), succeeded=True, renewed_until_ms=LOCK_ENDS)
    holding.acknowledge(6, ACCEPT)
    again: list[ConsumerRecord] = []
    holding.take_again(10, 0, again)
    assert [each.offset for each in again] == [5]
    assert sent(holding) == [AcknowledgementBatch(6, 6, bytes((ACCEPT,)))]


def test_a_record_whose_lock_has_ended_does_not_come_again() -> None:
    holding = held(5, 6)
    holding.give_back([record(5)])
    again: list[ConsumerRecord] = []
    holding.take_again(10, LOCK_ENDS, again)
    assert again == []
    with pytest.raises(IllegalStateError):
        holding.acknowledge(5, ACCEPT)
    assert holding.held_count == 1


def test_a_renewal_that_fails_is_the_end() -> None:
    holding = held(5)
    holding.acknowledge(5, RENEW)
    holding.settle(holding.collect(), succeeded=False)
    assert holding.is_idle
    assert not holding.again


class HeldOffsets(RuleBasedStateMachine):
    """Any sequence of what a consumer does, against ``{offset: state}``."""

    def __init__(self) -> None:
        super().__init__()
        self.real = in_flight()
        self.model: dict[int, int] = {}
        self.next_offset = 0

    @rule(skip=st.integers(0, 2), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
    def acquire(self, skip: int, sizes: list[int]) -> None:
        self.next_offset += skip
        entries = []
        for size in sizes:
            entries.append(AcquiredRecords(self.next_offset, self.next_offset + size - 1, 1))
            self.next_offset += size
        self._acquire(entries)

    @precondition(lambda self: self.next_offset > 2)
    @rule(data=st.data())
    def acquire_what_had_run_out(self, data: Any) -> None:
        first = data.draw(st.integers(0, self.next_offset - 1))
        last = data.draw(st.integers(first, min(first + 4, self.next_offset - 1)))
        self._acquire([AcquiredRecords(first, last, 2)])

    def _acquire(self, entries: list[AcquiredRecords]) -> None:
        self.real.acquire(entries, LOCK_ENDS)
        for entry in entries:
            self.model.update(dict.fromkeys(range(entry.first_offset, entry.last_offset + 1), ACQUIRED))

    @rule(data=st.data())
    def hand_out(self, data: Any) -> None:
        waiting = sorted(offset for offset, state in self.model.items() if state == ACQUIRED)
        if not waiting:
            return
        end = waiting[0]
        while end in self.model and self.model[end] == ACQUIRED:
            end += 1
        end = data.draw(st.integers(waiting[0] + 1, end))
        there = data.draw(st.sets(st.integers(waiting[0], end - 1)))
        self.real.hand_out([record(offset) for offset in sorted(there)], waiting[0], end)
        for offset in range(waiting[0], end):
            self.model[offset] = HELD if offset in there else GAP

    @rule(offset=st.integers(0, 40), type_=st.integers(ACCEPT, RENEW))
    def acknowledge(self, offset: int, type_: int) -> None:
        if GAP < self.model.get(offset, ACQUIRED) < ACQUIRED:
            self.real.acknowledge(offset, type_)
            self.model[offset] = type_
        else:
            with pytest.raises(IllegalStateError):
                self.real.acknowledge(offset, type_)

    @rule()
    def accept_held(self) -> None:
        self.real.accept_held()
        self.model = {offset: ACCEPT if state == HELD else state for offset, state in self.model.items()}

    @rule(succeeded=st.booleans())
    def send(self, succeeded: bool) -> None:
        collected = self.real.collect()
        told: dict[int, int] = {}
        for each in collected:
            first, last, types = each.batch()
            types = types if len(types) > 1 else types * (last - first + 1)
            told.update(zip(range(first, last + 1), types, strict=True))
        assert told == {offset: state for offset, state in self.model.items() if state <= RENEW}
        self.real.settle(collected, succeeded=succeeded, renewed_until_ms=LOCK_ENDS)
        for offset, state in told.items():
            if state == RENEW and succeeded:
                self.model[offset] = AGAIN
            else:
                del self.model[offset]

    @rule(data=st.data())
    def drop(self, data: Any) -> None:
        waiting = sorted(offset for offset, state in self.model.items() if state in (ACQUIRED, AGAIN))
        if waiting:
            offset = data.draw(st.sampled_from(waiting))
            self.real.drop(offset, offset + 1)
            del self.model[offset]

    @rule(limit=st.integers(1, 5))
    def take_again(self, limit: int) -> None:
        expected = sorted(offset for offset, state in self.model.items() if state == AGAIN)[:limit]
        again: list[ConsumerRecord] = []
        self.real.take_again(limit, 0, again)
        assert [each.offset for each in again] == expected
        self.model.update(dict.fromkeys(expected, HELD))

    @rule(data=st.data())
    def give_back(self, data: Any) -> None:
        waiting = sorted(offset for offset, state in self.model.items() if state == HELD)
        kept_back = data.draw(st.sets(st.sampled_from(waiting))) if waiting else set()
        self.real.give_back([record(offset) for offset in kept_back])
        self.model.update(dict.fromkeys(kept_back, AGAIN))

    @invariant()
    def the_same_is_held(self) -> None:
        states = list(self.model.values())
        assert self.real.held_count == states.count(HELD)
        assert self.real.again.keys() == {offset for offset, state in self.model.items() if state == AGAIN}


TestHeldOffsets = HeldOffsets.TestCase
