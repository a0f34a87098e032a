"""The process that gets killed while it works on the jobs of a share group.

Run as a program with one argument, a JSON object (see :class:`Life`).  It never ends by itself: it kills itself in its
target phase, before or after it or in the middle of a write, or its parent does at any moment.  What it has been given
and what it was told it has done goes into a journal, one line a step, written before the next step begins.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.dying import Killer

GROUP = "g"
TOPIC = "jobs"
DEAD_LETTERS = "dlq.jobs"
PARTITIONS = 2
BROKER = {
    "share.coordinator.state.topic.num.partitions": 3,
    "share.coordinator.snapshot.update.records.per.snapshot": 20,
    "log.cleaner.enable": "false",
}
PHASES = ("idle", "acquire", "acknowledge", "store", "bury")
_METHODS = {
    "acquire": "embedkafka.broker.share.partition:LedSharePartition._acquire",
    "acknowledge": "embedkafka.broker.share.partition:LedSharePartition.acknowledge",
    "store": "embedkafka.broker.share.states_shard:ShareStateShard._append",
    "bury": "embedkafka.broker.share.dead_letters:_append",
}
POISON_EVERY = 17  # jobs that are rejected


@dataclass(frozen=True)
class Life:
    """What the parent asks of one life."""

    directory: str
    board: str  # one byte: the phase under way
    journal: str
    seed: int
    target: str | None = None  # the phase to die in; None: the parent kills
    after_calls: int = 5
    sabotage: str | None = None  # a bug to play, which the checker must find


def work(broker: Any, *, seed: int, note: Callable[..., None], until: Callable[[int], bool]) -> None:
    """Three members take jobs in turn, and accept, release or reject them; one closes its session now and then.

    Args:
        note: told ``given`` partition, offset, member, delivery count; ``accept``, ``reject`` or ``release`` partition,
            offset before that is asked for, and the same with ``ed``, or ``refused``, once it was answered.
        until: told how many jobs the last round brought.
    """
    from broker.share_worker import Worker, partition_id

    source = random.Random(seed)
    partitions = [partition_id(broker, TOPIC, number) for number in range(PARTITIONS)]
    workers = [Worker(broker, f"{seed}-{number}", GROUP, partitions) for number in range(3)]
    while True:
        count = 0
        for index, worker in enumerate(workers):
            reply = worker.fetch(max_records=source.choice((1, 5, 30)))
            for each in reply.partitions:
                assert each.error_code == 0, each
                for first, last, delivery_count in each.acquired:
                    count += last - first + 1
                    for offset in range(first, last + 1):
                        note("given", each.partition.partition, offset, worker.member_id, delivery_count)
                    while first <= last:
                        end = min(last, first + source.randrange(5))
                        _finish(worker, each.partition, range(first, end + 1), delivery_count, source, note)
                        first = end + 1
            if source.random() < 0.05:
                given = [
                    (each.partition.partition, offset)
                    for each in worker.fetch(max_records=3).partitions
                    for first, last, _ in each.acquired
                    for offset in range(first, last + 1)
                ]
                for job in given:
                    note("release", *job)
                worker.close()
                for job in given:
                    note("released", *job)
                workers[index] = Worker(broker, f"{seed}-{source.random()}", GROUP, partitions)
        if until(count):
            return


def _finish(
    worker: Any, partition: Any, offsets: range, delivery_count: int, source: random.Random, note: Callable[..., None]
) -> None:
    """Say what has become of some jobs, in one request."""
    from broker.share_worker import ACCEPT, REJECT, RELEASE, RENEW

    if source.random() < 0.1:
        worker.acknowledge((offsets[0], offsets[-1], RENEW), of=partition, is_renew_ack=True)
    if source.random() < 0.1 and delivery_count < 5:
        types = dict.fromkeys(offsets, RELEASE)
    else:
        types = {offset: ACCEPT if offset % POISON_EVERY else REJECT for offset in offsets}
    names = {ACCEPT: "accept", REJECT: "reject", RELEASE: "release"}
    for offset, type_ in types.items():
        note(names[type_], partition.partition, offset)
    error_code = worker.acknowledge(*((offset, offset, type_) for offset, type_ in types.items()), of=partition)
    for offset, type_ in types.items():
        note("refused" if error_code else names[type_] + "ed", partition.partition, offset)


# -- bugs to play, so that a test can show that the check would find them ---


def _lose_an_acknowledgement() -> None:
    """Some acknowledgements are answered and not stored."""
    from embedkafka.broker.share.partition import LedSharePartition

    original = LedSharePartition._store
    source = random.Random(1)

    def store(self: Any, change: Any) -> None:
        if source.random() < 0.7 or not change.batches:
            original(self, change)

    LedSharePartition._store = store  # type: ignore[method-assign]


def _lose_a_lock() -> None:
    """What somebody has acquired is given to others, too."""
    from embedkafka.coordinator.share_partition.partition import SharePartition

    original = SharePartition.note
    source = random.Random(1)

    def note(self: Any, events: Any) -> None:
        original(self, [event for event in events if source.random() < 0.9])

    SharePartition.note = note  # type: ignore[method-assign]


def _forget_a_dead_letter() -> None:
    """A rejected record is archived and goes nowhere."""
    from embedkafka.broker.share import partition as share_partition

    share_partition.bury = lambda *arguments: None


BUGS = {
    "lose an acknowledgement": _lose_an_acknowledgement,
    "lose a lock": _lose_a_lock,
    "forget a dead letter": _forget_a_dead_letter,
}


def main() -> None:
    life = Life(**json.loads(sys.argv[1]))
    if life.sabotage:
        BUGS[life.sabotage]()
    Killer(
        PHASES,
        _METHODS,
        board=life.board,
        seed=life.seed,
        target=life.target,
        after_calls=life.after_calls,
    ).install()
    from broker.support import Broker

    from embedkafka.broker.engine import Engine

    journal = os.open(life.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(*what: object) -> None:
        os.write(journal, (json.dumps([life.seed, *what]) + "\n").encode())

    engine = Engine.open(life.directory, configs=BROKER)
    work(Broker(engine), seed=life.seed, note=note, until=lambda count: False)


if __name__ == "__main__":
    main()
