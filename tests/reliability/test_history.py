"""Random mixed runs of many clients, checked by their history; and that the checker finds what is wrong.

One thread and a ``ManualClock``: a seed decides everything, and a failure prints it.  Threads in real time, in a
process that is killed: the seed decides what each thread does, and a failure has its history.
``EMBEDKAFKA_HISTORY_RUNS`` and ``EMBEDKAFKA_HISTORY_THREADED_RUNS`` say how many, from ``EMBEDKAFKA_SEED`` on;
``EMBEDKAFKA_FULL=1`` runs many.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from reliability.history.bugs import BUGS, Bug
from reliability.history.checking import check
from reliability.history.child import LOCK_MS
from reliability.history.events import Event
from reliability.history.processes import run_and_kill
from reliability.history.world import World

IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")
BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
RUNS = int(os.environ.get("EMBEDKAFKA_HISTORY_RUNS", "200" if IS_FULL else "8"))
THREADED_RUNS = int(os.environ.get("EMBEDKAFKA_HISTORY_THREADED_RUNS", "5" if IS_FULL else "1"))
LIVES = 3
RUNS_TO_FIND_A_BUG = 12

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the engine's death is a copy of its files")


@pytest.mark.timeout(60 + 5 * RUNS)
def test_no_history_of_a_random_run_has_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()
    for seed in range(BASE_SEED, BASE_SEED + RUNS):
        events = World(tmp_path / str(seed), seed).run(LIVES)
        findings = check(events)
        assert not findings, f"seed {seed}:\n" + "\n".join(map(str, findings[:20]))
        seen.update(type(event).__name__ for event in events)
    assert set(seen) == {event.__name__ for event in get_args(Event)}, "something never happened"
    with capsys.disabled():
        print(f"\n{RUNS} runs from seed {BASE_SEED}: {dict(seen)}", end="")


def test_a_seed_gives_the_same_history_again(tmp_path: Path, seed: int) -> None:
    first, second = (World(tmp_path / name, seed).run(2) for name in ("first", "second"))
    assert first == second


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_the_checker_finds_a_planted_bug(tmp_path: Path, bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    found = set()
    for seed in range(RUNS_TO_FIND_A_BUG):
        findings = check(World(tmp_path / str(seed), seed).run(LIVES))
        found |= {finding.kind for finding in findings}
        if found & bug.found_as:
            return
    pytest.fail(f"found {found}, expected one of {bug.found_as}")


@pytest.mark.timeout(60 + 30 * THREADED_RUNS)
@pytest.mark.parametrize("switch_interval_s", [0.005, 1e-6])
def test_no_history_of_threads_in_processes_that_are_killed_has_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], switch_interval_s: float
) -> None:
    for seed in range(BASE_SEED, BASE_SEED + THREADED_RUNS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        events = run_and_kill(folder, seed, LIVES, switch_interval_s=switch_interval_s)
        findings = check(events, lock_ms=LOCK_MS)
        assert not findings, f"seed {seed}:\n" + "\n".join(map(str, findings[:20]))
        with capsys.disabled():
            print(f"\nthreads, seed {seed}: {dict(Counter(type(event).__name__ for event in events))}", end="")
