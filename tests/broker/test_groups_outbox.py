"""What a shard owes to others is delivered, whatever happens to the thread that delivers."""

from __future__ import annotations

import logging

import pytest

from embedkafka.broker.groups.outbox import Outbox
from embedkafka.clock import ManualClock


def test_calls_are_made_in_order_and_once() -> None:
    outbox, made = Outbox(ManualClock()), list[int]()
    for number in range(3):
        outbox.add(lambda number=number: made.append(number))  # type: ignore[misc]
    outbox.deliver()
    outbox.deliver()
    assert made == [0, 1, 2]


def test_a_call_that_nobody_delivers_is_made_at_the_engines_next_turn() -> None:
    clock, made = ManualClock(), list[str]()
    Outbox(clock).add(lambda: made.append("made"))
    clock.run_tasks()
    assert made == ["made"]


def test_a_call_that_was_interrupted_is_made_again() -> None:
    clock, made = ManualClock(), list[str]()

    def interrupted_once() -> None:
        made.append("made")
        if len(made) == 1:
            raise KeyboardInterrupt

    outbox = Outbox(clock)
    outbox.add(interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver()
    clock.run_tasks()
    outbox.deliver()
    assert made == ["made", "made"]


def test_a_call_may_deliver_itself_without_being_made_again() -> None:
    outbox, made = Outbox(ManualClock()), list[str]()

    def again() -> None:
        made.append("first")
        outbox.deliver()

    outbox.add(again)
    outbox.add(lambda: made.append("second"))
    outbox.deliver()
    assert made == ["first", "second"]


def test_a_call_that_fails_is_logged_and_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    outbox, made = Outbox(ManualClock()), list[str]()
    outbox.add(lambda: 1 / 0)
    outbox.add(lambda: made.append("made"))
    with caplog.at_level(logging.ERROR):
        outbox.deliver()
    assert made == ["made"]
    assert "was not taken" in caplog.text
