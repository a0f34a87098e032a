"""Big logs on disk, built once per run and shared by the claims that only read them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks._project import TOPIC, engine, producer

_VALUE_BYTES = 10_000


def size_limit_bytes() -> int:
    """How much the largest log may hold: ``EMBEDKAFKA_BENCHMARK_BYTES`` (10 GB), at most a third of what is free."""
    wanted = int(float(os.environ.get("EMBEDKAFKA_BENCHMARK_BYTES", "10e9")))
    return min(wanted, shutil.disk_usage(_root()).free // 3)


@functools.cache
def _root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="embedkafka-benchmark-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


@functools.cache
def log_of(size_bytes: int) -> tuple[Path, int]:
    """A cleanly closed directory whose topic holds about ``size_bytes``, and how many records that is."""
    directory = _root() / str(size_bytes)
    count = max(1, size_bytes // _VALUE_BYTES)
    value = os.urandom(_VALUE_BYTES - 8)
    with engine(directory) as kafka, producer(kafka, batch_size=1_000_000) as client:
        for number in range(count):
            client.send(TOPIC, value=b"%08d" % number + value)
        client.flush()
    return directory, count
