"""The one door to time: now, waiting, timers, and the engine's tasks.

Everything that asks what time it is, waits, or wants to be called later asks a :class:`Clock`.  There are two:

* :class:`SystemClock` is real time.  One engine owns it and runs :meth:`SystemClock.run` on its housekeeping thread,
  which fires timers and runs tasks.
* :class:`ManualClock` stands still until a test moves it.  It has no thread: timers and tasks run on the thread that
  calls :meth:`ManualClock.advance` or that waits.  A wait with a timeout moves time itself, timer by timer.

A *task* is a piece of engine work that is due now (seal a batch, run a user's callback); a *timer* is one that is due
later.  Both run without any lock held, in order, one at a time.  Neither may raise: an error is logged, because the
thread that runs it is not the one that caused it.

Two readings of time, as in Kafka's ``org.apache.kafka.common.utils.Time``: :meth:`Clock.now_ms` is the wall clock and
stamps records and ages segments; :meth:`Clock.monotonic_ms` never goes back and is what deadlines are made of.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)

Task = Callable[[], None]


class Timer:
    """A call that is due at a moment; :meth:`cancel` takes it back."""

    __slots__ = ("background", "callback", "deadline_ms")

    def __init__(self, deadline_ms: float, callback: Task, background: bool) -> None:
        self.deadline_ms = deadline_ms
        self.background = background
        self.callback: Task | None = callback

    def cancel(self) -> None:
        """Make sure the call does not start any more; one that runs already is not interrupted."""
        self.callback = None


class Clock(ABC):
    """Now, waiting, timers and tasks.  Safe to call from any thread."""

    is_manual: bool = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._timers: list[tuple[float, int, Timer]] = []  # a heap, by deadline, then by age
        self._tasks: deque[Task] = deque()
        self._order = itertools.count()
        self._sleeps_until_ms = -math.inf  # the thread that runs timers looks by itself then, or earlier

    @abstractmethod
    def now_ms(self) -> int:
        """Wall-clock milliseconds since the epoch."""

    @abstractmethod
    def monotonic_ms(self) -> float:
        """Milliseconds that never go back; only differences mean anything."""

    @abstractmethod
    def wait(
        self, condition: threading.Condition, predicate: Callable[[], bool], timeout_ms: float | None = None
    ) -> bool:
        """Wait until ``predicate()`` is true or the time is up; returns the last value of the predicate.

        Args:
            condition: held once by the caller; released while waiting; notified by whoever makes the predicate true.
            predicate: cheap, without side effects; called with ``condition`` held.
            timeout_ms: milliseconds, 0 or more; None waits for ever.
        """

    @abstractmethod
    def yield_(self) -> None:
        """Let a thread that was just woken run now instead of after the interpreter's switch interval."""

    def call_soon(self, task: Task) -> None:
        """Run ``task`` at the engine's next turn, after those queued before it."""
        self._tasks.append(task)
        self._work_added()

    def call_later(self, delay_ms: float, callback: Task, *, background: bool = False) -> Timer:
        """Call ``callback`` once ``delay_ms`` milliseconds (0 or more) have passed; the timer can be cancelled.

        ``background`` marks upkeep that repeats for ever (retention, cleaning): it fires like any other, but a wait
        without a timeout on a :class:`ManualClock` does not hope for it.
        """
        timer = Timer(self.monotonic_ms() + max(0.0, delay_ms), callback, background)
        with self._lock:
            self._drop_cancelled_head()
            heapq.heappush(self._timers, (timer.deadline_ms, next(self._order), timer))
            if timer.deadline_ms < self._sleeps_until_ms:
                self._wake.notify_all()
        return timer

    @abstractmethod
    def _work_added(self) -> None:
        """A task is there: wake the thread that runs them, if there is one."""

    def _drop_cancelled_head(self) -> None:
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)

    def _run_tasks(self) -> bool:
        """Run the tasks queued so far and those they queue; True when there was any."""
        ran = False
        while True:
            try:
                task = self._tasks.popleft()
            except IndexError:
                return ran
            ran = True
            _run(task)

    def _pop_timer(self, now_ms: float) -> Timer | None:
        with self._lock:
            self._drop_cancelled_head()
            if self._timers and self._timers[0][0] <= now_ms:
                return heapq.heappop(self._timers)[2]
            return None

    def _next_deadline_ms(self) -> float | None:
        with self._lock:
            self._drop_cancelled_head()
            return self._timers[0][0] if self._timers else None


class SystemClock(Clock):
    """Real time.  :meth:`run` is the body of the housekeeping thread of the engine that owns this clock."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep = False
        self._stopped = False

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1000.0

    def wait(
        self, condition: threading.Condition, predicate: Callable[[], bool], timeout_ms: float | None = None
    ) -> bool:
        return condition.wait_for(predicate, None if timeout_ms is None else timeout_ms / 1000.0)

    def yield_(self) -> None:
        time.sleep(0)

    def run(self) -> None:
        """Run tasks and timers until :meth:`stop`; sleeps without waking when there is nothing to do."""
        while True:
            self._run_tasks()
            timer = self._pop_timer(self.monotonic_ms())
            if timer is not None:
                _fire(timer)
                continue
            with self._lock:
                self._asleep = True  # before looking: see _work_added
                if not self._tasks:
                    if self._stopped:
                        return
                    self._drop_cancelled_head()
                    timeout_s = None
                    self._sleeps_until_ms = math.inf
                    if self._timers:
                        self._sleeps_until_ms = self._timers[0][0]
                        timeout_s = max(0.0, (self._sleeps_until_ms - self.monotonic_ms()) / 1000.0)
                    self._wake.wait(timeout_s)
                    self._sleeps_until_ms = -math.inf
                self._asleep = False

    def stop(self) -> None:
        """Let :meth:`run` finish what is queued and return; timers that are not due are dropped."""
        with self._lock:
            self._stopped = True
            self._wake.notify_all()

    def _work_added(self) -> None:
        # Reading the flag without the lock keeps a busy producer from paying for a notify per batch.  Nothing is
        # missed: the work was queued before this look, and the housekeeper raises the flag before its own last look.
        if self._asleep:
            with self._lock:
                self._wake.notify_all()


class ManualClock(Clock):
    """A clock that only the test moves.

    Args:
        start_ms: the wall clock's first reading, milliseconds since the epoch.  Clients of a listener stamp records
            with the real time: where there are some, begin with that, ``int(time.time() * 1000)``.
        auto_advance: a wait with a timeout moves time itself, to the earlier of its deadline and the next timer.  With
            False, a wait that would need time to pass raises at once instead of hanging.
    """

    is_manual = True

    def __init__(self, start_ms: int = 1_700_000_000_000, *, auto_advance: bool = True) -> None:
        super().__init__()
        self._start_ms = start_ms
        self._elapsed_ms = 0.0
        self._auto_advance = auto_advance

    def now_ms(self) -> int:
        return self._start_ms + int(self._elapsed_ms)

    def monotonic_ms(self) -> float:
        return self._elapsed_ms

    def yield_(self) -> None:
        pass

    def _work_added(self) -> None:
        pass

    def advance(self, delta_ms: float) -> None:
        """Move time by ``delta_ms`` (0 or more), firing what falls due in order, until nothing is due or runnable."""
        if delta_ms < 0:
            raise ValueError(f"time does not go back: delta_ms is {delta_ms}")
        deadline_ms = self._elapsed_ms + delta_ms
        while self._step(deadline_ms):
            pass
        self._elapsed_ms = max(self._elapsed_ms, deadline_ms)
        while self._step(deadline_ms):
            pass

    def run_tasks(self) -> None:
        """Run the engine's tasks that are due now without moving time."""
        self._run_tasks()

    def wait(
        self, condition: threading.Condition, predicate: Callable[[], bool], timeout_ms: float | None = None
    ) -> bool:
        deadline_ms = None if timeout_ms is None else self._elapsed_ms + timeout_ms
        while not predicate():
            condition.release()
            try:
                limit_ms = deadline_ms if self._auto_advance else self._elapsed_ms
                progressed = self._step(limit_ms)
            finally:
                condition.acquire()
            if progressed:
                continue
            if predicate():
                return True
            if deadline_ms is not None and deadline_ms <= self._elapsed_ms:
                return False
            if deadline_ms is None or not self._auto_advance:
                raise RuntimeError(
                    "waiting on a ManualClock that nothing will move: no timer is due that could end this wait; "
                    "call advance(), give a timeout, or do what the wait is for first"
                )
            self._elapsed_ms = deadline_ms
        return True

    def _step(self, limit_ms: float | None) -> bool:
        """Run what is runnable, else fire the next timer at or before the limit; False when there is none.

        Without a limit it goes on as long as there is a timer that is not in the background.
        """
        if self._run_tasks():
            return True
        if limit_ms is None and not self._has_foreground_timer():
            return False
        next_ms = self._next_deadline_ms()
        if next_ms is None or (limit_ms is not None and next_ms > limit_ms):
            return False
        self._elapsed_ms = max(self._elapsed_ms, next_ms)
        timer = self._pop_timer(self._elapsed_ms)
        if timer is not None:
            _fire(timer)
        return True

    def _has_foreground_timer(self) -> bool:
        with self._lock:
            return any(timer.callback is not None and not timer.background for _, _, timer in self._timers)


def _fire(timer: Timer) -> None:
    callback = timer.callback
    if callback is not None:
        _run(callback)


def _run(task: Task) -> None:
    try:
        task()
    except Exception:
        _log.exception("an engine task failed: %r", task)
