"""A share group under kill -9: done jobs never come again, all others do, and every rejected one is a dead letter.

``EMBEDKAFKA_SHARE_KILL_ROUNDS`` rounds (a handful by default), each one life of a child process; four share a
directory.  Round ``n`` has the seed ``EMBEDKAFKA_SEED + n``.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from broker.share_worker import initialize
from broker.support import Broker, records_in
from reliability.share_child import (
    BROKER,
    BUGS,
    DEAD_LETTERS,
    GROUP,
    PARTITIONS,
    PHASES,
    POISON_EVERY,
    TOPIC,
    Life,
    work,
)
from reliability.watching import live_and_die

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.model import TopicPartition

ROUNDS = int(os.environ.get("EMBEDKAFKA_SHARE_KILL_ROUNDS", "6"))
BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
LIVES_PER_DIRECTORY = 4
JOBS = 2_000  # a partition; more than the lives of one directory can do
TARGETS = (*PHASES[1:], None)
HITS_PER_PHASE_IN_100_ROUNDS = 5
_CHILD = Path(__file__).with_name("share_child.py")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@dataclass
class Directory:
    """A data directory with jobs, and the lives that worked on them."""

    folder: Path
    lives: int = 0
    journals: list[Path] = field(default_factory=list)

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def fill(self) -> None:
        self.folder.mkdir(parents=True)
        engine = Engine.open(self.data, configs=BROKER)
        broker = Broker(engine)
        broker.create(TOPIC, PARTITIONS)
        broker.create(DEAD_LETTERS, PARTITIONS, errors_deadletterqueue_group_enable="true")
        broker.set_config(
            GROUP,
            resource_type=api.ResourceType.GROUP,
            errors_deadletterqueue_topic_name=DEAD_LETTERS,
            share_delivery_count_limit="10",
        )
        initialize(broker, GROUP, topic=TOPIC, partitions=PARTITIONS)
        for partition in range(PARTITIONS):
            for first in range(0, JOBS, 10):
                values = [b"%d" % number for number in range(first, first + 10)]
                broker.send(*values, to=TopicPartition(TOPIC, partition))
        engine.close()

    def live_and_die(self, seed: int, *, target: str | None = None, sabotage: str | None = None) -> str:
        """One child from start to ``kill -9``; returns the phase it died in."""
        source = random.Random(seed)
        board = self.folder / f"board-{self.lives}"
        journal = self.folder / f"journal-{self.lives}"
        journal.touch()
        self.journals.append(journal)
        after_calls = source.randrange(1, 8) if target == "bury" else source.randrange(3, 60)
        if sabotage is not None:
            after_calls = 60  # long enough for the bug to show
        life = Life(self.data, str(board), str(journal), seed, target, after_calls, sabotage)
        self.lives += 1
        return live_and_die(
            _CHILD,
            asdict(life),
            output=self.folder / "output",
            has_begun=lambda: journal.stat().st_size > 0,
            kill_within_s=source.random() * 0.05,
            phases=PHASES,
        )


def check(directory: Directory) -> list[str]:
    """Let a worker that nobody kills do the rest, and hold everything that anybody was told against each other."""
    engine = Engine.open(directory.data, configs=BROKER)
    broker = Broker(engine)
    journal = directory.folder / "journal-last"
    directory.journals.append(journal)
    lines: list[list[Any]] = []
    work(broker, seed=-1, note=lambda *what: lines.append([-1, *what]), until=lambda count: count == 0)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    letters = [
        (partition, int(dict(record.headers)["__dlq.errors.offset"] or b"-1"))
        for partition in range(PARTITIONS)
        for record in records_in(broker.fetch(0, TopicPartition(DEAD_LETTERS, partition), max_bytes=1 << 30).records)
    ]
    engine.close()
    return judge(directory.journals, set(letters))


def judge(journals: list[Path], letters: set[tuple[int, int]]) -> list[str]:
    """What the journals and the dead letters say against each other; nothing where all is well."""
    problems: list[str] = []
    seen: defaultdict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    for life, journal in enumerate(journals):
        holders: dict[tuple[int, int], str] = {}
        for line in journal.read_text().splitlines():
            _, what, partition, offset, *more = json.loads(line)
            job = (partition, offset)
            seen[what][job] += 1
            if what != "given":
                holders.pop(job, None)
                continue
            member, delivery_count = more
            if seen["accepted"][job] or seen["rejected"][job]:
                problems.append(f"life {life}: {job} was {'accepted' if seen['accepted'][job] else 'rejected'} before")
            if job in holders:
                problems.append(f"life {life}: {job} was given to {member} while {holders[job]} had it")
            if not seen["released"][job] < delivery_count <= seen["release"][job] + 1:
                problems.append(f"life {life}: {job} was released {seen['released'][job]} times: {delivery_count}")
            holders[job] = member
    every = {(partition, offset) for partition in range(PARTITIONS) for offset in range(JOBS)}
    poisoned = {job for job in every if job[1] % POISON_EVERY == 0}
    accept, reject, rejected = (set(seen[what]) for what in ("accept", "reject", "rejected"))
    findings = {
        "lost": every - poisoned - accept,  # one that was asked for and not answered may be done
        "refused to who had it": set(seen["refused"]),
        "poisoned and not rejected": poisoned - reject,
        "rejected without a dead letter": rejected - letters,
        "a dead letter that nobody rejected": letters - reject,
    }
    return problems[:10] + [f"{what}: {len(jobs)}, {sorted(jobs)[:5]}" for what, jobs in findings.items() if jobs]


@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_done_jobs_never_come_again_and_all_others_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hits: Counter[str] = Counter()
    directory = None
    for number in range(ROUNDS):
        if directory is None or directory.lives == LIVES_PER_DIRECTORY:
            assert directory is None or not check(directory)
            directory = Directory(tmp_path / str(number))
            directory.fill()
        target = TARGETS[number % len(TARGETS)]
        phase = directory.live_and_die(BASE_SEED + number, target=target)
        hits[phase] += 1
        with capsys.disabled():
            print(
                f"\nround {number}: seed {BASE_SEED + number}, aimed at {target}, died in {phase}", end="", flush=True
            )
    assert directory is not None
    assert not check(directory)
    with capsys.disabled():
        print(f"\nphases hit in {ROUNDS} rounds: {dict(hits)}")
    missed = [phase for phase in PHASES[1:] if hits[phase] < HITS_PER_PHASE_IN_100_ROUNDS * ROUNDS // 100]
    assert not missed, f"phases hit too seldom: {missed}, {dict(hits)}"


@pytest.mark.parametrize("bug", BUGS)
def test_the_check_finds_a_planted_bug(tmp_path: Path, bug: str) -> None:
    directory = Directory(tmp_path / "sabotaged")
    directory.fill()
    for life in range(3):
        directory.live_and_die(BASE_SEED + life, target="acknowledge", sabotage=bug)
    assert check(directory), f"{bug}: nothing was found"
