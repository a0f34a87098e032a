"""The process that gets killed: producers, a consumer group and the cleaner at work on one directory.

Run as a program with one argument, a JSON object (see :class:`Life`).  It never ends by itself.  Its phases are found
by wrapping methods from outside; when the life has an aim, it kills itself in the middle of a chosen phase, at a file
operation, sometimes after half of a write.  That is what ``kill -9`` does, only better aimed.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.journal import PHASES, Board, Event, Journal

TOPICS = ("load", "compacted")
PARTITIONS = {"load": 3, "compacted": 1}
TINY = {
    "internal.segment.bytes": "16384",
    "index.interval.bytes": "256",
    "retention.ms": "-1",
    "file.delete.delay.ms": "50",
}
CONFIGS = {
    "load": TINY,
    "compacted": {**TINY, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"},
}
BROKER = {
    "log.cleaner.backoff.ms": 20,
    "log.initial.task.delay.ms": 0,
    "log.retention.check.interval.ms": 50,
    "offsets.topic.segment.bytes": 65536,
    "offsets.topic.num.partitions": 3,
}
GROUP = "workers"
PRODUCERS = 3
CODECS = (None, "lz4", "zstd")
KEYS = 50
WINDOW = 300  # sends that may be under way at once, per producer

# Where each phase begins and ends.
HOOKS = {
    "append": ("embedkafka.storage.log:Log.append", "embedkafka.storage.log:Log.append_plain"),
    "roll": ("embedkafka.storage.log:Log._roll",),
    "index": ("embedkafka.storage.index:Index.write",),
    "compaction": ("embedkafka.storage.compaction:_Cleaning.steps",),
    "commit": ("embedkafka.broker.groups.shard:GroupShard._append",),
}


@dataclass(frozen=True)
class Life:
    """What the parent asks of one life."""

    directory: str
    journal: str
    board: str
    seed: int
    life: int  # makes ids unique over the lives of one directory
    target: str | None = None  # phase to die in; None: the parent kills at a time of its own
    after_acknowledged: int = 0  # not before so many sends are done
    sabotage: str | None = None  # a bug to play, which the checker must find


def thread_id(life: int, producer: int) -> int:
    return life * PRODUCERS + producer


def key_of(thread: int, sequence: int) -> bytes:
    return b"%d-%d" % (thread, sequence % KEYS)


def value_of(thread: int, sequence: int) -> bytes:
    """An id that tells where the record came from, and a body that depends on it."""
    source = random.Random(thread * 1_000_003 + sequence)
    return b"%d:%d:" % (thread, sequence) + source.randbytes(source.randrange(120))


def id_of(value: bytes) -> tuple[int, int]:
    """Thread and sequence of a value, which must be whole."""
    thread, sequence, _ = value.split(b":", 2)
    assert value == value_of(int(thread), int(sequence)), "a record's bytes changed"
    return int(thread), int(sequence)


def topic_and_partition(sequence: int) -> tuple[int, int]:
    """Every fourth record goes to the compacted topic, the others round the partitions of the first."""
    return (1, 0) if sequence % 4 == 3 else (0, sequence // 4 % PARTITIONS["load"])


def install_phases(board: Board, life: Life) -> None:
    """Wrap the methods in HOOKS, and the file operations when this life is to die at one."""
    current = threading.local()
    for phase, methods in HOOKS.items():
        for where in methods:
            _replace(where, partial(_in_phase, board, current, phase))
    if life.target is not None:
        _die_in_phase(board, life, current)


def _in_phase(board: Board, current: threading.local, phase: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with the phase noted while it runs; of a generator, while it runs on behalf of a ``next``."""
    number = PHASES.index(phase)

    @contextmanager
    def noted() -> Iterator[None]:
        outer = getattr(current, "phases", ())
        current.phases = (*outer, phase)
        before = board.enter(number)
        try:
            yield
        finally:
            board.leave(before)
            current.phases = outer

    if inspect.isgeneratorfunction(method):

        def stepwise(*arguments: Any, **options: Any) -> Iterator[Any]:
            steps = method(*arguments, **options)
            while True:
                with noted():
                    try:
                        step = next(steps)
                    except StopIteration:
                        return
                yield step

        return stepwise

    def wrapped(*arguments: Any, **options: Any) -> Any:
        with noted():
            return method(*arguments, **options)

    return wrapped


def _replace(where: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    module, path = where.split(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    setattr(owner, name, wrap(getattr(owner, name)))


def _die_in_phase(board: Board, life: Life, current: threading.local) -> None:
    """Die at the n-th file operation inside the phase: before it, after it, or with half of a write done."""
    from embedkafka.files import posix

    source = random.Random(life.seed)
    countdown = [source.randrange(1, 12)]
    lock = threading.Lock()

    def due() -> bool:
        if life.target not in getattr(current, "phases", ()) or board.acknowledged < life.after_acknowledged:
            return False
        if board.sent <= board.acknowledged:
            return False
        with lock:
            countdown[0] -= 1
            return countdown[0] <= 0

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Any, *arguments: Any, **options: Any) -> Any:
            if not due():
                return method(self, *arguments, **options)
            how = source.choice(("before", "after", "half"))
            if how == "half" and method.__name__ == "write_at":
                data, position = arguments
                method(self, memoryview(data)[: len(data) // 2], position)
            elif how != "before":
                method(self, *arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("unreachable")

        return wrapped

    # Each part is a write of its own here, so that a death can come between them, as a kernel may do half of its work.
    posix.PosixFile.write_together = posix.SystemFile.write_together  # type: ignore[method-assign]
    for owner, names in (
        (posix.PosixFile, ("write_at", "sync")),
        (posix.PosixFiles, ("open", "rename", "unlink", "sync_dir")),
    ):
        for name in names:
            setattr(owner, name, wrap(getattr(owner, name)))


class Producing(threading.Thread):
    """Sends for ever.  How it learns that a send is done differs: by callback, by get, by flush."""

    def __init__(self, kafka: Any, engine: Any, producer: int, life: Life, journal: Journal, board: Board) -> None:
        super().__init__(daemon=True)
        self._thread_id = thread_id(life.life, producer)
        self._how = producer % 3
        self._slot = producer
        self._journal = journal
        self._board = board
        self._client = kafka.KafkaProducer(
            bootstrap_servers=engine, compression_type=CODECS[producer % len(CODECS)], batch_size=2_000
        )

    def run(self) -> None:
        window: list[tuple[int, Any]] = []
        gate = threading.Semaphore(WINDOW)
        sequence = 0
        while True:
            topic, partition = topic_and_partition(sequence)
            future = self._client.send(
                TOPICS[topic],
                key=key_of(self._thread_id, sequence),
                value=value_of(self._thread_id, sequence),
                partition=partition,
            )
            self._board.add_sent(self._slot)
            if self._how == 0:
                gate.acquire()

                def done(metadata: Any, sequence: int = sequence) -> None:
                    self._acknowledge(sequence, metadata)
                    gate.release()

                future.add_callback(done)
            else:
                window.append((sequence, future))
                if len(window) >= WINDOW:
                    if self._how == 2:
                        self._client.flush()
                    for number, one in window:
                        self._acknowledge(number, one.get(timeout=60))
                    window.clear()
            sequence += 1

    def _acknowledge(self, sequence: int, metadata: Any) -> None:
        self._journal.write(
            Event.ACKNOWLEDGED,
            TOPICS.index(metadata.topic),
            metadata.partition,
            metadata.offset,
            thread=self._thread_id,
            sequence=sequence,
        )
        self._board.add_acknowledged(self._slot)


class Consuming(threading.Thread):
    """One member of the group: polls and commits what it polled."""

    def __init__(self, kafka: Any, engine: Any, journal: Journal, board: Board) -> None:
        super().__init__(daemon=True)
        self._kafka = kafka
        self._journal = journal
        self._board = board
        self._client = kafka.KafkaConsumer(
            "load",
            bootstrap_servers=engine,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=100,
        )

    def run(self) -> None:
        while True:
            for partition, records in self._client.poll(timeout_ms=100).items():
                offset = records[-1].offset + 1
                self._journal.write(Event.COMMITTING, 0, partition.partition, offset)
                try:
                    self._client.commit({partition: self._kafka.OffsetAndMetadata(offset, "", -1)})
                except self._kafka.errors.KafkaError:  # the group rebalanced: nothing was promised
                    continue
                self._journal.write(Event.COMMITTED, 0, partition.partition, offset)
                self._board.add_committed(partition.partition)


def main(life: Life) -> None:
    import embedkafka

    journal, board = Journal(Path(life.journal)), Board(Path(life.board))
    install_phases(board, life)
    if life.sabotage is not None:
        from reliability import sabotage

        sabotage.install(life.sabotage)
    engine = embedkafka.EmbeddedKafka(life.directory, **BROKER)
    admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
    there = set(admin.list_topics())
    missing = {
        topic: {"num_partitions": count, "configs": CONFIGS[topic]}
        for topic, count in PARTITIONS.items()
        if topic not in there
    }
    if missing:
        admin.create_topics(missing)
    threads: list[threading.Thread] = [
        Producing(embedkafka, engine, producer, life, journal, board) for producer in range(PRODUCERS)
    ]
    threads += [Consuming(embedkafka, engine, journal, board) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    threading.excepthook = lambda failure: (sys.__excepthook__(*failure[:3]), os._exit(70))  # type: ignore[arg-type,func-returns-value,assignment]
    main(Life(**json.loads(sys.argv[1])))
