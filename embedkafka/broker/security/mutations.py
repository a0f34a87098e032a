"""What one request changes about topics, counted against its client's ``controller_mutation_rate`` (KIP-599)."""

from __future__ import annotations

from collections.abc import Callable

from embedkafka.errors import ThrottlingQuotaExceededError

Take = Callable[[int, bool], int]


class Mutations:
    """One request's changes, in partitions that are created or deleted.

    Requests of newer versions are strict: they are refused while the limit is exceeded, and their client comes again.
    Older ones change what they want, and their client waits until that is within the limit again.

    Args:
        take: counts partitions (and, strict, only where the limit is not exceeded); returns how long to wait then,
            milliseconds.

    Attributes:
        throttle_ms: how long the client has to be kept waiting after the reply.
    """

    def __init__(self, take: Take, *, is_strict: bool) -> None:
        self.throttle_ms = 0
        self._take = take
        self._is_strict = is_strict

    def record(self, partitions: int) -> None:
        """Count a change that would be possible, before it is made.

        Raises:
            ThrottlingQuotaExceededError: it must not be made now.
        """
        self.throttle_ms = max(self.throttle_ms, self._take(partitions, self._is_strict))
        if self._is_strict and self.throttle_ms:
            raise ThrottlingQuotaExceededError("The throttling quota has been exceeded.")
