"""The demo's work, step by step, without a word printed: produce, read in two groups, crash and resume."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import embedkafka
from embedkafka.cli.demo.reader import committed_offset
from embedkafka.cli.demo.source import Source, Tally
from embedkafka.cli.exits import CliError
from embedkafka.cli.output import Advance

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka

UNKEYED_TOPIC = "text"
KEYED_TOPIC = "text-by-chapter"
TOPICS = (UNKEYED_TOPIC, KEYED_TOPIC)
PARTITIONS = 4
GROUPS = {"word-count": 2, "index": 3}  # group -> consumers
CRASH_GROUP = "reader"
POLL_MS = 200
GIVE_UP_S = 30.0  # without a single record for so long, something is broken


@dataclass
class Produced:
    """One topic's production."""

    topic: str
    records: int
    elapsed_s: float
    per_partition: list[int]


def create_topics(kafka: EmbeddedKafka) -> None:
    """Make the two topics."""
    from embedkafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        admin.create_topics({topic: {"num_partitions": PARTITIONS} for topic in TOPICS})
    finally:
        admin.close()


def produce(kafka: EmbeddedKafka, topic: str, source: Source, advance: Advance) -> Produced:
    """Send every line to a topic, with the chapter as key where the topic is the keyed one."""
    from embedkafka import KafkaConsumer, KafkaProducer, TopicPartition

    keyed = topic == KEYED_TOPIC
    producer = KafkaProducer(bootstrap_servers=kafka)
    try:
        started = time.perf_counter()
        last = None
        for number, (chapter, line) in enumerate(source.lines, 1):
            last = producer.send(topic, value=line, key=chapter if keyed else None)
            if not number % 1000:
                advance(1000)
        producer.flush()
        elapsed_s = time.perf_counter() - started
        if last is not None:
            last.get(timeout=GIVE_UP_S)
    finally:
        producer.close()
    reader = KafkaConsumer(bootstrap_servers=kafka)
    try:
        ends = reader.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
    finally:
        reader.close()
    per_partition = [ends[partition] for partition in sorted(ends)]
    return Produced(topic, sum(per_partition), elapsed_s, per_partition)


@dataclass
class GroupRun:
    """What one group's consumers saw together."""

    group: str
    consumers: int
    keyed: Tally = field(default_factory=Tally)
    unkeyed: Tally = field(default_factory=Tally)
    by_chapter: dict[bytes, list[bytes]] = field(default_factory=dict)
    words: Counter[bytes] = field(default_factory=Counter)
    per_consumer: list[int] = field(default_factory=list)
    elapsed_s: float = 0.0
    last_progress_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    failure: BaseException | None = None

    @property
    def records(self) -> int:
        return self.keyed.records + self.unkeyed.records

    def take(self, records: list[Any]) -> None:
        """Account for what one poll brought."""
        with self.lock:
            for record in records:
                if record.topic == KEYED_TOPIC:
                    self.keyed.add(record.key, record.value)
                    self.by_chapter.setdefault(record.key, []).append(record.value)
                else:
                    self.unkeyed.add(record.key, record.value)
                    if self.group == "word-count":
                        self.words.update(record.value.split())
            self.last_progress_s = time.perf_counter()


def read_in_groups(kafka: EmbeddedKafka, source: Source, advance: Advance) -> list[GroupRun]:
    """Two groups of several consumers each read both topics at the same time."""
    expected = len(TOPICS) * len(source.lines)
    runs = [GroupRun(group, consumers, per_consumer=[0] * consumers) for group, consumers in GROUPS.items()]
    started = time.perf_counter()
    threads = []
    ended = []  # waited for instead of the threads: a join that Ctrl-C interrupts may take its thread for dead
    for run in runs:
        run.last_progress_s = started
        for member in range(run.consumers):
            ended.append(threading.Event())
            arguments = (kafka, run, member, expected, started, advance, ended[-1])
            threads.append(threading.Thread(target=_member, args=arguments, name=f"{run.group}-{member}"))
    begun = 0
    try:
        for thread in threads:
            begun += 1
            thread.start()
        for event in ended:
            event.wait()
    except BaseException as error:  # Ctrl-C: let the members leave before the engine closes under them
        for run in runs:
            run.failure = error
        for event in ended[:begun]:
            event.wait(GIVE_UP_S)  # the last may not have got as far as to run
        raise
    for thread in threads:
        thread.join()
    for run in runs:
        if run.failure is not None:
            raise run.failure
    return runs


def _member(
    kafka: EmbeddedKafka,
    run: GroupRun,
    member: int,
    expected: int,
    started: float,
    advance: Advance,
    ended: threading.Event,
) -> None:
    from embedkafka import KafkaConsumer

    try:
        consumer = KafkaConsumer(
            *TOPICS,
            bootstrap_servers=kafka,
            group_id=run.group,
            client_id=f"{run.group}-{member}",
            auto_offset_reset="earliest",
        )
        try:
            while run.records < expected and run.failure is None:
                polled = consumer.poll(timeout_ms=POLL_MS)
                records = [record for batch in polled.values() for record in batch]
                if records:
                    run.take(records)
                    run.per_consumer[member] += len(records)
                    run.elapsed_s = time.perf_counter() - started
                    advance(len(records))
                elif time.perf_counter() - run.last_progress_s > GIVE_UP_S:
                    return  # the counts will say what is missing
        finally:
            consumer.close()
    except BaseException as error:
        run.failure = error
    finally:
        ended.set()


@dataclass
class Crash:
    """A consumer process that was killed, and the one that went on."""

    process_id: int
    read: Tally
    committed: Tally
    committed_offsets: dict[int, int]
    reopen_s: float = 0.0
    resumed_at: dict[int, int] = field(default_factory=dict)
    resumed: Tally = field(default_factory=Tally)
    elapsed_s: float = 0.0

    @property
    def read_again(self) -> int:
        return self.read.records - self.committed.records


def kill_a_reader(data: Path, source: Source) -> Crash:
    """Let a process of its own read about half of the keyed topic, commit most of that, and kill it at once.

    The directory must be closed here: the process that reads is its owner for that time.
    """
    stop_after = len(source.lines) // 2
    commit_until = stop_after * 9 // 10
    root = str(Path(embedkafka.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    arguments = [str(data), KEYED_TOPIC, CRASH_GROUP, str(commit_until), str(stop_after)]
    process = subprocess.Popen(
        [sys.executable, "-m", "embedkafka.cli.demo.reader", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
        finally:
            process.kill()  # SIGKILL where there is one: no handler runs, nothing is closed or flushed
    if not said:
        raise CliError(f"the reader process ended by itself with exit code {process.returncode}")
    told = json.loads(said)
    return Crash(
        process.pid,
        Tally(*told["read"]),
        Tally(*told["committed"]),
        {int(number): offset for number, offset in told["committed_offsets"].items()},
    )


def resume(kafka: EmbeddedKafka, crash: Crash, advance: Advance) -> None:
    """Read on in the killed reader's group, to the end."""
    from embedkafka import KafkaConsumer, TopicPartition

    partitions = [TopicPartition(KEYED_TOPIC, number) for number in range(PARTITIONS)]
    consumer = KafkaConsumer(KEYED_TOPIC, bootstrap_servers=kafka, group_id=CRASH_GROUP, auto_offset_reset="earliest")
    try:
        crash.resumed_at = {partition.partition: committed_offset(consumer, partition) for partition in partitions}
        ends = consumer.end_offsets(partitions)
        left = sum(ends.values()) - sum(crash.resumed_at.values())
        started = last_progress_s = time.perf_counter()
        while crash.resumed.records < left:
            polled = consumer.poll(timeout_ms=POLL_MS)
            for records in polled.values():
                for record in records:
                    crash.resumed.add(record.key, record.value)
                advance(len(records))
            if polled:
                last_progress_s = time.perf_counter()
            elif time.perf_counter() - last_progress_s > GIVE_UP_S:
                break
        crash.elapsed_s = time.perf_counter() - started
    finally:
        consumer.close()
