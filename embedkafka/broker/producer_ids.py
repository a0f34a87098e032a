"""Producer ids that no producer of this cluster has had before, whatever happened in between.

The catalog holds the first id of a block.  A session that begins after a clean close takes its ids from that block and
commits nothing: a crash leaves the clean marker away, and whoever opens then commits the next block before it gives out
an id.  A clean close commits the first id that was not used.  So starting an engine, which every short program does,
costs no commit, and at most a block of a thousand is lost to a crash (Kafka's blocks are as large).
"""

from __future__ import annotations

import threading

from embedkafka.broker.catalog import Catalog

BLOCK_SIZE = 1000  # ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE


class ProducerIds:
    """The ids of one engine.

    Args:
        may_continue: the last session ended with a clean close, or has left no log that could know an id.
        lost_from: where to begin if the catalog was lost and logs were not: behind all that was ever given out.
    """

    def __init__(self, catalog: Catalog, *, may_continue: bool, lost_from: int | None = None) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._may_continue = may_continue
        self._lost_from = lost_from
        self._next = -1  # -1: none was given out yet
        self._end = -1

    def next_id(self) -> int:
        """An id that was never given out.

        Raises:
            KafkaStorageError: the next block could not be committed.
        """
        with self._lock:
            if self._next == self._end:
                first = self._first_of_block()
                self._next, self._end = first, first + BLOCK_SIZE
            given, self._next = self._next, self._next + 1
            return given

    def _first_of_block(self) -> int:
        if self._next >= 0:
            first = self._next
        elif self._lost_from is not None:
            first = self._lost_from
        elif self._may_continue:
            return self._catalog.first_producer_id
        else:
            first = self._catalog.first_producer_id + BLOCK_SIZE
        self._catalog.put_first_producer_id(first)
        return first

    def close(self) -> None:
        """Commit what was not used; before the directory is marked as cleanly closed.

        Raises:
            KafkaStorageError: it could not be committed.
        """
        with self._lock:
            if self._next >= 0:
                self._catalog.put_first_producer_id(self._next)
