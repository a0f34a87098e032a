"""What is known about one batch's delivery; what the futures of its records point to."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from embedkafka.errors import KafkaError, KafkaTimeoutError
from embedkafka.model import RecordMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.deferred import DeferredCalls
    from embedkafka.client.producer.lane import Lane
    from embedkafka.clock import Clock

_log = logging.getLogger(__name__)

OnSuccess = Callable[[RecordMetadata], object]
OnFailure = Callable[[KafkaError], object]


class Signal:
    """One condition for everybody who waits for one producer's batches; free as long as nobody waits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.condition = threading.Condition()
        self.waiting = 0

    def wait(self, predicate: Callable[[], bool], timeout_ms: float | None) -> bool:
        """Wait until the predicate is true; False when the time is up."""
        with self.condition:
            # Counted before the predicate is asked: whoever makes it true afterwards sees that somebody waits.
            self.waiting += 1
            try:
                return self.clock.wait(self.condition, predicate, timeout_ms)
            finally:
                self.waiting -= 1

    def wake(self) -> bool:
        """Wake those who wait; True when there was anybody."""
        if not self.waiting:
            return False
        with self.condition:
            self.condition.notify_all()
        return True


class Delivery:
    """One batch's way from its first record to its acknowledgement.

    Attributes:
        is_done: acknowledged or failed for good; nothing here changes any more.
        error: why it failed, or None.
        base_offset: of the batch's first record, -1 when not known (``acks=0``).
        log_append_time_ms: the broker's timestamp, or -1 where the records keep theirs.
        created_ms: when the batch was opened, on the monotonic clock.
        reserved_bytes: what it holds of ``buffer_memory``.
    """

    __slots__ = (
        "_calls",
        "_calls_pending",
        "_lane",
        "_signal",
        "base_offset",
        "created_ms",
        "error",
        "is_done",
        "log_append_time_ms",
        "reserved_bytes",
        "topic_partition",
    )

    def __init__(self, lane: Lane | None, signal: Signal, topic_partition: TopicPartition, reserved_bytes: int) -> None:
        self._lane = lane
        self._signal = signal
        self.topic_partition = topic_partition
        self.reserved_bytes = reserved_bytes
        self.created_ms = signal.clock.monotonic_ms()
        self.is_done = False
        self.error: KafkaError | None = None
        self.base_offset = -1
        self.log_append_time_ms = -1
        self._calls: deque[tuple[int, Any, OnSuccess | None, OnFailure | None]] = deque()
        self._calls_pending = False

    # Completing ----------------------------------------------------------------------------------------------------

    def complete(self, base_offset: int, log_append_time_ms: int, deferred: DeferredCalls) -> bool:
        """The batch was acknowledged.  May be repeated after an interrupt.  True when somebody waited for it."""
        self.base_offset = base_offset
        self.log_append_time_ms = log_append_time_ms
        return self._finish(deferred)

    def fail(self, error: KafkaError, deferred: DeferredCalls) -> bool:
        """The batch failed for good.  True when somebody waited for it."""
        self.error = error
        return self._finish(deferred)

    def _finish(self, deferred: DeferredCalls) -> bool:
        # Done first, then the callbacks: one that subscribes in between finds the batch done and runs its own.
        if self._calls:
            self._calls_pending = True
        self.is_done = True
        self._lane = None
        if self._calls:
            self._calls_pending = True
            deferred.add(self._run_calls)
        return self._signal.wake()

    # Callbacks -----------------------------------------------------------------------------------------------------

    def subscribe(self, future: Any, on_success: OnSuccess | None, on_failure: OnFailure | None) -> None:
        """Call one of the two for a record of this batch; at once when it is done already."""
        self._calls.append((future.batch_index, future, on_success, on_failure))
        if self.is_done:
            self._run_calls()

    def _run_calls(self) -> None:
        """Run what is subscribed, in offset order; each entry is popped, and so run, exactly once."""
        try:
            calls = []
            while self._calls:
                try:
                    calls.append(self._calls.popleft())
                except IndexError:  # another thread took the last one
                    break
            calls.sort(key=lambda call: call[0])
            for _, future, on_success, on_failure in calls:
                try:
                    if self.error is not None:
                        if on_failure is not None:
                            on_failure(self.error)
                    elif on_success is not None:
                        on_success(future.value)
                except Exception:
                    _log.exception("a callback of a record sent to %s failed", self.topic_partition)
        finally:
            self._calls_pending = False
            self._signal.wake()

    # Waiting -------------------------------------------------------------------------------------------------------

    def seal(self) -> None:
        """Send the batch on its way now."""
        lane = self._lane
        if lane is not None:
            lane.seal()
            lane.after_call()

    @property
    def is_settled(self) -> bool:
        """Done, and its callbacks have run."""
        return self.is_done and not self._calls_pending

    def wait(self, timeout: float | None) -> None:
        """Seal the batch and wait until it is done and, unless this is one of them, its callbacks have run.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            KafkaTimeoutError: it is not done in that time.
        """
        lane = self._lane
        if lane is None:
            return
        timeout_ms = None if timeout is None else max(0.0, timeout * 1000.0)
        self.seal()
        if self.is_settled:
            return
        if lane.runs_callbacks_here():
            arrived = self.is_done or self._signal.wait(lambda: self.is_done, timeout_ms)
        else:
            arrived = self._signal.wait(lambda: self.is_settled, timeout_ms)
        if not arrived and not self.is_done:
            raise KafkaTimeoutError(
                f"no acknowledgement for the batch of {self.topic_partition} within {timeout} seconds"
            )
