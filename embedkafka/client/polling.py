"""What a ``poll`` and an iteration are, whichever consumer it is of."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator

from embedkafka.client.one_thread import OneThread
from embedkafka.record import ConsumerRecord


def poll_limit(timeout_ms: object, max_records: object, default: int) -> int:
    """How many records a poll may return, its arguments being right.

    Raises:
        TypeError, ValueError: they are not.
    """
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, (int, float)):
        raise TypeError(f"timeout_ms is a number, not {timeout_ms!r}")
    if not timeout_ms >= 0:
        raise ValueError(f"timeout_ms must not be negative: {timeout_ms}")
    if max_records is None:
        max_records = default
    if isinstance(max_records, bool) or not isinstance(max_records, int):
        raise TypeError(f"max_records is an int, not {max_records!r}")
    if max_records <= 0:
        raise ValueError(f"max_records must be positive: {max_records}")
    return max_records


class Iterating(OneThread):
    """A consumer that can be looped over: lists of records one after the other, each walked through in C."""

    _records: Iterator[ConsumerRecord] | None = None

    @abstractmethod
    def _chunks(self) -> Iterator[Iterator[ConsumerRecord]]:
        """One iterator over a list per look; a list that is emptied meanwhile ends its iterator."""

    def __iter__(self) -> Iterator[ConsumerRecord]:
        """Records for ever, or until none came for ``consumer_timeout_ms``."""
        return itertools.chain.from_iterable(self._chunks())

    def __next__(self) -> ConsumerRecord:
        if self._records is None:
            self._records = iter(self)
        try:
            return next(self._records)
        except BaseException:  # an iterator that has ended or raised is over, the consumer is not
            self._records = None
            raise
