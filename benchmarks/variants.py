"""The same work in other shapes: many partitions, serializers, mixed sizes, a group that commits, each codec."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from benchmarks._data import Workload, workload
from benchmarks._harness import Claim, Contender, Sample, fresh_directory, timed
from benchmarks._project import TOPIC, check, engine, producer, reader
from benchmarks._unit import E
from embedkafka import KafkaConsumer


def _encode(text: str) -> bytes:
    return text.encode()


def _decode(data: bytes) -> str:
    return data.decode()


def send(work: Workload, *, partitions: int = 4, texts: bool = False, **settings: Any) -> Sample:
    records = work.texts() if texts else work.pairs()
    if texts:
        settings |= {"key_serializer": _encode, "value_serializer": _encode}
    with fresh_directory() as directory, engine(directory, partitions=partitions) as kafka:
        with producer(kafka, **settings) as client, timed(work.count) as sample:
            call = client.send
            for key, value in records:
                call(TOPIC, value=value, key=key)
            client.flush()
        check(kafka, work, "variants")
    return sample


def read(work: Workload, *, partitions: int = 4, texts: bool = False, group: bool = False, **settings: Any) -> Sample:
    with fresh_directory() as directory:
        with engine(directory, partitions=partitions) as kafka, producer(kafka, **settings) as client:
            for key, value in work.pairs():
                client.send(TOPIC, value=value, key=key)
        with engine(directory) as kafka, _consumer(kafka, texts=texts, group=group) as client:
            values: list[Any] = []
            with timed(work.count) as sample:
                while len(values) < work.count:
                    for records in client.poll(timeout_ms=5000, max_records=500).values():
                        values += [record.value for record in records]
            work.check((value.encode() for value in values) if texts else values, "variants")
    return sample


@contextlib.contextmanager
def _consumer(kafka: Any, *, texts: bool, group: bool) -> Any:
    settings = {"key_deserializer": _decode, "value_deserializer": _decode} if texts else {}
    if not group:
        with reader(kafka, **settings) as client:
            yield client
        return
    # Joined before the clock starts; commits every 100 ms, far more often than the default, so that some fall inside.
    client = KafkaConsumer(
        TOPIC, bootstrap_servers=kafka, group_id="variants", auto_offset_reset="earliest",
        auto_commit_interval_ms=100, **settings,
    )  # fmt: skip
    try:
        while not client.assignment():
            client.poll(timeout_ms=100, update_offsets=False)
        client.seek_to_beginning()
        yield client
    finally:
        client.close()


def _both(name: str, **variant: Any) -> list[Contender]:
    size, mixed = variant.pop("size", 100), variant.pop("mixed", False)

    def bind(function: Callable[..., Sample]) -> Callable[[int], Sample]:
        return lambda count: function(workload(count, size, mixed=mixed), **variant)

    return [Contender(f"send, {name}", bind(send)), Contender(f"poll(500), {name}", bind(read))]


CLAIM = Claim(
    "variants",
    "send + flush and poll(500) in other shapes; CPU time of all threads",
    [
        E,
        *_both("4 partitions"),
        *_both("64 partitions", partitions=64),
        *_both("str serializers", texts=True),
        *_both("values of 10 to 1000 bytes", mixed=True),
        Contender("poll(500), group with auto commit", lambda count: read(workload(count), group=True)),
        *(
            contender
            for codec in ("gzip", "snappy", "lz4", "zstd")
            for contender in _both(codec, compression_type=codec)
        ),
    ],
    count=200_000,
)
