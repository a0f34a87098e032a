"""Kills the child of ``kill_child`` and checks what its directory holds against what it had seen acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reliability.journal import Board, Event, read_journal
from reliability.kill_child import BROKER, GROUP, PARTITIONS, TOPICS, Life, id_of, key_of

ACKNOWLEDGED_PER_LIFE = 1_000
_LIFE_TIMEOUT_S = 90
_PATIENCE_S = 4.0
_CHILD = Path(__file__).with_name("kill_child.py")


@dataclass
class Death:
    """How one life ended."""

    seed: int
    target: str | None
    acknowledged: int
    in_flight: int
    phases: set[str]

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: acknowledged {self.acknowledged}, in flight {self.in_flight}, "
            f"aimed at {self.target or 'any moment'}, died in {', '.join(sorted(self.phases)) or 'between phases'}"
        )


@dataclass
class Directory:
    """A data directory with the lives it has seen, and its journal."""

    folder: Path
    lives: int = 0
    deaths: list[Death] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def live_and_die(
        self, seed: int, *, target: str | None = None, sabotage: str | None = None, commits_everywhere: bool = False
    ) -> Death:
        """One child from start to ``kill -9``, in the target phase or (None) at any moment; the seed decides which.

        With ``commits_everywhere`` not before each partition has a commit: members may join after all the sends that a
        life has to last.  A child that does not come by its target in time (there may be nothing to compact) is killed
        from outside.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        source = random.Random(seed)
        board_path = self.folder / f"board-{self.lives}"
        after = ACKNOWLEDGED_PER_LIFE + source.randrange(1_500)
        life = Life(str(self.data), str(self.journal), str(board_path), seed, self.lives, target, after, sabotage)
        self.lives += 1
        board = Board(board_path)
        with open(self.folder / "output", "ab") as output:
            child = subprocess.Popen(
                [sys.executable, str(_CHILD), json.dumps(asdict(life))], stdout=output, stderr=output
            )
        try:
            commits = PARTITIONS["load"] if commits_everywhere else 0
            _wait_for_death(child, board, after, commits, patience_s=_PATIENCE_S if target else 0.0)
        finally:
            child.kill()
            child.wait()
        death = Death(seed, target, board.acknowledged, board.sent - board.acknowledged, board.phases)
        board.close()
        self.deaths.append(death)
        if child.returncode != -signal.SIGKILL or death.acknowledged < ACKNOWLEDGED_PER_LIFE:
            raise AssertionError(f"{death}: ended by itself with {child.returncode}\n{self.output()}")
        return death

    def output(self) -> str:
        path = self.folder / "output"
        return path.read_text()[-6000:] if path.exists() else ""


def _wait_for_death(
    child: subprocess.Popen[bytes], board: Board, after: int, commits: int, *, patience_s: float
) -> None:
    """Until the child killed itself, or it is the parent's turn to."""
    deadline_s = time.monotonic() + _LIFE_TIMEOUT_S
    while child.poll() is None and (
        board.acknowledged < after or board.sent <= board.acknowledged or board.committed_partitions < commits
    ):
        if time.monotonic() > deadline_s:
            return
        time.sleep(0.001)  # another process's progress: there is nothing to wait on
    if patience_s:
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            return


# -- the check ---


@dataclass
class Promises:
    """What the journal says was acknowledged."""

    acknowledged: dict[tuple[str, int], dict[int, tuple[int, int]]]  # partition -> offset -> (thread, sequence)
    committed: dict[int, int]  # partition of "load" -> last acknowledged commit
    committable: dict[int, set[int]]  # that, and every commit that began later

    @classmethod
    def read(cls, journal: Path) -> Promises:
        acknowledged: dict[tuple[str, int], dict[int, tuple[int, int]]] = defaultdict(dict)
        committed: dict[int, int] = {}
        committable: dict[int, set[int]] = defaultdict(set)
        for entry in read_journal(journal):
            if entry.event is Event.ACKNOWLEDGED:
                partition = acknowledged[TOPICS[entry.topic], entry.partition]
                assert entry.offset not in partition, f"two sends were given offset {entry.offset} of {entry}"
                partition[entry.offset] = (entry.thread, entry.sequence)
            elif entry.event is Event.COMMITTING:
                committable[entry.partition].add(entry.offset)
            elif entry.event is Event.COMMITTED:
                committed[entry.partition] = entry.offset
                committable[entry.partition] = {entry.offset}
        return cls(acknowledged, committed, committable)


def check(directory: Directory) -> list[str]:
    """Reopen the directory and say what is wrong with it; an empty list when nothing is."""
    import embedkafka

    promises = Promises.read(directory.journal)
    problems: list[str] = []
    with embedkafka.EmbeddedKafka(directory.data, **BROKER) as engine:
        for topic in TOPICS:
            for partition in range(PARTITIONS[topic]):
                found = read_all(embedkafka, engine, topic, partition)
                promised = promises.acknowledged.get((topic, partition), {})
                judge = check_log if topic == "load" else check_compacted
                problems += [f"{topic}-{partition}: {problem}" for problem in judge(found, promised)]
        problems += check_commits(embedkafka, engine, promises)
    problems += verify(directory.data)
    return problems


Found = list[tuple[int, bytes, bytes]]  # offset, key, value


def read_all(kafka: Any, engine: Any, topic: str, partition: int) -> Found:
    """Every record of a partition from its beginning to its end."""
    consumer = kafka.KafkaConsumer(bootstrap_servers=engine, group_id=None, auto_offset_reset="earliest")
    try:
        one = kafka.TopicPartition(topic, partition)
        consumer.assign([one])
        end = consumer.end_offsets([one])[one]
        found: Found = []
        while (position := consumer.position(one)) < end:
            polled = consumer.poll(timeout_ms=5_000)
            # A poll may pass no more than batches that compaction has emptied.
            is_stuck = not polled and consumer.position(one) == position
            assert not is_stuck, f"{topic}-{partition}: nothing to read at {position}, below the end {end}"
            found += [(record.offset, record.key, record.value) for batch in polled.values() for record in batch]
        return found
    finally:
        consumer.close()


def check_log(found: Found, promised: dict[int, tuple[int, int]]) -> Iterator[str]:
    """A log without compaction: no gap, nothing twice, every thread's records in the order it sent them."""
    offsets = [offset for offset, _, _ in found]
    if offsets != list(range(len(offsets))):
        yield f"offsets have gaps or repeat: {_first_gap(offsets)}"
    ids = {}
    last_sequence: dict[int, int] = {}
    for offset, key, value in found:
        thread, sequence = id_of(value)
        if key != key_of(thread, sequence):
            yield f"offset {offset} has key {key!r} beside the value of {thread}:{sequence}"
        if last_sequence.get(thread, -1) >= sequence:
            yield f"{thread}:{sequence} at offset {offset} is duplicated or reordered, after {last_sequence[thread]}"
        last_sequence[thread] = sequence
        ids[offset] = (thread, sequence)
    yield from _check_promised(ids, promised)


def check_compacted(found: Found, promised: dict[int, tuple[int, int]]) -> Iterator[str]:
    """A compacted log: what is left is at its old offset; for every key the last promised record, or a later one."""
    offsets = [offset for offset, _, _ in found]
    if offsets != sorted(set(offsets)):
        yield "offsets do not increase"
    ids = {offset: id_of(value) for offset, _, value in found}
    last_found = {key: offset for offset, key, _ in found}
    yield from _check_promised(ids, {offset: one for offset, one in promised.items() if offset in ids})
    for offset, (thread, sequence) in promised.items():
        key = key_of(thread, sequence)
        if last_found.get(key, -1) < offset:
            yield f"lost: key {key!r} was acknowledged at {offset}, the last record now is at {last_found.get(key)}"


def _check_promised(ids: dict[int, tuple[int, int]], promised: dict[int, tuple[int, int]]) -> Iterator[str]:
    lost = [offset for offset in promised if offset not in ids]
    if lost:
        yield f"lost: {len(lost)} acknowledged records, the first at offset {min(lost)}"
    wrong = [offset for offset, one in promised.items() if ids.get(offset, one) != one]
    if wrong:
        offset = min(wrong)
        yield f"{len(wrong)} offsets hold other records; {offset}: acknowledged {promised[offset]}, found {ids[offset]}"


def _first_gap(offsets: list[int]) -> str:
    for expected, offset in enumerate(offsets):
        if expected != offset:
            return f"expected {expected}, found {offset}"
    return "none"


def check_commits(kafka: Any, engine: Any, promises: Promises) -> Iterator[str]:
    """A group's offset is the last acknowledged commit or one that began after it, and not beyond the log's end."""
    admin = kafka.KafkaAdminClient(bootstrap_servers=engine)
    consumer = kafka.KafkaConsumer(bootstrap_servers=engine, group_id=None)
    try:
        offsets = admin.list_group_offsets({GROUP: None})[GROUP]
        for number in range(PARTITIONS["load"]):
            one = kafka.TopicPartition("load", number)
            found = offsets[one].offset if one in offsets else None
            allowed = promises.committable.get(number, set()) | (set() if number in promises.committed else {None})
            if found not in allowed:
                yield f"load-{number}: committed offset is {found}, acknowledged was {promises.committed.get(number)}"
            end = consumer.end_offsets([one])[one]
            if found is not None and found > end:
                yield f"load-{number}: committed offset {found} lies beyond the end {end}"
    finally:
        consumer.close()
        admin.close()


def verify(data: Path) -> list[str]:
    """What ``embedkafka log verify`` finds wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "embedkafka", "log", "verify", "--data", str(data), "--json"],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return [] if done.returncode == 0 else [f"log verify: {done.stdout.decode()[-2000:]}{done.stderr.decode()[-2000:]}"]
