"""The process that gets killed: every actor in a thread of its own, real time, on one directory.

Run as a program with one argument, a JSON object (see :class:`Life`).  It never ends by itself.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from reliability.history.actors import CAST, DELIVERY_COUNT_LIMIT, GROUPS, Actor, Stage
from reliability.history.recording import Recorder
from reliability.history.world import create_topics, lose_answers

from embedkafka import EmbeddedKafka

LOCK_MS = 1_000
BROKER = {
    "offsets.topic.num.partitions": 2,
    "transaction.state.log.num.partitions": 2,
    "group.min.session.timeout.ms": 100,
    "group.consumer.min.session.timeout.ms": 300,
    "group.consumer.session.timeout.ms": 300,
    "group.consumer.min.heartbeat.interval.ms": 100,
    "group.consumer.heartbeat.interval.ms": 100,
    "share.coordinator.state.topic.num.partitions": 2,
    "group.share.delivery.count.limit": DELIVERY_COUNT_LIMIT,
    "group.share.min.record.lock.duration.ms": LOCK_MS,
    "group.share.record.lock.duration.ms": LOCK_MS,
}
FAILED = 70
"""The exit code of a child in which an actor raised."""


@dataclass(frozen=True)
class Life:
    """What the parent asks of one life."""

    directory: str
    journal: str
    seed: int
    life: int
    switch_interval_s: float = 0.005


def main(life: Life) -> None:
    sys.setswitchinterval(life.switch_interval_s)
    source = random.Random(life.seed)
    recorder = Recorder(Path(life.journal), life=life.life)
    engine = EmbeddedKafka(life.directory, **BROKER)
    create_topics(engine)
    _warm_up(engine)
    lose_answers(engine, source)
    names = itertools.count()
    for actor in CAST:
        stage = Stage(
            recorder,
            engine,
            random.Random(source.random()),
            stall=lambda delay_ms: None,
            names=names,
            lived=f"{life.life}.",
            poll_timeout_ms=20,
            session_timeout_ms=300,
        )
        threading.Thread(target=_play, args=(actor, stage), daemon=True).start()
    threading.Event().wait()


def _warm_up(engine: EmbeddedKafka) -> None:
    """Load what is loaded at first use: among busy threads that takes as long as a whole life."""
    with engine.producer(transactional_id="warm-up") as producer:
        producer.init_transactions()
    for protocol in GROUPS.values():
        with engine.consumer("load", group_id=f"warm-up-{protocol}", group_protocol=protocol) as consumer:
            consumer.poll(timeout_ms=0)
    with engine.share_consumer("load", group_id="warm-up-share") as sharing:
        sharing.poll(timeout_ms=0)


def _play(actor: Actor, stage: Stage) -> None:
    try:
        while True:
            for _ in actor(stage):
                pass
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(FAILED)


if __name__ == "__main__":
    main(Life(**json.loads(sys.argv[1])))
