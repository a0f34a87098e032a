"""Programs that use the engine at random: each is a generator that stops wherever others may go on in between.

An actor ends of its own accord (its client closed, killed or fenced) and the run puts another in its place.  What a
peer can do to it (fencing, rebalances) it expects; any other error ends the run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reliability.history import clients
from reliability.history.recording import Recorder

from embedkafka import AcknowledgeType, TopicPartition
from embedkafka.errors import CommitFailedError, KafkaError

PARTITIONS = 2
TOPICS = ("load", "input", "output")
ALL = [TopicPartition(topic, number) for topic in TOPICS for number in range(PARTITIONS)]
LOAD, INPUT = ALL[:PARTITIONS], ALL[PARTITIONS : 2 * PARTITIONS]
TRANSACTIONAL_IDS = ("first", "second")
GROUPS = {"classic-group": "classic", "consumer-group": "consumer"}
SHARE_GROUPS = {"share-group": False, "share-committed": True}
"""Whether a group gets committed records only."""
PIPELINE = "pipeline"
TRANSACTION_TIMEOUT_MS = 10_000
MAX_POLL_INTERVAL_MS = 30_000
LOCK_MS = 30_000
DELIVERY_COUNT_LIMIT = 10


@dataclass
class Stage:
    """What actors act on."""

    recorder: Recorder
    engine: Any
    random: random.Random
    stall: Callable[[float], None]
    """Let time pass for one actor, so long that others give it up; does nothing where time is real."""
    names: Iterator[int]
    lived: str = ""
    poll_timeout_ms: float = 0
    session_timeout_ms: int = 10_000

    def name(self, what: str) -> str:
        return f"{what}-{self.lived}{next(self.names)}"


Actor = Callable[[Stage], Iterator[None]]


def plain_producer(stage: Stage) -> Iterator[None]:
    """Sends to every topic that is nobody's output; may be killed in the middle of a batch."""
    source = stage.random
    producer = clients.Producer(
        stage.recorder,
        stage.engine,
        stage.name("plain"),
        batch_size=source.choice((300, 2_000)),
        linger_ms=source.choice((0, 5)),
        retry_backoff_ms=10,
    )
    for _ in range(source.randrange(5, 40)):
        for _ in range(source.randrange(1, 8)):
            producer.send(source.choice(LOAD + INPUT))
        yield
        if source.random() < 0.2:
            producer.client.flush()
            yield
    if source.random() < 0.5:
        stage.engine.kill(producer.client)
    else:
        producer.client.close()


def transactional_producer(stage: Stage) -> Iterator[None]:
    """Takes a transactional id, fencing whoever has it, and runs transactions until it is fenced itself."""
    source = stage.random
    transactional_id = source.choice(TRANSACTIONAL_IDS)
    producer = clients.Producer(
        stage.recorder,
        stage.engine,
        stage.name(transactional_id),
        transactional_id=transactional_id,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        batch_size=300,
        retry_backoff_ms=10,
    )
    try:
        producer.client.init_transactions()
        yield
        for _ in range(source.randrange(1, 12)):
            yield from _transaction(stage, producer)
    except KafkaError:  # somebody else has the id now, or the transaction has timed out
        stage.engine.kill(producer.client)
        return
    if source.random() < 0.5:
        stage.engine.kill(producer.client)
    else:
        producer.client.close()


def _transaction(stage: Stage, producer: clients.Producer) -> Iterator[None]:
    source = stage.random
    producer.begin()
    for _ in range(source.randrange(1, 5)):
        for _ in range(source.randrange(1, 6)):
            producer.send(source.choice(LOAD))
        yield
        if source.random() < 0.3:
            producer.client.flush()
            yield
    if source.random() < 0.05:
        stage.stall(TRANSACTION_TIMEOUT_MS * 2)
        yield
    producer.end(commit=source.random() < 0.7)
    yield


def worker(stage: Stage) -> Iterator[None]:
    """Consumes the input, produces the output, commits how far it has read, all in transactions."""
    source = stage.random
    name = stage.name("worker")
    producer = clients.Producer(
        stage.recorder,
        stage.engine,
        name,
        transactional_id=source.choice((name, "worker")),
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        batch_size=300,
        retry_backoff_ms=10,
    )
    member = _member(stage, PIPELINE, "input", source.choice(list(GROUPS.values())), isolation_level="read_committed")
    try:
        producer.client.init_transactions()
        for _ in range(source.randrange(5, 40)):
            yield from _step(stage, producer, member)
    except KafkaError:
        stage.engine.kill(member.client)
        stage.engine.kill(producer.client)
        return
    member.client.close()
    producer.client.close()


def _step(stage: Stage, producer: clients.Producer, member: clients.Member) -> Iterator[None]:
    source = stage.random
    polled = member.poll(stage.poll_timeout_ms)
    yield
    if not polled:
        return
    offsets = {one: member.positions[one] for one in polled}
    producer.begin()
    for one, records in polled.items():
        for record in records:
            producer.send(TopicPartition("output", one.partition), source=record)
            if source.random() < 0.1:
                yield
    if source.random() < 0.03:
        stage.stall(MAX_POLL_INTERVAL_MS * 2)
        yield
    producer.send_offsets({one: offset for one, offset in offsets.items() if offset is not None}, member)
    yield
    if source.random() < 0.8:
        producer.end(commit=True)
        member.committed.update({one: offset for one, offset in offsets.items() if offset is not None})
    else:
        producer.end(commit=False)
        member.forget()
    yield


def group_member(stage: Stage) -> Iterator[None]:
    """Joins a group, reads, commits; leaves, dies, or falls asleep and commits too late."""
    source = stage.random
    group = source.choice(list(GROUPS))
    member = _member(stage, group, "load", GROUPS[group])
    for _ in range(source.randrange(5, 60)):
        member.poll(stage.poll_timeout_ms)
        yield
        if source.random() < 0.02:
            stage.stall(MAX_POLL_INTERVAL_MS * 2)
            yield
        if source.random() < 0.4:
            try:
                member.commit()
            except CommitFailedError:
                continue  # the group has gone on without it
            yield
    if source.random() < 0.4:
        stage.engine.kill(member.client)
    else:
        member.client.close()


def _member(stage: Stage, group: str, topic: str, protocol: str, **configs: Any) -> clients.Member:
    if protocol == "classic":
        configs["session_timeout_ms"] = stage.session_timeout_ms
    return clients.Member(
        stage.recorder,
        stage.engine,
        stage.name(group),
        group,
        topic,
        group_protocol=protocol,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        max_poll_records=stage.random.choice((3, 20, 500)),
        **configs,
    )


def share_member(stage: Stage) -> Iterator[None]:
    """Works on a share group's records: most succeed, some are released, rejected or take longer; it may die."""
    source = stage.random
    group = source.choice(list(SHARE_GROUPS))
    member = clients.ShareMember(
        stage.recorder,
        stage.engine,
        stage.name(group),
        group,
        "load",
        committed=SHARE_GROUPS[group],
        max_records=source.choice((1, 10, 100)),
    )
    for _ in range(source.randrange(5, 40)):
        records = member.poll(stage.poll_timeout_ms)
        yield
        if source.random() < 0.03:
            stage.stall(LOCK_MS * 2)
            yield
        for record in records:
            type_ = source.choices(list(AcknowledgeType), (80, 8, 2, 4))[0]
            member.acknowledge(record, type_)
        if source.random() < 0.05:
            break  # it dies, or is closed, before it has said so
        member.commit()
        yield
    if source.random() < 0.5:
        member.kill(stage.engine)
    else:
        member.close()


def reader(stage: Stage) -> Iterator[None]:
    """Reads partitions on its own, from their beginning and anywhere."""
    source = stage.random
    partitions = source.sample(ALL, source.randrange(1, len(ALL)))
    name = stage.name("reader")
    one = clients.Reader(stage.recorder, stage.engine, name, partitions, committed=source.random() < 0.6)
    for _ in range(source.randrange(5, 40)):
        one.poll(source.choice((1, 10, 500)), stage.poll_timeout_ms)
        yield
        if source.random() < 0.1:
            where = source.choice(partitions)
            one.seek(where, source.randrange(one.client.end_offsets([where])[where] + 1))
            yield
    one.client.close()


def observer(stage: Stage) -> Iterator[None]:
    """Looks up what groups have committed."""
    while True:
        group = stage.random.choice((*GROUPS, PIPELINE))
        clients.look_up(stage.recorder, stage.engine, group, INPUT if group == PIPELINE else LOAD)
        yield


CAST: list[Actor] = [
    plain_producer,
    plain_producer,
    transactional_producer,
    transactional_producer,
    transactional_producer,
    worker,
    worker,
    group_member,
    group_member,
    group_member,
    group_member,
    share_member,
    share_member,
    share_member,
    reader,
    reader,
    reader,
    observer,
]
"""Who is on at any time."""
