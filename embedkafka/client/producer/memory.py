"""``buffer_memory``: how much a producer may hold that is not acknowledged."""

from __future__ import annotations

import threading

from embedkafka.clock import Clock
from embedkafka.errors import KafkaTimeoutError


class BufferMemory:
    """Counts bytes, per batch as Java's BufferPool does: a batch takes ``batch_size``, or its first record's size."""

    def __init__(self, total_bytes: int, clock: Clock) -> None:
        self.total_bytes = total_bytes
        self.available_bytes = total_bytes
        self.waiting = 0
        self._clock = clock
        # Taken directly where nobody waits: entering a Condition costs more than the rest.
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)

    def try_reserve(self, size_bytes: int) -> bool:
        """Take bytes if they are there."""
        with self._lock:
            if self.available_bytes < size_bytes:
                return False
            self.available_bytes -= size_bytes
            return True

    def reserve(self, size_bytes: int, timeout_ms: float) -> None:
        """Take bytes, waiting for acknowledgements to give some back.

        Raises:
            KafkaTimeoutError: there are not enough within ``timeout_ms``.
        """
        with self._condition:
            self.waiting += 1
            try:
                if not self._clock.wait(self._condition, lambda: self.available_bytes >= size_bytes, timeout_ms):
                    raise KafkaTimeoutError(
                        f"buffer_memory: {size_bytes} bytes were not free within max_block_ms ({timeout_ms:g} ms); "
                        f"{self.available_bytes} of {self.total_bytes} are"
                    )
                self.available_bytes -= size_bytes
            finally:
                self.waiting -= 1

    def release(self, size_bytes: int) -> None:
        """Give bytes back."""
        with self._lock:
            self.available_bytes += size_bytes
            if self.waiting:
                self._condition.notify_all()
