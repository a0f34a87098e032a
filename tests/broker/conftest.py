from __future__ import annotations

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
