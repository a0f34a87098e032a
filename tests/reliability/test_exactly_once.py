"""Consume, transform, produce under kill -9: every input is in the committed output exactly once.

``EMBEDKAFKA_EOS_KILL_ROUNDS`` rounds (a handful by default), each one life of a child process; four share a directory.
Round ``n`` has the seed ``EMBEDKAFKA_SEED + n``.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from reliability.exactly_once_child import (
    BROKER,
    BUGS,
    GROUP,
    PARTITIONS,
    PHASES,
    TRANSACTIONAL_ID,
    Life,
    work,
)
from reliability.watching import live_and_die

import embedkafka

ROUNDS = int(os.environ.get("EMBEDKAFKA_EOS_KILL_ROUNDS", "6"))
BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
LIVES_PER_DIRECTORY = 4
INPUTS = 3_000  # a partition; more than the lives of one directory can read
TARGETS = (*PHASES[1:], None)
HITS_PER_PHASE_IN_100_ROUNDS = 5
_CHILD = Path(__file__).with_name("exactly_once_child.py")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@dataclass
class Directory:
    """A data directory with an input topic, and the lives that worked on it."""

    folder: Path
    lives: int = 0

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def fill(self) -> None:
        self.folder.mkdir(parents=True)
        with embedkafka.EmbeddedKafka(self.data, **BROKER) as engine:
            admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
            topic = {"num_partitions": PARTITIONS, "configs": {"segment.bytes": "1048576"}}
            admin.create_topics({"input": topic, "output": topic})
            admin.close()
            producer = embedkafka.KafkaProducer(bootstrap_servers=engine)
            for number in range(INPUTS):
                for partition in range(PARTITIONS):
                    producer.send("input", b"%d-%d" % (partition, number), partition=partition)
            producer.close()

    def live_and_die(self, seed: int, *, target: str | None = None, sabotage: str | None = None) -> str:
        """One child from start to ``kill -9``; returns the phase it died in."""
        source = random.Random(seed)
        board = self.folder / f"board-{self.lives}"
        life = Life(self.data, str(board), seed, target, source.randrange(3, 25), sabotage)
        self.lives += 1
        return live_and_die(
            _CHILD,
            asdict(life),
            output=self.folder / "output",
            has_begun=lambda: board.read_bytes() != b"\0",
            kill_within_s=source.random() * 0.3,
            phases=PHASES,
        )


def committed_output(engine: Any) -> list[list[bytes]]:
    """What read_committed readers see of the output, by partition, once the dead worker's transaction is ended."""
    producer = embedkafka.KafkaProducer(bootstrap_servers=engine, transactional_id=TRANSACTIONAL_ID)
    producer.init_transactions()
    producer.close()
    consumer = embedkafka.KafkaConsumer(
        bootstrap_servers=engine, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    found: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    consumer.assign([embedkafka.TopicPartition("output", number) for number in range(PARTITIONS)])
    ends = consumer.end_offsets(consumer.assignment())
    while any(consumer.position(one) < end for one, end in ends.items()):
        polled = consumer.poll(timeout_ms=1_000)
        if not polled:
            break  # the last stable offset stays behind: what is missing is found to be lost
        for one, records in polled.items():
            found[one.partition] += [record.value for record in records]
    consumer.close()
    return found


def check(directory: Directory) -> list[str]:
    """Reopen the directory; for each partition the output is the input below the group's offset, in order."""
    problems = []
    with embedkafka.EmbeddedKafka(directory.data, **BROKER) as engine:
        output = committed_output(engine)
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
        offsets = admin.list_group_offsets(GROUP)[GROUP]
        admin.close()
        for partition, found in enumerate(output):
            one = embedkafka.TopicPartition("input", partition)
            done = offsets[one].offset if one in offsets else 0
            expected = [b"done:%d-%d" % (partition, number) for number in range(done)]
            if found == expected:
                continue
            counts = Counter(found)
            doubled = [value for value, count in counts.items() if count > 1]
            lost = [value for value in expected if value not in counts]
            early = [value for value in found if value not in set(expected)]
            problems.append(
                f"partition {partition}, committed offset {done}: {len(doubled)} doubled, {len(lost)} lost, "
                f"{len(early)} without a committed offset, {len(found)} in all"
            )
    return problems


def finish(directory: Directory) -> list[str]:
    """Let a worker that nobody kills do the rest, and check the whole."""
    with embedkafka.EmbeddedKafka(directory.data, **BROKER) as engine:

        def is_done(consumer: Any) -> bool:
            return len(consumer.assignment()) == PARTITIONS and all(
                (consumer.committed(one) or 0) >= INPUTS for one in consumer.assignment()
            )

        work(embedkafka, engine, seed=0, until=is_done)
    return check(directory)


@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_every_input_is_in_the_committed_output_exactly_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hits: Counter[str] = Counter()
    directory = None
    for number in range(ROUNDS):
        if directory is None or directory.lives == LIVES_PER_DIRECTORY:
            assert directory is None or not finish(directory)
            directory = Directory(tmp_path / str(number))
            directory.fill()
        target = TARGETS[number % len(TARGETS)]
        phase = directory.live_and_die(BASE_SEED + number, target=target)
        problems = check(directory)
        with capsys.disabled():
            print(
                f"\nround {number}: seed {BASE_SEED + number}, aimed at {target}, died in {phase}", end="", flush=True
            )
        assert not problems, f"round {number}, seed {BASE_SEED + number}, died in {phase}\n" + "\n".join(problems)
        hits[phase] += 1
    assert directory is not None
    assert not finish(directory)
    with capsys.disabled():
        print(f"\nphases hit in {ROUNDS} rounds: {dict(hits)}")
    missed = [phase for phase in PHASES[1:] if hits[phase] < HITS_PER_PHASE_IN_100_ROUNDS * ROUNDS // 100]
    assert not missed, f"phases hit too seldom: {missed}, {dict(hits)}"


@pytest.mark.parametrize("bug", BUGS)
def test_the_check_finds_a_planted_bug(tmp_path: Path, bug: str) -> None:
    directory = Directory(tmp_path / "sabotaged")
    directory.fill()
    for first in range(0, 9, 3):
        for life in range(first, first + 3):  # a check in between would end the dead worker's transaction
            directory.live_and_die(BASE_SEED + life, target="offsets", sabotage=bug)
        if check(directory):
            return
    raise AssertionError(f"{bug}: nothing was found")
