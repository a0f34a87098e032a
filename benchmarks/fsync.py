"""Durable against power loss every thousand records, beside databases that promise the same."""

from __future__ import annotations

from itertools import islice

from benchmarks import _peers
from benchmarks._data import workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed, write_pieces
from benchmarks._project import TOPIC, check, engine, producer

PROJECT = "flush() every 1000, each made durable"
PIPELINED = "log.flush.interval.messages=1000"
LMDB = "lmdb, transactions of 1000"
SQLITE = "SQLite WAL, transactions of 1000"


def project(count: int) -> Sample:
    """What a transaction is to the databases: nothing more is sent until these thousand are safe."""
    work = workload(count)
    with fresh_directory() as directory, engine(directory, log_flush_interval_messages=1000) as kafka:
        with producer(kafka) as client:
            send, flush, pairs = client.send, client.flush, work.pairs()
            with timed(count) as sample:
                for _ in range(0, count, 1000):
                    for key, value in islice(pairs, 1000):
                        send(TOPIC, value=value, key=key)
                    flush()
        check(kafka, work, PROJECT)
    return sample


def pipelined(count: int) -> Sample:
    """Kafka's way: records go on while earlier ones are made safe, and each future tells when its own is."""
    work = workload(count)
    with fresh_directory() as directory, engine(directory, log_flush_interval_messages=1000) as kafka:
        with producer(kafka) as client:
            send, pairs = client.send, work.pairs()
            with timed(count) as sample:
                for key, value in pairs:
                    send(TOPIC, value=value, key=key)
                client.flush()
        check(kafka, work, PIPELINED)
    return sample


CLAIM = Claim(
    "fsync",
    "records of 100 bytes, one fsync per 1000; wall time",
    [
        Contender(PROJECT, project),
        Contender(PIPELINED, pipelined),
        Contender(LMDB, lambda count: _peers.lmdb(count, sync=True), "peer", needs="lmdb"),
        Contender(SQLITE, _peers.sqlite, "peer"),
        Contender(
            "write() and fsync of as many bytes", lambda count: write_pieces(count, 116, sync_every=1000), "bound"
        ),
    ],
    [
        Goal(PROJECT, LMDB, 1 / 2, WALL),
        Goal(PROJECT, SQLITE, 1 / 4, WALL),
        Goal(PIPELINED, LMDB, 1 / 2, WALL),
        Goal(PIPELINED, SQLITE, 1 / 4, WALL),
    ],
    count=200_000,
)
