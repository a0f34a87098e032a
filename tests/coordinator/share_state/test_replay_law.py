"""The law every coordinator obeys: a machine fed the records equals the one that wrote them (DESIGN section 6)."""

from __future__ import annotations

import random

from coordinator.share_state.driver import KEY, OTHER, Driver
from hypothesis import example, given
from hypothesis import strategies as st

from embedkafka.coordinator.share_state.decision import ForgetTopics


class Fuzz:
    """Random commands; the same source gives the same ones to drivers in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: Driver) -> object:
        pick = self.source.choice
        key = pick((KEY, KEY, OTHER))
        driver.now_ms += pick((0, 1, 200_000))
        others = ["initialize", "initialize", "read", "read", "delete", "forget", "summary", "prune"]
        kind = pick(["write"] * 8 + others)
        epoch = pick((0, 0, 0, 1))
        if kind == "write":
            batches = []
            for _ in range(self.source.randrange(3)):
                first = self.source.randrange(40)
                batches.append((first, first + self.source.randrange(6), pick((0, 2, 4)), pick((1, 2, 3))))
            start_offset = pick((-1, -1, 0, self.source.randrange(40)))
            return driver.write(*batches, key=key, start_offset=start_offset, state_epoch=epoch, leader_epoch=epoch)
        if kind == "initialize":
            return driver.initialize(key, start_offset=pick((-1, 0, 7)), state_epoch=epoch)
        if kind == "read":
            return driver.read(key, epoch)
        if kind == "delete":
            return driver.delete(key)
        if kind == "forget":
            return driver.send(ForgetTopics([key.topic_id])) if self.source.random() < 0.2 else None
        if kind == "summary":
            return driver.summary(key)
        driver.prune()
        return driver.start


@given(st.integers(0, 2**32), st.integers(1, 150))
def test_a_machine_fed_the_records_equals_the_one_that_wrote_them(seed: int, steps: int) -> None:
    driver, fuzz = Driver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    assert driver.replayed().durable() == driver.machine.durable()


@given(st.integers(0, 2**32), st.integers(1, 80))
@example(40, 29)  # a topic is forgotten after a state was written again
def test_it_answers_a_hundred_further_commands_alike(seed: int, steps: int) -> None:
    driver, fuzz = Driver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    other = Driver()
    other.machine = driver.replayed()
    other.log, other.start, other.now_ms = list(driver.log), driver.start, driver.now_ms
    here, there = Fuzz(seed + 1), Fuzz(seed + 1)
    for _ in range(100):
        assert here.command(driver) == there.command(other)
    assert driver.machine.durable() == other.machine.durable()
    assert driver.log == other.log
