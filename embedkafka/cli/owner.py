"""Who holds a data directory, seen from outside."""

from __future__ import annotations

from pathlib import Path

from embedkafka.storage.broker_directory import CLEAN_SHUTDOWN_FILE


def is_settled(data: Path) -> bool:
    """Whether every broker of the directory was closed in an orderly way: then no file may end in half a batch.

    The clean-shutdown marker is written after everything else is synced and removed before the first write, so it also
    answers "is somebody writing".
    """
    brokers = [path for path in data.glob("broker-*") if path.is_dir()]
    return all((broker / CLEAN_SHUTDOWN_FILE).is_file() for broker in brokers)
