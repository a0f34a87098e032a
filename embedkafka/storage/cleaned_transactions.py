"""What compaction may leave out of transactions (Kafka's ``CleanedTransactionMetadata``).

Batches of aborted transactions go at once: no reader would see them.  A marker has to stay as long as any batch of its
transaction does, or what is left of it would look like a part of the producer's next one; so it may go when a cleaning
has met none of them, and then only after ``delete.retention.ms``, for the sake of readers who are in the middle.
"""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.record import BatchHeader, EndTransactionMarker
from embedkafka.storage.transaction_index import AbortedTransaction


class CleanedTransactions:
    """Walks over a log's batches with the cleaner, from the first to the last."""

    def __init__(self) -> None:
        self._to_come: list[AbortedTransaction] = []  # by first offset, the next one last
        self._aborted: dict[int, AbortedTransaction] = {}  # by producer id, those that are open here
        self._seen: set[int] = set()  # producers of these with a batch that is still there
        self._committed: set[int] = set()  # producers with a batch of a transaction that was not aborted

    def add(self, aborted: Iterable[AbortedTransaction]) -> None:
        """The aborted transactions that overlap the segment that comes next."""
        self._to_come = sorted({*self._to_come, *aborted}, key=lambda each: each.first_offset, reverse=True)

    def may_discard(self, header: BatchHeader) -> bool:
        """Pass a data batch; True when it belongs to an aborted transaction."""
        if not header.is_transactional:
            return False
        self._open_up_to(header)
        producer_id = header.producer_id
        if producer_id in self._aborted:
            self._seen.add(producer_id)
            return True
        self._committed.add(producer_id)
        return False

    def end(self, header: BatchHeader, marker: EndTransactionMarker | None) -> tuple[bool, AbortedTransaction | None]:
        """Pass a control batch.

        Args:
            marker: None where an earlier cleaning has emptied the batch.

        Returns:
            Whether it may go, and what the transaction index has to hold because it may not.
        """
        self._open_up_to(header)
        producer_id = header.producer_id
        if marker is None:
            return True, None
        if marker.commit:
            was_seen = producer_id in self._committed
            self._committed.discard(producer_id)
            return not was_seen, None
        aborted = self._aborted.pop(producer_id, None)
        was_seen = producer_id in self._seen
        self._seen.discard(producer_id)
        return (False, aborted) if aborted is not None and was_seen else (True, None)

    def _open_up_to(self, header: BatchHeader) -> None:
        while self._to_come and self._to_come[-1].first_offset <= header.last_offset:
            aborted = self._to_come.pop()
            if aborted.last_offset >= header.base_offset:
                self._aborted.setdefault(aborted.producer_id, aborted)
