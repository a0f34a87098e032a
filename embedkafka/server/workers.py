"""A bounded pool of threads for calls that may wait for a disk or a lock.

The standard library's executor would do the same with a future, two locks and a work item per call, and its threads end
before ours are told to.  Here the loop alone hands out work and hears of its end, so a count is enough.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

_log = logging.getLogger(__name__)

Task = Callable[[], None]


class Workers:
    """Threads, started as they are needed and kept.

    :meth:`submit` and :meth:`finished` are called on the loop's thread.

    Args:
        limit: how many threads at most (``num.io.threads``).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.pending = 0

    @property
    def waiting(self) -> int:
        """How many tasks wait for a thread."""
        return max(0, self.pending - self._limit)

    def submit(self, task: Task) -> None:
        """Run ``task``, which never raises, on a thread; it makes the loop call :meth:`finished` at its end."""
        self.pending += 1
        if self.pending > len(self._threads) < self._limit:
            thread = threading.Thread(target=self._run, name=f"embedkafka-worker-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._tasks.put(task)

    def finished(self) -> None:
        """One task is done."""
        self.pending -= 1

    def close(self) -> None:
        """Let the threads end after what is queued, and wait for them.  From any thread but theirs."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._threads.clear()

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            try:
                task()
            except Exception:
                _log.exception("a listener's task failed: %r", task)
            del task  # holds a request's frame
