"""Kill -9 under load: nothing acknowledged is lost, nothing doubled or reordered, commits stay where they were.

``EMBEDKAFKA_KILL_ROUNDS`` rounds (a handful by default), each one life of a child process; three share a directory,
so that what one recovery left behind is recovered again.  Round ``n`` has the seed ``EMBEDKAFKA_SEED + n``;
``EMBEDKAFKA_KILL_FIRST_ROUND`` starts later, to resume or to repeat.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from reliability.journal import PHASES
from reliability.killing import ACKNOWLEDGED_PER_LIFE, Directory, check

ROUNDS = int(os.environ.get("EMBEDKAFKA_KILL_ROUNDS", "6"))
FIRST_ROUND = int(os.environ.get("EMBEDKAFKA_KILL_FIRST_ROUND", "0"))
BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
LIVES_PER_DIRECTORY = 3
TARGETS = (*PHASES[1:], None)
HITS_PER_PHASE_IN_200_ROUNDS = 5

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@pytest.mark.timeout(60 + 60 * ROUNDS)
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hits: Counter[str] = Counter()
    directory = Directory(tmp_path / "0")
    for number in range(FIRST_ROUND, FIRST_ROUND + ROUNDS):
        if directory.lives == LIVES_PER_DIRECTORY:
            directory = Directory(tmp_path / str(number))
        death = directory.live_and_die(BASE_SEED + number, target=TARGETS[number % len(TARGETS)])
        problems = check(directory)
        with capsys.disabled():
            print(f"\nround {number}: {death}", end="", flush=True)
        assert not problems, f"round {number}, {death}\n" + "\n".join(problems[:20]) + f"\n{directory.output()}"
        assert death.acknowledged >= ACKNOWLEDGED_PER_LIFE
        assert death.in_flight > 0
        hits.update(death.phases or {"idle"})
    with capsys.disabled():
        print(f"\nphases hit in {ROUNDS} rounds: {dict(hits)}")
    missed = [phase for phase in PHASES[1:] if hits[phase] < HITS_PER_PHASE_IN_200_ROUNDS * ROUNDS // 200]
    assert not missed, f"phases hit too seldom: {missed}, {dict(hits)}"


@pytest.mark.parametrize(
    ("bug", "complaint"),
    [
        ("batches are not written", "lost"),
        ("batches are written twice", "duplicated or reordered"),
        ("records of a batch are written backwards", "duplicated or reordered"),
        ("offsets of acknowledgements are off by one", "other records"),
        ("commits are not written", "committed offset is"),
        ("commits are ahead", "committed offset is"),
    ],
)
def test_the_check_finds_a_planted_bug(tmp_path: Path, bug: str, complaint: str) -> None:
    directory = Directory(tmp_path / "sabotaged")
    directory.live_and_die(BASE_SEED, sabotage=bug, commits_everywhere=bug.startswith("commits"))
    problems = check(directory)
    assert any(complaint in problem for problem in problems), problems
