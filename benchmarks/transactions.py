"""What a transaction costs: begin, so many records, commit; beside the same records sent and flushed without one."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

from benchmarks import _peers
from benchmarks._data import Workload, workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, check, engine, producer

SHARES = {1: 0.02, 100: 0.5, 1_000: 1.0}
"""Records of a transaction, and how many of the claim's records are sent in such ones."""


def name(records: int) -> str:
    return f"transactions of {records:,}"


def plain_name(records: int) -> str:
    return f"send + flush of {records:,}"


def peer_name(records: int) -> str:
    return f"{_peers.CONFLUENT}, {name(records)}"


def _sample(sample: Sample, records: int) -> Sample:
    sample.values["us_per_transaction"] = sample.wall_s * 1e6 * records / sample.count
    return sample


def project(count: int, records: int) -> Sample:
    work = workload(count)
    with fresh_directory() as directory, engine(directory) as kafka:
        with producer(kafka, transactional_id="benchmark") as client:
            client.init_transactions()
            send, pairs = client.send, work.pairs()
            _warm_up(client)
            with timed(count) as sample:
                for _ in range(0, count, records):
                    client.begin_transaction()
                    for key, value in islice(pairs, records):
                        send(TOPIC, value=value, key=key)
                    client.commit_transaction()
        check(kafka, work, name(records), isolation_level="read_committed")
    return _sample(sample, records)


def _warm_up(client: Any) -> None:
    """The coordinator's topic comes into being with the first transaction; nothing of this one is left to be read."""
    client.begin_transaction()
    client.send(TOPIC, b"warm up")
    client.flush()
    client.abort_transaction()


def plain(count: int, records: int) -> Sample:
    work = workload(count)
    with fresh_directory() as directory, engine(directory) as kafka:
        with producer(kafka) as client:
            send, pairs = client.send, work.pairs()
            with timed(count) as sample:
                for _ in range(0, count, records):
                    for key, value in islice(pairs, records):
                        send(TOPIC, value=value, key=key)
                    client.flush()
        check(kafka, work, plain_name(records))
    return _sample(sample, records)


def confluent(count: int, records: int) -> Sample:
    work: Workload = workload(count)
    with _peers.mock_cluster(**{"transactional.id": "benchmark"}) as client:
        client.init_transactions(10)
        produce, pairs = client.produce, work.pairs()
        with timed(count) as sample:
            for _ in range(0, count, records):
                client.begin_transaction()
                for key, value in islice(pairs, records):
                    produce(_peers.TOPIC, value, key)
                client.commit_transaction(60)
        if count <= _peers.MOCK_HOLDS:
            _peers.mock_check(client, work, _peers.CONFLUENT)
    return _sample(sample, records)


CLAIM = Claim(
    "transactions",
    "records of 100 bytes in transactions of 1, 100 and 1,000; wall time",
    [
        contender
        for records, share in SHARES.items()
        for contender in (
            Contender(name(records), partial(project, records=records), share=share),
            Contender(plain_name(records), partial(plain, records=records), "bound", share=share),
            Contender(
                peer_name(records),
                partial(confluent, records=records),
                "peer",
                share=share / 10,
                needs="confluent_kafka",
            ),
        )
    ],
    [
        *(Goal(name(records), peer_name(records), 1 / 3, WALL) for records in SHARES),
        Goal(name(1_000), plain_name(1_000), 2.0, WALL),
    ],
    count=200_000,
    quick_count=10_000,
    show=["us_per_transaction"],
)
