"""A power cut at any file operation of a working engine: what was acknowledged as durable is there afterwards.

With ``log.flush.interval.messages=1`` an acknowledgement means that the record is on disk.  A random program of sends,
commits, time, compaction and reopening runs once; at random file operations the directory is written off as a power cut
might leave it; afterwards each such directory is opened and compared with what had been acknowledged by then.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from reliability.power import SwitchedFiles

import embedkafka
from embedkafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from embedkafka.broker import store
from embedkafka.clock import ManualClock

RUNS = 25 if os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0") else 3
CUTS_PER_RUN = 25
STEPS = 150
TINY = {"internal.segment.bytes": "1500", "index.interval.bytes": "200", "retention.ms": "-1"}
TOPICS: dict[str, dict[str, str]] = {
    "kept": TINY,
    "lazy": {**TINY, "flush.messages": "9223372036854775807"},
    "compacted": {**TINY, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"},
}
BROKER = {
    "log.flush.interval.messages": 1,
    "log.cleaner.backoff.ms": 1_000,
    "log.retention.check.interval.ms": 1_000,
    "log.initial.task.delay.ms": 0,
    "offsets.topic.num.partitions": 2,
    "log.segment.delete.delay.ms": 10,
}
GROUP = "g"
Record = tuple[bytes, bytes | None]


@dataclass
class Promised:
    """What had been acknowledged, and what else may be found."""

    acknowledged: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # topic -> records
    sent: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))  # in offset order
    committed: int | None = None
    committing: int | None = None

    def copy(self) -> Promised:
        return Promised(
            defaultdict(int, self.acknowledged),
            defaultdict(list, {topic: list(records) for topic, records in self.sent.items()}),
            self.committed,
            self.committing,
        )


class Program:
    """The random program, and the directories that power cuts would have left."""

    def __init__(self, folder: Path, seed: int, files: SwitchedFiles) -> None:
        self.data = folder / "data"
        self.cuts: list[tuple[Path, Promised, str]] = []
        self._folder = folder
        self._random = random.Random(seed)
        self._toss = random.Random(seed + 1)
        self._files = files
        self._promised = Promised()
        self._clock = ManualClock()
        self._left = 0
        self._max_cuts = 0

    def run(self, steps: int = STEPS) -> None:
        self._files.before = self._before
        self._max_cuts = len(self.cuts) + CUTS_PER_RUN
        self._open()
        for number in range(steps):
            action = self._random.choices((self._send, self._commit, self._wait, self._reopen), (20, 3, 3, 1))[0]
            action(number)
        self._close()
        self._files.before = lambda operation, path: None

    def _open(self) -> None:
        self._engine = embedkafka.EmbeddedKafka(self.data, clock=self._clock, **BROKER)
        admin = KafkaAdminClient(bootstrap_servers=self._engine)
        if not admin.list_topics():
            admin.create_topics({topic: {"num_partitions": 1, "configs": configs} for topic, configs in TOPICS.items()})
        admin.close()
        self._producer = KafkaProducer(bootstrap_servers=self._engine)
        self._consumer = KafkaConsumer(bootstrap_servers=self._engine, group_id=GROUP, enable_auto_commit=False)
        self._consumer.assign([TopicPartition("kept", 0)])

    def _close(self) -> None:
        self._consumer.close()
        self._producer.close()
        self._engine.close()

    def _reopen(self, number: int) -> None:
        self._close()
        self._open()

    def _send(self, number: int) -> None:
        topic = self._random.choice(list(TOPICS))
        for _ in range(self._random.randrange(1, 6)):
            records = self._promised.sent[topic]
            key = b"key-%d" % self._random.randrange(6)
            value = b"%d-" % len(records) + self._random.randbytes(self._random.randrange(60))
            records.append((key, value))
            future = self._producer.send(topic, key=key, value=value, partition=0)
        assert future.get(timeout=10).offset == len(records) - 1
        self._promised.acknowledged[topic] = len(records)

    def _commit(self, number: int) -> None:
        self._promised.committing = number
        self._consumer.commit({TopicPartition("kept", 0): OffsetAndMetadata(number, "", -1)})
        self._promised.committed = number

    def _wait(self, number: int) -> None:
        self._clock.advance(self._random.choice((5, 500, 5_000, 70_000)))

    def _before(self, operation: str, path: str) -> None:
        self._left -= 1
        if self._left >= 0 or len(self.cuts) >= self._max_cuts or not (self.data / "format").exists():
            return
        self._left = self._random.randrange(60)
        target = self._folder / f"cut-{len(self.cuts)}"
        self._files.cut(self.data, target, self._toss)
        self.cuts.append((target, self._promised.copy(), f"before {operation} of {Path(path).name}"))


def check(data: Path, promised: Promised) -> list[str]:
    """Open what a power cut left, and say what is missing or wrong."""
    problems: list[str] = []
    with embedkafka.EmbeddedKafka(data, clock=ManualClock(), **BROKER) as engine:
        admin = KafkaAdminClient(bootstrap_servers=engine)
        there = set(admin.list_topics())
        for topic in TOPICS:
            if topic in there:
                problems += [f"{topic}: {problem}" for problem in _check_topic(engine, topic, promised)]
            elif promised.acknowledged[topic]:
                problems.append(f"{topic} is gone")
        offsets = admin.list_group_offsets({GROUP: None})[GROUP]
        admin.close()
        found = offsets[TopicPartition("kept", 0)].offset if offsets else None
        if found not in (promised.committed, promised.committing):
            problems.append(f"committed offset is {found}, acknowledged was {promised.committed}")
        with KafkaProducer(bootstrap_servers=engine) as producer:  # and it goes on
            for topic in there & set(TOPICS):
                producer.send(topic, key=b"after", value=b"after", partition=0).get(timeout=10)
    return problems


def _check_topic(engine: Any, topic: str, promised: Promised) -> list[str]:
    one = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=engine, group_id=None, auto_offset_reset="earliest")
    consumer.assign([one])
    end = consumer.end_offsets([one])[one]
    found: dict[int, Record] = {}
    while (position := consumer.position(one)) < end:
        records = consumer.poll(timeout_ms=1_000).get(one, ())
        # A poll may pass no more than batches that compaction has emptied.
        assert records or consumer.position(one) > position, f"{topic}: nothing to read at {position}"
        found.update({record.offset: (record.key, record.value) for record in records})
    consumer.close()
    sent, acknowledged = promised.sent[topic], promised.acknowledged[topic]
    problems = [f"offset {offset} holds {record}" for offset, record in found.items() if sent[offset] != record]
    if topic == "compacted":
        last = {key: offset for offset, (key, _) in enumerate(sent[:acknowledged])}
        newest = {key: offset for offset, (key, _) in sorted(found.items())}
        problems += [f"{key!r} is lost" for key, offset in last.items() if newest.get(key, -1) < offset]
    elif sorted(found) != list(range(len(found))):
        problems.append("offsets have gaps")
    elif topic == "kept" and len(found) < acknowledged:
        problems.append(f"{acknowledged - len(found)} of {acknowledged} acknowledged records are lost")
    return problems


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[SwitchedFiles]:
    files = SwitchedFiles()
    monkeypatch.setattr(store, "system_files", lambda: files)
    yield files
    files.close()


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.timeout(300)
def test_a_power_cut_at_any_moment_loses_nothing_durable(
    tmp_path: Path, files: SwitchedFiles, seed: int, run: int
) -> None:
    program = Program(tmp_path, seed + run, files)
    program.run()
    assert len(program.cuts) > CUTS_PER_RUN // 2
    for data, promised, moment in program.cuts:
        problems = check(data, promised)
        assert not problems, f"run {run}, power cut {data.name} {moment}: {problems}"


def _log_syncs(operation: str, path: str) -> bool:
    return operation == "sync" and path.endswith(".log")


def _folder_syncs(operation: str, path: str) -> bool:
    return operation == "sync_dir"


@pytest.mark.parametrize("skipped", [_log_syncs, _folder_syncs])
@pytest.mark.timeout(300)
def test_a_sync_left_out_is_found(
    tmp_path: Path, files: SwitchedFiles, seed: int, skipped: Callable[[str, str], bool]
) -> None:
    started = [False]
    files.skipped = lambda operation, path: started[0] and skipped(operation, path)
    program = Program(tmp_path, seed, files)
    program.run(1)
    first = len(program.cuts)
    started[0] = True
    program.run(60)
    problems: list[str] = []
    for data, promised, _ in program.cuts[first:]:
        with suppress(Exception):
            problems += check(data, promised)
            continue
        problems.append("cannot be opened")
    assert problems
