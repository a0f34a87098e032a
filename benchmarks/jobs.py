"""A queue of jobs: enqueue, acquire, acknowledge, beside libraries that keep jobs in SQLite.

Every job is acknowledged by a call of its own; that is committed once per poll of at most 500 jobs, or once
per job.  The peers commit each of their steps; with the page cache as durability SQLite is told not to sync.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._data import Workload, workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, engine, producer
from embedkafka import EmbeddedKafka, KafkaShareConsumer
from embedkafka.admin import ConfigResource, ConfigResourceType

GROUP = "workers"
PER_POLL = "one commit per poll of 500"
PER_JOB = "one commit per job"
SYNC = ", fsync"
PERSIST_QUEUE, LITEQUEUE, HUEY = "persist-queue SQLiteAckQueue", "litequeue", "huey SqliteHuey"
SHORT, LONG = "backlog of 10^4", "backlog of 10^6"


# The project ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def queue(directory: Path, *, sync: bool) -> Iterator[EmbeddedKafka]:
    configs = {"log_flush_interval_messages": 1} if sync else {}
    with engine(directory, **configs) as kafka:
        with kafka.admin() as admin:
            settings = {"share.auto.offset.reset": "earliest"}
            admin.alter_configs([ConfigResource(ConfigResourceType.GROUP, GROUP, configs=settings)])
        yield kafka


def enqueue(kafka: EmbeddedKafka, work: Workload) -> None:
    with producer(kafka) as client:
        send = client.send
        for _, value in work.pairs():
            send(TOPIC, value)
        client.flush()


def worker(kafka: EmbeddedKafka) -> KafkaShareConsumer:
    return kafka.share_consumer(TOPIC, group_id=GROUP, share_acknowledgement_mode="explicit")


def take(consumer: KafkaShareConsumer, count: int, *, per_job: bool) -> list[bytes]:
    """Do ``count`` jobs."""
    acknowledge, commit = consumer.acknowledge, consumer.commit_sync
    done: list[bytes] = []
    while len(done) < count:
        for records in consumer.poll(timeout_ms=5_000).values():
            for record in records:
                done.append(record.value)
                acknowledge(record)
                if per_job:
                    commit()
        if not per_job:
            commit()
    return done


def project(count: int, *, per_job: bool, sync: bool = False) -> Sample:
    work = workload(count)
    with fresh_directory() as directory, queue(directory, sync=sync) as kafka:
        with timed(count) as sample:
            enqueue(kafka, work)
            with worker(kafka) as consumer:
                done = take(consumer, count, per_job=per_job)
        work.check(done, GROUP)
        with worker(kafka) as consumer:
            assert not consumer.poll(timeout_ms=0), "a job came twice"
    return sample


def backlog(count: int, length: int) -> Sample:
    """Take ``count`` jobs while ``length`` wait."""
    work = workload(length)
    with fresh_directory() as directory, queue(directory, sync=False) as kafka:
        enqueue(kafka, work)
        with worker(kafka) as consumer:
            take(consumer, 500, per_job=False)
            with timed(count) as sample:
                done = take(consumer, count, per_job=False)
        assert len(done) >= count
    return sample


# The peers ------------------------------------------------------------------------------------------------------------


def durable(connection: sqlite3.Connection, sync: bool) -> None:
    connection.execute(f"PRAGMA synchronous={'FULL' if sync else 'OFF'}")


def persist_queue(count: int, *, sync: bool = False) -> Sample:
    import persistqueue

    work = workload(count)
    with fresh_directory() as directory:
        jobs = persistqueue.SQLiteAckQueue(str(directory), auto_commit=True)
        for connection in {jobs._putter, jobs._getter}:
            durable(connection, sync)
        done: list[bytes] = []
        with timed(count) as sample:
            for _, value in work.pairs():
                jobs.put(value)
            for _ in range(count):
                job = jobs.get()
                done.append(job)
                jobs.ack(job)
        work.check(done, PERSIST_QUEUE)
        jobs.close()
    return sample


def litequeue(count: int, *, sync: bool = False) -> Sample:
    from litequeue import LiteQueue

    work = workload(count)
    with fresh_directory() as directory:
        jobs = LiteQueue(str(directory / "queue.sqlite"))
        durable(jobs.conn, sync)
        done: list[bytes] = []
        with timed(count) as sample:
            for _, value in work.texts():
                jobs.put(value)
            for _ in range(count):
                job: Any = jobs.pop()
                done.append(job.data.encode())
                jobs.done(job.message_id)
        work.check(done, LITEQUEUE)
        jobs.conn.close()
    return sample


def huey(count: int, *, sync: bool = False) -> Sample:
    """A job is a task there, and is forgotten when it is handed out: no acknowledgement has to be paid for."""
    from huey import SqliteHuey

    work = workload(count)
    done: list[bytes] = []
    with fresh_directory() as directory:
        jobs = SqliteHuey("queue", filename=str(directory / "huey.sqlite"), results=False)
        durable(jobs.storage.conn, sync)
        job = jobs.task()(done.append)
        with timed(count) as sample:
            for _, value in work.pairs():
                job(value)
            for _ in range(count):
                jobs.execute(jobs.dequeue())
        work.check(done, HUEY)
        jobs.storage.close()
    return sample


PEERS = [
    (PERSIST_QUEUE, persist_queue, "persistqueue"),
    (LITEQUEUE, litequeue, "litequeue"),
    (HUEY, huey, "huey"),
]

CLAIM = Claim(
    "jobs",
    "jobs of 100 bytes enqueued, acquired and acknowledged; wall time",
    [
        Contender(PER_POLL, lambda count: project(count, per_job=False)),
        Contender(PER_JOB, lambda count: project(count, per_job=True)),
        *(Contender(name, run, "peer", share=0.02, needs=module) for name, run, module in PEERS),
        Contender(PER_POLL + SYNC, lambda count: project(count, per_job=False, sync=True), share=0.2),
        Contender(PER_JOB + SYNC, lambda count: project(count, per_job=True, sync=True), share=0.005),
        *(
            Contender(name + SYNC, lambda count, run=run: run(count, sync=True), "peer", share=0.002, needs=module)
            for name, run, module in PEERS
        ),
        Contender(SHORT, lambda count: backlog(min(count, 5_000), 10_000)),
        Contender(LONG, lambda count: backlog(min(count, 5_000), 1_000_000)),
    ],
    [
        *(Goal(PER_POLL, name, 1 / 20, WALL) for name, _, _ in PEERS),
        *(Goal(PER_JOB, name, 1 / 5, WALL) for name, _, _ in PEERS),
        Goal(LONG, SHORT, 1.2, WALL),
    ],
    count=100_000,
)
