"""Transactions in logs that are compacted and aged out, over restarts, compared with a plain model after each step.

Two producers of transactions and one without write to the same partitions.  Read_committed readers see of a compacted
log every key's last committed value, of an aging one a suffix of what was committed, and of neither anything else.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import embedkafka
from embedkafka import KafkaConsumer, KafkaProducer, ManualClock, TopicPartition
from embedkafka.storage.cleaned_transactions import CleanedTransactions
from embedkafka.storage.log import Log

RUNS = 100 if os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0") else 2
STEPS = 120
RETENTION_MS = 60_000
TINY = {"internal.segment.bytes": "1500", "index.interval.bytes": "200", "segment.ms": "20000"}
TOPICS = {
    "compacted": {
        **TINY,
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "1000",
    },
    "aging": {**TINY, "retention.ms": str(RETENTION_MS)},
}
BROKER: dict[str, Any] = {
    "log.cleaner.backoff.ms": 2_000,
    "log.retention.check.interval.ms": 2_000,
    "log.initial.task.delay.ms": 0,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.segment.bytes": 4_096,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
}
PRODUCERS = ("one", "two", None)
"""Transactional ids; None is a producer without transactions."""


class Record(NamedTuple):
    time_ms: int
    key: bytes
    value: bytes
    future: Any


class Run:
    """One program and its model."""

    def __init__(self, data: Path, seed: int) -> None:
        self.committed: dict[str, dict[int, Record]] = {topic: {} for topic in TOPICS}  # by offset
        self._data = data
        self._random = random.Random(seed)
        self._clock = ManualClock()
        self._numbers = 0
        self._open()

    def _open(self) -> None:
        self._engine = embedkafka.EmbeddedKafka(self._data, clock=self._clock, **BROKER)
        with embedkafka.KafkaAdminClient(bootstrap_servers=self._engine) as admin:
            if not admin.list_topics():
                admin.create_topics({topic: {"num_partitions": 1, "configs": one} for topic, one in TOPICS.items()})
        self._producers = {name: self._producer(name) for name in PRODUCERS}
        self._open_records: dict[str, list[tuple[str, Record]]] = {}

    def _producer(self, transactional_id: str | None) -> KafkaProducer:
        producer = KafkaProducer(bootstrap_servers=self._engine, transactional_id=transactional_id, batch_size=400)
        if transactional_id is not None:
            producer.init_transactions()
        return producer

    def run(self) -> dict[str, int]:
        """Returns how many committed records were cleaned away, by topic."""
        steps = (self._send, self._end, self._wait, self._replace, self._reopen)
        try:
            for number in range(STEPS):
                self._random.choices(steps, (20, 8, 4, 1, 1))[0]()
                if number % 3 == 0:
                    self.check()
            return {topic: len(one.keys() - self._read(topic).keys()) for topic, one in self.committed.items()}
        finally:
            self._close()

    def _close(self) -> None:
        for producer in self._producers.values():
            self._engine.kill(producer)
        self._engine.close()

    # -- steps -------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        name = self._random.choice(PRODUCERS)
        producer = self._producers[name]
        if name is not None and name not in self._open_records:
            producer.begin_transaction()
            self._open_records[name] = []
        for _ in range(self._random.randrange(1, 8)):
            topic = self._random.choice(list(TOPICS))
            self._numbers += 1
            key, value = b"key-%d" % self._random.randrange(6), b"%d" % self._numbers
            future = producer.send(topic, key=key, value=value, partition=0)
            record = Record(self._clock.now_ms(), key, value, future)
            if name is None:
                self._note_committed(topic, record)
            else:
                self._open_records[name].append((topic, record))

    def _note_committed(self, topic: str, record: Record) -> None:
        self.committed[topic][record.future.get(timeout=0).offset] = record

    def _end(self) -> None:
        if not self._open_records:
            return
        name = self._random.choice(sorted(self._open_records))
        producer, records = self._producers[name], self._open_records.pop(name)
        if self._random.random() < 0.4:
            producer.abort_transaction()
            return
        producer.commit_transaction()
        for topic, record in records:
            self._note_committed(topic, record)

    def _wait(self) -> None:
        self._clock.advance(self._random.choice((100, 5_000, 25_000)))
        for name in list(self._open_records):  # whoever is not done by then is aborted by the coordinator
            if self._clock.now_ms() - self._open_records[name][0][1].time_ms >= 30_000:
                self._give_up(name)

    def _replace(self) -> None:
        """A producer dies; the next one of its id ends its transaction."""
        name = self._random.choice(PRODUCERS)
        if name is not None:
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        self._engine.kill(self._producers[name])
        self._producers[name] = self._producer(name)
        self._open_records.pop(name, None)

    def _reopen(self) -> None:
        self._close()
        self._open()

    # -- the check ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        for topic, committed in self.committed.items():
            seen = self._read(topic)
            wrong = [
                offset for offset, found in seen.items() if offset not in committed or committed[offset][1:3] != found
            ]
            assert not wrong, f"{topic}: what is seen at {wrong} was not committed"
            if self._open_records:
                continue  # what lies behind an open transaction is not to be seen yet
            if topic == "compacted":
                needed = {committed[offset].key: offset for offset in sorted(committed)}.values()
            else:
                oldest_ms = self._clock.now_ms() - RETENTION_MS
                needed = [offset for offset, record in committed.items() if record.time_ms >= oldest_ms]
            lost = sorted(set(needed) - set(seen))
            assert not lost, f"{topic}: what was committed at {lost} is not seen"

    def _read(self, topic: str) -> dict[int, tuple[bytes, bytes]]:
        consumer = KafkaConsumer(
            bootstrap_servers=self._engine, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        one = TopicPartition(topic, 0)
        consumer.assign([one])
        end = consumer.end_offsets([one])[one]
        found: dict[int, tuple[bytes, bytes]] = {}
        while (position := consumer.position(one)) is not None and position < end:
            for record in consumer.poll(timeout_ms=10).get(one, ()):
                found[record.offset] = record.key, record.value
            assert consumer.position(one) != position, f"{topic}: nothing to read at {position}, below the end {end}"
        consumer.close()
        return found


def run_some(folder: Path, first_seed: int, count: int) -> Counter[str]:
    removed: Counter[str] = Counter()
    for number in range(first_seed, first_seed + count):
        try:
            removed.update(Run(folder / str(number), number).run())
        except AssertionError as error:
            raise AssertionError(f"run with seed {number}: {error}") from error
    return removed


@pytest.mark.timeout(60 + 3 * RUNS)
def test_read_committed_readers_of_cleaned_logs_see_what_was_committed_and_nothing_else(
    tmp_path: Path, seed: int
) -> None:
    removed = run_some(tmp_path, seed, RUNS)
    assert all(removed[topic] > 30 * RUNS for topic in TOPICS), f"hardly anything was cleaned: {removed}"


@pytest.mark.parametrize(
    "plant",
    [
        lambda patch: patch.setattr(Log, "aborted_transactions", lambda self, start, end: []),
        lambda patch: patch.setattr(Log, "last_stable_offset", property(lambda self: self.end_offset)),
        lambda patch: patch.setattr(CleanedTransactions, "may_discard", lambda self, header: False),
    ],
    ids=["no aborted transactions listed", "read beyond the last stable offset", "aborted records hide committed ones"],
)
def test_a_planted_bug_is_found(
    tmp_path: Path, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"was not committed|is not seen"):
        run_some(tmp_path, 0, 5)
