"""The straight way of an acknowledgement gives what the general one gives, or nothing."""

from __future__ import annotations

from coordinator.share_partition.driver import Driver
from coordinator.share_partition.test_replay_law import MEMBERS, Fuzz
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.share_partition.api import AcknowledgementBatch, AcknowledgeType
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import Acknowledge, StateChange
from embedkafka.coordinator.share_partition.straight import accept


@given(st.integers(0, 2**32), st.integers(1, 100), st.integers(-1, 40), st.integers(-1, 6))
def test_it_gives_the_same_change_or_none(seed: int, steps: int, offset: int, length: int) -> None:
    fuzz = Fuzz(seed)
    driver = Driver(ShareSettings(delivery_count_limit=3))
    for _ in range(steps):
        fuzz.command(driver)
    first = driver.machine.start_offset + offset
    for member in MEMBERS:
        found = accept(driver.machine, member, first, first + length)
        if found is None:
            continue
        batch = AcknowledgementBatch(first, first + length, (AcknowledgeType.ACCEPT,))
        decision = driver.machine.handle(Acknowledge(member, [batch]), driver.settings, driver.now_ms)
        assert decision.change is not None
        assert found._replace(batches=list(found.batches)) == decision.change
        assert decision._replace(change=None) == (None, None, [], [])


def test_it_is_the_way_of_one_record_after_the_other() -> None:
    driver = Driver()
    driver.append(3)
    driver.acquire()
    for offset in range(3):
        change = accept(driver.machine, "m", offset, offset)
        assert isinstance(change, StateChange)
        driver.machine.apply(change)
        driver.check()
    assert driver.machine.start_offset == 3
