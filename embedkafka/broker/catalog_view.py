"""A part of the catalog as it is used: read into memory, looked at without a lock, changed by a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from embedkafka.broker.catalog import Catalog

T = TypeVar("T")


class CatalogView(Generic[T]):
    """What is under one prefix of the catalog.  Safe to use from any thread.

    A look never waits for a change that is being committed: it sees what held before.  A change that was interrupted
    has happened or not; whoever looks next reads the catalog again.

    Args:
        read: makes the value of what is under the prefix; the value is never changed, only replaced.
    """

    def __init__(self, catalog: Catalog, prefix: str, read: Callable[[Mapping[str, Any]], T]) -> None:
        self._catalog = catalog
        self._prefix = prefix
        self._read = read
        self._lock = threading.Lock()
        self._is_unsettled = False
        self._value = read(catalog.section(prefix))

    @property
    def value(self) -> T:
        """What holds now."""
        if self._is_unsettled and not self._lock.locked():
            with self._lock:
                if self._is_unsettled:
                    self._settle()
        return self._value

    def change(self, decide: Callable[[T], Mapping[str, Any]]) -> None:
        """Write in one commit what ``decide`` makes of the value, by key under the prefix; None removes.

        Raises:
            KafkaStorageError: it could not be written.
        """
        with self._lock:
            if self._is_unsettled:
                self._settle()
            changes = decide(self._value)
            self._is_unsettled = True
            try:
                self._catalog.change_section(self._prefix, changes)
            finally:
                self._settle()

    def _settle(self) -> None:
        self._value = self._read(self._catalog.section(self._prefix))
        self._is_unsettled = False
