"""A run of many clients in one thread: a seed decides who goes on next, when time passes, and when everything dies.

Time is a ``ManualClock``'s, so the same seed gives the same history.  A death is what ``kill -9`` at one file
operation leaves: the directory is copied just before it, nothing is recorded from then on, and the next life goes on in
the copy.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reliability.history import clients
from reliability.history.actors import (
    ALL,
    CAST,
    DELIVERY_COUNT_LIMIT,
    GROUPS,
    INPUT,
    LOAD,
    LOCK_MS,
    PARTITIONS,
    PIPELINE,
    SHARE_GROUPS,
    TOPICS,
    Actor,
    Stage,
)
from reliability.history.events import Drained, Event, Log, Restarted
from reliability.history.recording import Recorder
from reliability.power import SwitchedFiles

import embedkafka
from embedkafka import AcknowledgeType, ConfigResource, ConfigResourceType, TopicPartition
from embedkafka.broker import store
from embedkafka.clock import ManualClock

TINY = {"internal.segment.bytes": "4096", "index.interval.bytes": "256", "retention.ms": "-1"}
BROKER: dict[str, Any] = {
    "share.coordinator.state.topic.num.partitions": 2,
    "group.share.delivery.count.limit": DELIVERY_COUNT_LIMIT,
    "group.share.record.lock.duration.ms": LOCK_MS,
    "offsets.topic.num.partitions": 2,
    "transaction.state.log.num.partitions": 2,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    "group.consumer.min.session.timeout.ms": 10_000,
    "group.consumer.session.timeout.ms": 10_000,
    "log.cleaner.backoff.ms": 5_000,
    "log.retention.check.interval.ms": 5_000,
}
STEPS_PER_LIFE = 400
LOSSY = 0.02
"""How many answers to a produce request get lost after the batch was appended, so that it is sent again."""


class World:
    """One run.

    Args:
        folder: made here; each life has a directory of its own in it.
        seed: decides everything.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.recorder = Recorder()
        self._folder = folder
        self._random = random.Random(seed)
        self._files = SwitchedFiles()
        self._now_ms = 1_700_000_000_000
        self._life = 0
        self._names = itertools.count()
        self._operations_left: int | None = None

    @property
    def _data(self) -> Path:
        return self._folder / f"life-{self._life}"

    def run(self, lives: int, steps: int = STEPS_PER_LIFE) -> list[Event]:
        """Some lives, each ended by closing or by death; then read everything there is.  Returns the history."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "system_files", lambda: self._files)
            for _ in range(lives):
                self._live(steps)
            self._open()
            read_the_end(self.recorder, self._engine)
            self._engine.close()
        self._files.close()
        return self.recorder.events

    def _open(self) -> None:
        self._clock = ManualClock(self._now_ms)
        self._engine = embedkafka.EmbeddedKafka(self._data, clock=self._clock, **BROKER)
        create_topics(self._engine)
        lose_answers(self._engine, self._random)

    def _live(self, steps: int) -> None:
        self._open()
        source = self._random
        stage = Stage(self.recorder, self._engine, source, self._clock.advance, self._names)
        on: list[tuple[Actor, Iterator[None]]] = [(actor, actor(stage)) for actor in CAST]
        self._files.before = self._before
        death = source.randrange(steps // 2, steps) if source.random() < 0.6 else None
        for number in range(steps):
            if number == death:
                self._operations_left = source.randrange(40)
            position = source.randrange(len(on))
            actor, script = on[position]
            try:
                next(script)
            except StopIteration:
                on[position] = actor, actor(stage)
            if source.random() < 0.15:
                self._clock.advance(source.choice((1, 20, 300, 3_000)))
            if self.recorder.is_stopped:
                break
        self._end_life([script for _, script in on])

    def _end_life(self, scripts: list[Iterator[None]]) -> None:
        self._files.before = lambda operation, path: None
        self._operations_left = None
        has_died = self.recorder.is_stopped
        self._engine.close()
        for script in scripts:
            script.close()  # type: ignore[attr-defined]  # generators
        self._now_ms = self._clock.now_ms()
        if has_died:
            self._life += 1
        self.recorder.go_on()
        self.recorder.add(Restarted(self.recorder.tick()))

    def _before(self, operation: str, path: str) -> None:
        if self._operations_left is None or self.recorder.is_stopped:
            return
        self._operations_left -= 1
        if self._operations_left < 0:
            self.recorder.stop()
            shutil.copytree(self._data, self._folder / f"life-{self._life + 1}")


def create_topics(engine: Any) -> None:
    with embedkafka.KafkaAdminClient(bootstrap_servers=engine) as admin:
        missing = set(TOPICS) - set(admin.list_topics())
        if missing:
            admin.create_topics({topic: {"num_partitions": PARTITIONS, "configs": TINY} for topic in sorted(missing)})
            for group, is_committed in SHARE_GROUPS.items():
                level = "read_committed" if is_committed else "read_uncommitted"
                configs = {"share.auto.offset.reset": "earliest", "share.isolation.level": level}
                admin.alter_configs([ConfigResource(ConfigResourceType.GROUP, group, configs)])


def lose_answers(engine: Any, source: random.Random) -> None:
    """Let some answers to produce requests get lost on the way, as on a network."""
    (port,) = engine.engine.ports.values()
    original: Callable[..., Any] = port.produce_sealed

    def lossy(*arguments: Any, **options: Any) -> Any:
        reply = original(*arguments, **options)
        if reply is not None and not reply.error_code and source.random() < LOSSY:
            return reply._replace(error_code=embedkafka.errors.RequestTimedOutError.errno)
        return reply

    port.produce_sealed = lossy


def read_the_end(recorder: Recorder, engine: Any) -> None:
    """End what is left open, and record what every log, and every group, holds."""
    for transactional_id in _transactional_ids(engine):
        producer = embedkafka.KafkaProducer(bootstrap_servers=engine, transactional_id=transactional_id)
        producer.init_transactions()
        producer.close()
    for group, partitions in ((PIPELINE, INPUT), *((group, LOAD) for group in GROUPS)):
        clients.look_up(recorder, engine, group, partitions)
    for group in SHARE_GROUPS:
        drain(recorder, engine, group)
    for committed in (False, True):
        for one in ALL:
            recorder.add(Log(one, read_all(engine, one, committed=committed), committed))


def drain(recorder: Recorder, engine: Any, group: str) -> None:
    """Let one member get everything that there is, and that others have locked and will not come back to."""
    member = clients.ShareMember(
        recorder, engine, f"last-{group}", group, "load", committed=SHARE_GROUPS[group], max_records=500
    )
    lock_ms = engine.engine.config.integer("group.share.record.lock.duration.ms")
    while records := member.poll(timeout_ms=lock_ms * 1.5):
        for record in records:
            member.acknowledge(record, AcknowledgeType.ACCEPT)
        member.commit()
    recorder.add(Drained(recorder.tick(), group))
    member.close()


def _transactional_ids(engine: Any) -> list[str]:
    with embedkafka.KafkaAdminClient(bootstrap_servers=engine) as admin:
        return sorted(one.transactional_id for listed in admin.list_transactions().values() for one in listed)


def read_all(engine: Any, one: TopicPartition, *, committed: bool) -> tuple[tuple[int, str], ...]:
    """Every record that a reader of this kind sees."""
    consumer = embedkafka.KafkaConsumer(
        bootstrap_servers=engine,
        group_id=None,
        auto_offset_reset="earliest",
        isolation_level="read_committed" if committed else "read_uncommitted",
    )
    consumer.assign([one])
    end = consumer.end_offsets([one])[one]
    found: list[tuple[int, str]] = []
    while (position := consumer.position(one)) is not None and position < end:
        found += [(record.offset, record.value.decode()) for record in consumer.poll(timeout_ms=1_000).get(one, ())]
        if consumer.position(one) == position:
            break  # what lies behind is missing from the history then, and found to be lost
    consumer.close()
    return tuple(found)
