from __future__ import annotations

import threading
from typing import Any

import pytest
from broker.interrupts import every_line, interrupted_at

from embedkafka.broker.deferred import DeferredCalls
from embedkafka.clock import ManualClock, SystemClock


def test_calls_run_in_order_when_the_engine_runs_its_tasks() -> None:
    clock = ManualClock()
    deferred = DeferredCalls(clock)
    seen: list[int] = []
    for number in range(5):
        deferred.add(lambda number=number: seen.append(number))  # type: ignore[misc]
    assert seen == []
    assert not deferred.is_idle
    clock.run_tasks()
    assert seen == [0, 1, 2, 3, 4]
    assert deferred.is_idle


def test_a_failing_call_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    deferred = DeferredCalls(clock)
    seen: list[str] = []
    deferred.add(lambda: 1 / 0)
    deferred.add(lambda: seen.append("next"))
    clock.run_tasks()
    assert seen == ["next"]
    assert "ZeroDivisionError" in caplog.text


def test_a_call_may_add_calls_and_knows_where_it_runs() -> None:
    clock = ManualClock()
    deferred = DeferredCalls(clock)
    seen: list[Any] = []

    def first() -> None:
        seen.append(deferred.is_running_here())
        deferred.add(lambda: seen.append("second"))

    deferred.add(first)
    clock.run_tasks()
    assert seen == [True, "second"]
    assert not deferred.is_running_here()


def test_an_interrupted_run_leaves_the_rest_for_the_next() -> None:
    clock = ManualClock()
    deferred = DeferredCalls(clock)
    seen: list[str] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    deferred.add(interrupt)
    deferred.add(lambda: seen.append("rest"))
    with pytest.raises(KeyboardInterrupt):
        clock.run_tasks()
    clock.run_tasks()
    assert seen == ["rest"]
    assert deferred.is_idle


def test_a_housekeeping_thread_runs_them_all() -> None:
    clock = SystemClock()
    deferred = DeferredCalls(clock)
    housekeeper = threading.Thread(target=clock.run)
    housekeeper.start()
    seen: list[int] = []
    done = threading.Event()
    for number in range(200):
        deferred.add(lambda number=number: seen.append(number))  # type: ignore[misc]
    deferred.add(done.set)
    assert done.wait(10)
    clock.stop()
    housekeeper.join()
    assert seen == list(range(200))


def test_after_an_interrupt_at_any_line_later_calls_run() -> None:
    for line in every_line():
        clock = ManualClock()
        deferred, ran = DeferredCalls(clock), list[int]()

        def run_one(deferred: DeferredCalls = deferred, clock: ManualClock = clock) -> None:
            deferred.add(lambda: None)
            clock.run_tasks()

        was_interrupted = interrupted_at(line, run_one)
        deferred.add(lambda ran=ran: ran.append(1))  # type: ignore[misc]
        clock.run_tasks()
        assert ran == [1], f"interrupted at line {line}"
        assert not deferred.is_running_here()
        if not was_interrupted:
            break
