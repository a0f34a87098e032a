"""The cleaner: which compacted log is worked on, step by step between other work.

A log is *considered* from its first append on.  ``log.cleaner.backoff.ms`` later the dirtiest one that is due is
cleaned, then the next, until none is due; a log that cannot become due by waiting is forgotten until its next append.
Each step of a cleaning (about a megabyte) is a task of the clock, so timers and callbacks run in between.

``_lock`` comes between ``Topics.lock`` and ``Partition.lock`` in the lock order.  It is held during a step, so that a
topic is not deleted, nor the engine closed, under a step's hands.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from embedkafka.broker.store import Store
from embedkafka.clock import Clock, Timer
from embedkafka.config import BrokerConfig
from embedkafka.errors import BrokerResponseError
from embedkafka.storage.cleaner import CleaningPlan
from embedkafka.storage.compaction import CleaningStats, clean
from embedkafka.storage.config import LONG_MAX

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition

_log = logging.getLogger(__name__)

_BYTES_PER_KEY = 150  # measured in CPython: a short bytes object, an int and their place in a dict


class Cleaning:
    """The cleaner of one engine."""

    def __init__(self, config: BrokerConfig, store: Store, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._considered: dict[Partition, None] = {}
        self._current: Partition | None = None
        self._steps: Iterator[str] | None = None
        self._stats = CleaningStats()
        self._timer: Timer | None = None
        self._is_closed = False

    def consider(self, partition: Partition) -> None:
        """Look at a compacted partition at the next turn."""
        if not self._config.boolean("log.cleaner.enable"):
            return
        with self._lock:
            self._considered[partition] = None
            self._wait()

    @contextmanager
    def aborted(self, partition: Partition) -> Iterator[None]:
        """Stop working on a partition, and keep off it while the caller takes its files away."""
        with self._lock:
            self._considered.pop(partition, None)
            if self._current is partition:
                self._stop_current()
                self._wait()
            yield

    def close(self) -> None:
        """Stop; what is half done is undone."""
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._stop_current()

    def _stop_current(self) -> None:
        if self._steps is not None:
            self._steps.close()  # type: ignore[attr-defined]  # a generator's
        self._current = self._steps = None

    def _wait(self) -> None:
        if self._timer is None and self._current is None and not self._is_closed:
            delay_ms = self._config.integer("log.cleaner.backoff.ms")
            self._timer = self._clock.call_later(delay_ms, self._turn, background=True)

    def _turn(self) -> None:
        """Start with the dirtiest log, or wait again."""
        with self._lock:
            self._timer = None
            if self._is_closed or self._store.error_code:
                return
            chosen = self._dirtiest()
            if chosen is None:
                if self._considered:
                    self._wait()
                return
            partition, plan = chosen
            self._current = partition
            self._stats = CleaningStats()
            self._steps = clean(
                partition.log,
                plan,
                now_ms=self._clock.now_ms(),
                lock=partition.lock,
                stats=self._stats,
                max_keys=max(1, self._config.integer("log.cleaner.dedupe.buffer.size") // _BYTES_PER_KEY),
            )
        self._clock.call_soon(self._step)

    def _dirtiest(self) -> tuple[Partition, CleaningPlan] | None:
        found: tuple[Partition, CleaningPlan] | None = None
        now_ms = self._clock.now_ms()
        for partition in list(self._considered):
            try:
                plan = partition.log.plan_cleaning(self._cleaned_offset(partition), now_ms)
            except BrokerResponseError as error:
                _log.warning("%s is not compacted: %s", partition.topic_partition, error)
                del self._considered[partition]
                continue
            if plan is None:
                self._forget_unless_time_helps(partition)
            elif found is None or plan.dirty_ratio > found[1].dirty_ratio:
                found = partition, plan
        return found

    def _cleaned_offset(self, partition: Partition) -> int | None:
        return self._store.broker.cleaner_offsets.get(partition.topic_partition)

    def _forget_unless_time_helps(self, partition: Partition) -> None:
        config = partition.topic.log_config
        if config.is_compacted and (config.min_compaction_lag_ms > 0 or config.max_compaction_lag_ms < LONG_MAX):
            return
        partition.is_idle = True  # the next append reports again
        self._considered.pop(partition, None)

    def _step(self) -> None:
        with self._lock:
            steps, partition = self._steps, self._current
            if steps is None or partition is None:
                return
            try:
                next(steps)
            except StopIteration:
                self._finished(partition)
            except BrokerResponseError as error:
                _log.warning("compaction of %s failed: %s", partition.topic_partition, error)
                self._considered.pop(partition, None)
                self._current = self._steps = None
                self._wait()
                return
            except BaseException:  # Ctrl-C on the thread that moves a ManualClock, or a bug: begin anew later
                self._current = self._steps = None
                self._wait()
                raise
        self._clock.call_soon(self._step if self._steps is not None else self._turn)

    def _finished(self, partition: Partition) -> None:
        stats = self._stats
        self._current = self._steps = None
        if stats.end_offset >= 0:
            self._store.broker.cleaner_offsets[partition.topic_partition] = stats.end_offset
            self._store.broker.write_cleaner_offsets()
        _log.info(
            "%s: compacted to offset %d: %d of %d bytes, %d of %d records stay",
            partition.topic_partition,
            stats.end_offset,
            stats.bytes_after,
            stats.bytes_before,
            stats.records_after,
            stats.records_before,
        )
