"""The law of DESIGN section 6, for any driver and any source of random commands."""

from __future__ import annotations

from typing import Any, Protocol

from coordinator.driver import Driver
from hypothesis import strategies as st

from embedkafka.coordinator.decision import Decision


class Commands(Protocol):
    """Random commands; the same source gives the same ones to every driver that is in the same state."""

    def command(self, driver: Any) -> Decision: ...


def check_replay(driver: Driver, commands: Commands, steps: int) -> None:
    """A fresh machine that is fed every record equals the live one."""
    for step in range(steps):
        commands.command(driver)
        if step % 10 == 0 or step == steps - 1:  # each look costs as much as all commands before it
            assert driver.replayed().durable() == driver.machine.durable()


def check_answers(live: Driver, replay: Driver, one: Commands, other: Commands) -> None:
    """A machine and its replay answer a hundred commands alike."""
    live.timers, live.parked = dict(replay.timers), set()
    for _ in range(100):
        ours, theirs = one.command(live), other.command(replay)
        assert (ours.reply, ours.park, ours.completions) == (theirs.reply, theirs.park, theirs.completions)
        assert list(ours.records) == list(theirs.records)
    assert live.machine.durable() == replay.machine.durable()


def check_compaction(driver: Driver, data: st.DataObject) -> None:
    """However far the log was cleaned, it says the same."""
    whole = driver.replayed()
    clean_to = data.draw(st.integers(0, len(driver.log)))
    latest_in_clean_part = {key: position for position, (key, _) in enumerate(driver.log[:clean_to])}
    driver.log = [
        entry
        for position, entry in enumerate(driver.log)
        if position >= clean_to or latest_in_clean_part[entry[0]] == position
    ]
    assert driver.replayed().durable() == whole.durable()
