"""How much was used lately, and how long to wait so that it is no more than allowed: pure, time is an argument."""

from __future__ import annotations

from collections import deque


class Rate:
    """What was used per second, over the last ``samples`` windows (``org.apache.kafka.common.metrics.stats.Rate``).

    The time that is measured over counts as ``samples - 1`` whole windows at least, so that a client that has just
    come may use a little more at once.
    """

    __slots__ = ("_samples", "last_ms", "samples", "window_ms")

    def __init__(self, samples: int, window_ms: int) -> None:
        self.samples = samples
        self.window_ms = window_ms
        self.last_ms = 0.0
        self._samples: deque[list[float]] = deque(maxlen=samples + 1)  # [start, last event, total], oldest first

    def record(self, amount: float, now_ms: float) -> None:
        """Note that something was used."""
        self.last_ms = now_ms
        if not self._samples or now_ms - self._samples[-1][0] >= self.window_ms:
            self._samples.append([now_ms, now_ms, 0.0])
        sample = self._samples[-1]
        sample[1] = now_ms
        sample[2] += amount

    def per_second(self, now_ms: float) -> float:
        """What was used a second."""
        elapsed_ms = self._elapsed_ms(now_ms)
        return sum(total for _, _, total in self._samples) * 1000.0 / elapsed_ms

    def throttle_ms(self, limit: float, now_ms: float) -> int:
        """How long to wait, milliseconds, until no more than ``limit`` a second was used."""
        used = self.per_second(now_ms)
        if used <= limit:
            return 0
        return round((used - limit) / limit * self._elapsed_ms(now_ms))

    def _elapsed_ms(self, now_ms: float) -> float:
        samples = self._samples
        while samples and now_ms - samples[0][1] >= self.samples * self.window_ms:
            samples.popleft()
        elapsed_ms = now_ms - samples[0][0] if samples else 0.0
        missing = self.samples - 1 - int(elapsed_ms // self.window_ms)
        return max(elapsed_ms + max(0, missing) * self.window_ms, 1.0)


class TokenBucket:
    """Tokens that come at a rate and are kept for a burst (KIP-599); may go below zero.

    ``burst_s`` is how many seconds' worth are kept.
    """

    __slots__ = ("_tokens", "_updated_ms", "burst_s")

    def __init__(self, burst_s: float) -> None:
        self.burst_s = burst_s
        self._tokens: float | None = None  # full
        self._updated_ms = 0.0

    @property
    def last_ms(self) -> float:
        return self._updated_ms

    def record(self, amount: float, limit: float, now_ms: float) -> None:
        """Take tokens."""
        self._tokens = self._filled(limit, now_ms) - amount
        self._updated_ms = now_ms

    def throttle_ms(self, limit: float, now_ms: float) -> int:
        """How long to wait until there are no tokens missing."""
        missing = -self._filled(limit, now_ms)
        return round(missing / limit * 1000.0) if missing > 0 else 0

    def _filled(self, limit: float, now_ms: float) -> float:
        full = limit * self.burst_s
        if self._tokens is None:
            return full
        return min(full, self._tokens + limit * (now_ms - self._updated_ms) / 1000.0)
