"""Java's producer interceptors: they see every record before it is sent and every outcome after."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from embedkafka.errors import KafkaError
from embedkafka.model import ProducerRecord, RecordMetadata

_log = logging.getLogger(__name__)


class Interceptors:
    """The chain of a producer; an error in one is logged and the others go on, as in Java.

    Args:
        given: objects or classes with any of ``on_send(record) -> record``, ``on_acknowledgement(metadata, exception)``
            and ``close()``.
    """

    def __init__(self, given: Iterable[Any]) -> None:
        self._chain = [item() if isinstance(item, type) else item for item in given or ()]

    def __bool__(self) -> bool:
        return bool(self._chain)

    def on_send(self, record: ProducerRecord) -> ProducerRecord:
        """The record as the chain leaves it."""
        for interceptor in self._chain:
            on_send = getattr(interceptor, "on_send", None)
            if on_send is None:
                continue
            try:
                record = on_send(record)
            except Exception:
                _log.exception("interceptor %r failed in on_send", interceptor)
        return record

    def watch(self, future: Any) -> None:
        """Tell the chain what becomes of this record."""
        future.add_callback(lambda metadata: self._acknowledged(metadata, None))
        future.add_errback(lambda error: self._acknowledged(None, error))

    def _acknowledged(self, metadata: RecordMetadata | None, error: KafkaError | None) -> None:
        for interceptor in self._chain:
            on_acknowledgement = getattr(interceptor, "on_acknowledgement", None)
            if on_acknowledgement is None:
                continue
            try:
                on_acknowledgement(metadata, error)
            except Exception:
                _log.exception("interceptor %r failed in on_acknowledgement", interceptor)

    def close(self) -> None:
        """Close each of them."""
        for interceptor in self._chain:
            close = getattr(interceptor, "close", None)
            if close is None:
                continue
            try:
                close()
            except Exception:
                _log.exception("interceptor %r failed in close", interceptor)
