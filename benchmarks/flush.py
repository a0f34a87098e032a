"""A million records sent and flushed to the file, beside what others need to take in as many."""

from __future__ import annotations

from benchmarks import _peers
from benchmarks._data import workload
from benchmarks._harness import WALL, Claim, Contender, Goal, Sample, fresh_directory, timed, write_pieces
from benchmarks._project import TOPIC, check, engine, producer

PROJECT = "send + flush"
LMDB = "lmdb, transactions of 1000, no sync"


def project(count: int) -> Sample:
    work = workload(count)
    with fresh_directory() as directory, engine(directory, partitions=4) as kafka:
        with producer(kafka) as client:
            send, pairs = client.send, work.pairs()
            with timed(count) as sample:
                for key, value in pairs:
                    send(TOPIC, value=value, key=key)
                client.flush()
        check(kafka, work, PROJECT)
    return sample


def confluent(count: int) -> Sample:
    work = workload(count)
    with _peers.mock_cluster() as client:
        produce, pairs = client.produce, work.pairs()
        with timed(count) as sample:
            for key, value in pairs:
                produce(_peers.TOPIC, value, key)
            assert client.flush(60) == 0
        if count <= _peers.MOCK_HOLDS:
            _peers.mock_check(client, work, _peers.CONFLUENT)
    return sample


def confluent_callback(count: int) -> Sample:
    work = workload(count)
    delivered: list[bytes] = []

    def on_delivery(error: object, message: object) -> None:
        assert error is None
        delivered.append(message.value())  # type: ignore[attr-defined]

    with _peers.mock_cluster() as client:
        produce, poll, pairs = client.produce, client.poll, work.pairs()
        with timed(count) as sample:
            for key, value in pairs:
                produce(_peers.TOPIC, value, key, on_delivery=on_delivery)
                poll(0)
            assert client.flush(60) == 0
    work.check(delivered, _peers.CONFLUENT)
    return sample


def persist_queue(count: int) -> Sample:
    import persistqueue

    work = workload(count)
    with fresh_directory() as directory:
        queue = persistqueue.Queue(str(directory))
        with timed(count) as sample:
            for _, value in work.pairs():
                queue.put(value)
        work.check((queue.get(block=False) for _ in range(count)), "persist-queue")
    return sample


CLAIM = Claim(
    "flush",
    "records of 100 bytes sent and flushed; wall time",
    [
        Contender(PROJECT, project),
        Contender(_peers.CONFLUENT, confluent, "peer", needs="confluent_kafka"),
        Contender(_peers.CONFLUENT + ", callbacks", confluent_callback, "peer", share=0.3, needs="confluent_kafka"),
        Contender(LMDB, lambda count: _peers.lmdb(count, sync=False), "peer", needs="lmdb"),
        Contender("persist-queue", persist_queue, "peer", share=0.003, needs="persistqueue"),
        Contender("write() of as many bytes", lambda count: write_pieces(count, 116), "bound"),
    ],
    [
        Goal(PROJECT, _peers.CONFLUENT, 1 / 3, WALL),
        Goal(PROJECT, LMDB, 1 / 2, WALL),
    ],
)
