"""Time is one object: what fires, in which order, and what a wait does to it."""

from __future__ import annotations

import threading

import pytest

from embedkafka.clock import Clock, ManualClock, SystemClock


def _wait(clock: Clock, predicate, timeout_ms):
    condition = threading.Condition()
    with condition:
        return clock.wait(condition, predicate, timeout_ms)


def test_a_manual_clock_stands_still():
    clock = ManualClock(start_ms=5_000)
    assert (clock.now_ms(), clock.now_ms()) == (5_000, 5_000)


def test_advance_moves_wall_and_monotonic_time_together():
    clock = ManualClock(start_ms=5_000)
    clock.advance(250)
    assert (clock.now_ms(), clock.monotonic_ms()) == (5_250, 250)


def test_advance_refuses_to_go_back():
    clock = ManualClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert clock.monotonic_ms() == 0


def test_timers_fire_in_order_of_deadline_then_age_at_their_own_moment():
    clock, fired = ManualClock(), []
    for name, delay_ms in (("c", 30), ("a", 10), ("b", 10)):
        clock.call_later(delay_ms, lambda name=name: fired.append((name, clock.monotonic_ms())))
    clock.advance(100)
    assert fired == [("a", 10), ("b", 10), ("c", 30)]


def test_a_cancelled_timer_does_not_fire():
    clock, fired = ManualClock(), []
    clock.call_later(10, lambda: fired.append("kept"))
    clock.call_later(5, lambda: fired.append("cancelled")).cancel()
    clock.advance(10)
    assert fired == ["kept"]


def test_advance_fires_timers_set_by_timers_within_the_same_span():
    clock, fired = ManualClock(), []
    clock.call_later(10, lambda: clock.call_later(10, lambda: fired.append(clock.monotonic_ms())))
    clock.advance(20)
    assert fired == [20]


def test_advance_by_nothing_runs_the_tasks_and_those_they_queue():
    clock, ran = ManualClock(), []
    clock.call_soon(lambda: (ran.append(1), clock.call_soon(lambda: ran.append(2))))
    clock.advance(0)
    assert ran == [1, 2]


def test_a_wait_moves_time_only_to_the_timer_that_ends_it():
    clock, done = ManualClock(), []
    clock.call_later(100, lambda: done.append(True))
    assert _wait(clock, lambda: bool(done), 500)
    assert clock.monotonic_ms() == 100


def test_a_wait_that_times_out_has_moved_time_to_its_deadline():
    clock = ManualClock()
    assert not _wait(clock, lambda: False, 500)
    assert clock.monotonic_ms() == 500


def test_a_wait_for_ever_that_nothing_can_end_raises_instead_of_hanging():
    with pytest.raises(RuntimeError, match="nothing will move"):
        _wait(ManualClock(), lambda: False, None)


def test_a_wait_for_ever_does_not_hope_for_background_timers():
    clock = ManualClock()

    def upkeep() -> None:
        clock.call_later(1_000, upkeep, background=True)

    upkeep()
    with pytest.raises(RuntimeError, match="nothing will move"):
        _wait(clock, lambda: False, None)


def test_without_auto_advance_a_wait_that_needs_time_raises_at_once():
    clock = ManualClock(auto_advance=False)
    with pytest.raises(RuntimeError, match="nothing will move"):
        _wait(clock, lambda: False, 500)
    assert clock.monotonic_ms() == 0


def test_without_auto_advance_a_wait_of_nothing_just_looks():
    assert not _wait(ManualClock(auto_advance=False), lambda: False, 0)


def test_a_failing_task_is_logged_and_the_next_one_runs(caplog):
    clock, ran = ManualClock(), []
    clock.call_soon(lambda: 1 / 0)
    clock.call_soon(lambda: ran.append(True))
    clock.advance(0)
    assert ran
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture
def running_clock():
    clock = SystemClock()
    thread = threading.Thread(target=clock.run)
    thread.start()
    yield clock
    clock.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_the_housekeeper_wakes_for_a_task(running_clock):
    ran = threading.Event()
    running_clock.call_soon(ran.set)
    assert ran.wait(5)


def test_the_housekeeper_wakes_for_a_timer_earlier_than_the_one_it_sleeps_for(running_clock):
    fired = threading.Event()
    running_clock.call_later(3_600_000, lambda: None)
    running_clock.call_later(1, fired.set)
    assert fired.wait(5)


def test_a_timer_later_than_the_one_it_sleeps_for_lets_the_housekeeper_sleep(running_clock, monkeypatch):
    """Also when that one was cancelled: readers that wait and are answered, again and again, cost no thread switch."""
    timer = running_clock.call_later(3_600_000, lambda: None)
    while running_clock._sleeps_until_ms != timer.deadline_ms:
        running_clock.yield_()
    woken = []
    monkeypatch.setattr(running_clock._wake, "notify_all", lambda: woken.append(None))
    for _ in range(100):
        timer.cancel()
        timer = running_clock.call_later(3_600_000, lambda: None)
    monkeypatch.undo()
    assert not woken


def test_stop_lets_queued_tasks_finish():
    clock, ran = SystemClock(), []
    for number in range(100):
        clock.call_soon(lambda number=number: ran.append(number))
    clock.stop()
    clock.run()
    assert ran == list(range(100))


def test_no_task_is_missed_when_many_threads_queue_them(running_clock):
    ran, done = [], threading.Event()

    def run_one() -> None:
        ran.append(None)
        if len(ran) == 4_000:
            done.set()

    threads = [
        threading.Thread(target=lambda: [running_clock.call_soon(run_one) for _ in range(1_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.wait(10)
