from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker.support import START_MS, Broker, running

from embedkafka.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def broker(clock: ManualClock) -> Iterator[Broker]:
    """An engine in memory with one topic ``t`` of one partition."""
    with running(clock=clock) as broker:
        assert broker.create().error_code == 0
        yield broker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """A directory whose syncs cost nothing, where the machine has one: for tests that open an engine very often."""
    shared_memory = Path("/dev/shm")
    parent = Path(tempfile.mkdtemp(dir=shared_memory if shared_memory.is_dir() else None))
    yield parent / "data"
    shutil.rmtree(parent)
