"""The law every coordinator obeys: a machine fed the records equals the one that wrote them (DESIGN section 6)."""

from __future__ import annotations

import random

from coordinator.transaction.driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st

from embedkafka.coordinator.transaction import records
from embedkafka.coordinator.transaction.api import ListTransactionsRequest
from embedkafka.coordinator.transaction.decision import (
    AbortTimedOut,
    Decision,
    DescribeTransactions,
    ExpireIds,
    InitProducer,
    MarkersWritten,
)
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.model import TopicPartition

IDS = ("x", "y", "")
PARTITIONS = (TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("__consumer_offsets", 7))


class Fuzz:
    """Random commands, mostly sensible ones; the same source gives the same ones to drivers in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: Driver) -> object:
        pick = self.source.choice
        name = pick(IDS[:2] * 8 + IDS[2:])
        driver.now_ms += pick((0, 1, 30_000))
        known = driver.machine.find(name)
        kind = pick(["init", "init", "resume", "add", "add", "add", "verify", "end", "end", "end", "markers", "other"])
        version = pick((1, 2, 2, 2))
        producer_id = known.producer_id if known else 0
        # No producer is ever given the highest epoch.
        epoch = min(32_766, max(0, (known.producer_epoch if known else 0) - (self.source.random() < 0.15)))
        if self.source.random() < 0.03 and isinstance(driver, FuzzedDriver):
            driver.put_epoch(name, 32_766)
        if kind == "init":
            return driver.init(name, timeout_ms=pick((60_000, 60_000, 0)))
        if kind == "resume":
            return driver.init(name, producer_id=producer_id, epoch=epoch)
        if kind in ("add", "verify"):
            some = self.source.sample(PARTITIONS, self.source.randrange(1, 4))
            return driver.add(
                some, name, producer_id=producer_id, epoch=epoch, version=version, verify_only=kind == "verify"
            )
        if kind == "end":
            return driver.end(name, commit=pick((True, False)), producer_id=producer_id, epoch=epoch, version=version)
        if kind == "markers":
            driver.write_markers()
            return None
        return self.other(driver, name)

    def other(self, driver: Driver, name: str) -> object:
        command = self.source.choice(
            [
                AbortTimedOut(),
                ExpireIds(),
                DescribeTransactions([name]),
                ListTransactionsRequest(),
                MarkersWritten(name, 1000, 1),
                InitProducer(name, 60_000),
            ]
        )
        if isinstance(command, ExpireIds):
            driver.now_ms += self.source.choice((0, driver.config.id_expiration_ms))
        return driver.send(command).reply


class FuzzedDriver(Driver):
    def put_epoch(self, name: str, epoch: int) -> None:
        """Let an idle id's epochs be nearly used up, which would take long to arrive at."""
        known = self.machine.find(name)
        if known is None or not known.state.is_idle:
            return
        record = records.TransactionRecord(name, known._replace(producer_epoch=epoch))
        self.log.append(records.encode(record))
        self.machine.apply(record)

    def forget_soft(self) -> None:
        """What a fail-over forgets."""
        self.machine._last_epochs.clear()


@given(st.integers(0, 2**32), st.integers(1, 120))
def test_a_machine_fed_the_records_equals_the_one_that_wrote_them(seed: int, steps: int) -> None:
    driver, fuzz = FuzzedDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    assert driver.replayed().durable() == driver.machine.durable()


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 80))
def test_it_answers_a_hundred_further_commands_alike(seed: int, steps: int) -> None:
    driver, fuzz = FuzzedDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    driver.forget_soft()
    other = FuzzedDriver(driver.config, driver.replayed())
    other.log, other.now_ms = list(driver.log), driver.now_ms
    other.next_producer_id = driver.next_producer_id = 5_000
    other.prepared = list(driver.prepared)
    here, there = Fuzz(seed + 1), Fuzz(seed + 1)
    for _ in range(100):
        assert here.command(driver) == there.command(other)
    assert driver.machine.durable() == other.machine.durable()


@given(st.integers(0, 2**32), st.integers(1, 120))
def test_a_crash_after_any_record_loses_nothing_that_was_decided(seed: int, steps: int) -> None:
    """Whatever prefix of the log survives, a new coordinator can complete it, and every decision stands."""
    driver, fuzz = FuzzedDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    length = fuzz.source.randrange(len(driver.log) + 1)
    driver.log = driver.log[:length]
    decided = {name: known.state for name, known in driver.replayed().durable().items() if known.state.is_prepared}
    other = driver.failed_over()
    assert set(other.prepared) == set(decided)
    other.write_markers()
    for name, state in decided.items():
        committed = state is TransactionState.PREPARE_COMMIT
        complete = TransactionState.COMPLETE_COMMIT if committed else TransactionState.COMPLETE_ABORT
        assert other.find(name).state is complete


@given(st.integers(0, 2**32), st.integers(1, 120))
def test_no_producer_id_and_epoch_are_given_twice(seed: int, steps: int) -> None:
    """Two producers with the same identity could write into each other's transactions."""
    driver, fuzz = FuzzedDriver(), Fuzz(seed)
    seen: dict[tuple[int, int], int] = {}
    for step in range(steps):
        for name in IDS[:2]:
            before = driver.machine.find(name)
            if before is not None:
                seen[before.producer_id, before.producer_epoch] = step
        found = {name: driver.machine.find(name) for name in IDS[:2]}
        length = len(driver.log)
        fuzz.command(driver)
        for key, value in driver.log[length:]:
            record = records.decode(key, value)
            assert record is not None
            now, old = record.transaction, found[record.transactional_id]
            if now is None or old is None or now.producer_epoch == 32_766:
                continue
            if now.state is TransactionState.EMPTY and now.producer_epoch != old.producer_epoch:
                assert (now.producer_id, now.producer_epoch) not in seen
            found[record.transactional_id] = now


def test_the_fuzz_reaches_every_state_and_a_change_of_producer_id() -> None:
    """So that what the law says is said about all of them."""
    driver, fuzz = FuzzedDriver(), Fuzz(1)
    seen = set()
    rotated = False
    for _ in range(3_000):
        decision: object = fuzz.command(driver)
        assert not isinstance(decision, Decision)
        for key, value in driver.log[-3:]:
            record = records.decode(key, value)
            assert record is not None
            if record.transaction is None:
                seen.add(TransactionState.DEAD)
            else:
                seen.add(record.transaction.state)
                rotated |= record.transaction.previous_producer_id != -1
    assert seen == set(TransactionState) - {TransactionState.PREPARE_EPOCH_FENCE}
    assert rotated
