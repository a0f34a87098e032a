"""What the compiled and the plain codec have in common: nothing here runs once per record."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

HeaderList = list[tuple[str, bytes | None]]

RECORD_FIELDS = (
    "topic",
    "partition",
    "leader_epoch",
    "offset",
    "timestamp",
    "timestamp_type",
    "key",
    "value",
    "headers",
    "checksum",
    "serialized_key_size",
    "serialized_value_size",
    "serialized_header_size",
)
"""kafka-python's fields of a consumed record, in its order."""


class Record(NamedTuple):
    """One record as internal readers see it (coordinators, the cleaner, the command line)."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: HeaderList


def await_future(future: Any) -> Generator[Any, None, Any]:
    """What ``await future`` runs, under asyncio: seal the batch, and be woken by whatever thread completes it."""
    if not future.is_done:
        import asyncio

        loop = asyncio.get_running_loop()
        waiter = loop.create_future()

        def wake() -> None:
            if not waiter.done():  # the task that waits may have been cancelled
                waiter.set_result(None)

        future.add_both(lambda _: loop.call_soon_threadsafe(wake))
        future.delivery.seal()
        yield from waiter
    return future.get()
