"""The law: a machine fed what was stored knows all that is durable; and an offset at a time, a plain model agrees."""

from __future__ import annotations

import random

from coordinator.share_partition.driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkafka.coordinator.share_partition.api import AcquireMode
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.standing import ACQUIRED, IS_DONE, PREDECESSORS

MEMBERS = ("a", "b", "c")


class Fuzz:
    """Random commands; the same source gives the same ones to drivers in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: Driver) -> object:
        pick = self.source.choice
        member = pick(MEMBERS)
        kind = pick(
            ["append"] * 2 + ["acquire"] * 4 + ["acknowledge"] * 5 + ["release", "locks", "locks", "start", "compact"]
        )
        if kind == "append":
            return driver.append(self.source.randrange(1, 6), is_visible=self.source.random() < 0.85)
        if kind == "acquire":
            mode = pick((AcquireMode.BATCH_OPTIMIZED, AcquireMode.RECORD_LIMIT))
            count = pick((1, 3, 20))
            return driver.acquire(member, count, batch_size=pick((2, 100)), mode=mode, read_batches=pick((1, 3, 100)))
        if kind == "acknowledge":
            return self.acknowledge(driver, member)
        if kind == "release":
            return driver.release(member)
        if kind == "locks":
            return driver.end_locks(pick((0, 10_000, 30_000)))
        if kind == "start" and self.source.random() < 0.3 and driver.log:
            return driver.move_start(self.source.randrange(driver.log_start_offset, driver.end_offset + 1))
        if kind == "compact" and len(driver.log) > 1:
            del driver.log[self.source.randrange(len(driver.log) - 1)]
        return None

    def acknowledge(self, driver: Driver, member: str) -> int:
        held = [run for run in driver.machine.standings if run[2].state == ACQUIRED and run[2].member_id == member]
        if not held or self.source.random() < 0.1:
            first = self.source.randrange(driver.machine.end_offset + 2)
            return driver.acknowledge((first, first + 2, 1), member_id=member)
        first, last, _ = self.source.choice(held)
        low = self.source.randint(first, last)
        high = self.source.randint(low, last)
        types = [self.source.randrange(5) for _ in range(low, high + 1)]
        return driver.acknowledge((low, high, types if self.source.random() < 0.5 else types[:1]), member_id=member)


def running(seed: int, steps: int) -> tuple[Driver, Fuzz]:
    fuzz = Fuzz(seed)
    locks = fuzz.source.choice((6, 2_000))
    driver = Driver(ShareSettings(delivery_count_limit=3, partition_max_record_locks=locks))
    for _ in range(steps):
        fuzz.command(driver)
    return driver, fuzz


@given(st.integers(0, 2**32), st.integers(1, 120))
def test_a_machine_fed_what_was_stored_equals_the_live_ones_durable_part(seed: int, steps: int) -> None:
    driver, _ = running(seed, steps)
    assert driver.failed_over().stored() == driver.machine.stored()


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 80))
def test_it_answers_a_hundred_further_commands_alike(seed: int, steps: int) -> None:
    driver, _ = running(seed, steps)
    here, there = (Driver(driver.settings), Driver(driver.settings))
    for each in (here, there):
        each.states, each.log, each.log_start_offset = driver.states, list(driver.log), driver.log_start_offset
        each.machine = each.failed_over()
    there.states = _copy(driver)
    one, two = Fuzz(seed + 1), Fuzz(seed + 1)
    for _ in range(100):
        assert one.command(here) == two.command(there)
    assert here.machine.stored() == there.machine.stored()


def _copy(driver: Driver) -> object:
    import copy

    return copy.deepcopy(driver.states)


@given(st.integers(0, 2**32), st.integers(1, 150))
def test_nothing_follows_what_it_may_not_follow_and_nobody_loses_a_record_he_holds(seed: int, steps: int) -> None:
    """Offset by offset: states change as the table says, done stays done, an owner changes only by way of available."""
    fuzz = Fuzz(seed)
    driver = Driver(ShareSettings(delivery_count_limit=3))
    before = driver.standings()
    done: set[int] = set()
    for _ in range(steps):
        fuzz.command(driver)
        after = driver.standings()
        for offset, now in after.items():
            was = before.get(offset)
            if was is not None and was.state != now.state:
                assert was.state in PREDECESSORS[now.state], (offset, was, now)
            if was is not None and was.state == now.state == ACQUIRED:
                assert was.member_id == now.member_id
            if IS_DONE[now.state]:
                done.add(offset)
            else:
                assert offset not in done, f"{offset} was done"
        done.update(range(driver.machine.start_offset))
        before = after


@given(st.integers(0, 2**32), st.integers(1, 100))
def test_in_the_end_every_visible_record_was_accepted_or_given_up(seed: int, steps: int) -> None:
    """Whatever happened, a reader that accepts everything gets to the end of the log."""
    driver, _ = running(seed, steps)
    driver.end_locks(30_000)
    for _ in range(10_000):
        found = driver.acquire("z", 7)
        if not found:
            break
        for first, last, _ in found:
            assert driver.acknowledge((first, last, 1), member_id="z") == 0
    assert driver.machine.in_flight_count == 0
    assert driver.machine.start_offset == max(driver.machine.end_offset, driver.log_start_offset)
    assert driver.machine.start_offset >= driver.end_offset
