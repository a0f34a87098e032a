"""Producer ids that no producer of this cluster has had before, whatever happened in between.

The catalog holds the first id that is not reserved.  A block is committed there before its first id is given out, and
what is left of a block when the engine ends, closed or killed, is never used (Kafka does the same, with blocks as
large).  So an engine that only reads commits nothing, and one that writes commits once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from embedkafka.broker.catalog import Catalog

BLOCK_SIZE = 1000  # ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE


class ProducerIds:
    """The ids of one engine.

    Args:
        beyond_all: an id behind all that was ever given out, asked for once after the catalog was lost.
    """

    def __init__(self, catalog: Catalog, beyond_all: Callable[[], int]) -> None:
        self._catalog = catalog
        self._beyond_all = beyond_all
        self._lock = threading.Lock()
        self._next = self._end = 0  # no block yet

    def next_id(self) -> int:
        """An id that was never given out.

        Raises:
            KafkaStorageError: the next block could not be committed, or after the catalog was lost, a log not opened.
        """
        with self._lock:
            if self._next == self._end:
                first = self._catalog.first_producer_id
                if first is None:
                    first = self._beyond_all()
                self._catalog.put_first_producer_id(first + BLOCK_SIZE)
                self._next, self._end = first, first + BLOCK_SIZE
            given, self._next = self._next, self._next + 1
            return given
