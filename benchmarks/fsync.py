"""Durable against power loss every thousand records, beside databases that promise the same."""

from __future__ import annotations

import struct
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


def lmdb(count: int) -> Sample:
    work = workload(count)
    pack = struct.Struct(">Q").pack
    with fresh_directory() as directory, _peers.lmdb_environment(directory, sync=True) as environment:
        values = (value for _, value in work.pairs())
        with timed(count) as sample:
            for first in range(0, count, 1000):
                with environment.begin(write=True) as transaction:
                    put = transaction.put
                    for number, value in enumerate(islice(values, 1000), first):
                        put(pack(number), value, append=True)
        _peers.lmdb_check(environment, work, LMDB)
    return sample


def sqlite(count: int) -> Sample:
    work = workload(count)
    with fresh_directory() as directory:
        connection = _peers.sqlite_log(directory)
        pairs = work.pairs()
        with timed(count) as sample:
            for _ in range(0, count, 1000):
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO log (key, value) VALUES (?, ?)", islice(pairs, 1000))
                connection.execute("COMMIT")
        _peers.sqlite_check(connection, work, SQLITE)
        connection.close()
    return sample


CLAIM = Claim(
    "fsync",
    "records of 100 bytes, one fsync per 1000; wall time",
    [
        Contender(PROJECT, project),
        Contender(PIPELINED, pipelined),
        Contender(LMDB, lmdb, "peer", needs="lmdb"),
        Contender(SQLITE, sqlite, "peer"),
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
