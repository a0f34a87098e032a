"""``embedkafka perf``: the counterparts of Kafka's perf tools.

===============  ======================================  ===========================================================
command          Kafka's tool                            what a latency is
===============  ======================================  ===========================================================
``producer``     ``kafka-producer-perf-test``            from ``send()`` until its callback runs
``consumer``     ``kafka-consumer-perf-test``            (throughput only)
``end-to-end``   ``kafka-e2e-latency``                   from ``send()`` until a consumer has the record
===============  ======================================  ===========================================================

Without a data directory they run in memory.  The topic of a run is deleted at its end unless it was named.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import CliError, not_found
from embedkafka.cli.latency import summary
from embedkafka.cli.produce import CompressionOption
from embedkafka.cli.session import DataOption, JsonOption, Session, command

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer

app = typer.Typer(help="Measure throughput and latency; in memory, or on --data DIR.", no_args_is_help=True)

REPORT_EVERY_S = 5.0  # as Kafka's tools do
SPIN_S = 0.0005  # how close to a record's due time the throttle sleeps

RecordsOption = Annotated[int, typer.Option("--num-records", "-n", min=1, help="How many records.")]
SizeOption = Annotated[int, typer.Option("--record-size", "-s", min=1, metavar="BYTES", help="Bytes of each value.")]
TopicOption = Annotated[
    str | None,
    typer.Option("--topic", "-t", help="Use and keep this topic instead of one of its own.", show_default=False),
]
PartitionsOption = Annotated[int, typer.Option("--partitions", min=1, help="Of a topic made for the run.")]


def _check_acks(acks: str) -> str:
    if acks not in ("0", "1", "all", "-1"):
        raise typer.BadParameter(f"{acks!r} is none of 0, 1, all")
    return acks


AcksOption = Annotated[str, typer.Option("--acks", metavar="ACKS", help="0, 1 or all.", callback=_check_acks)]


@app.command("producer")
@command
def producer(
    num_records: RecordsOption = 1_000_000,
    record_size: SizeOption = 100,
    key_size: Annotated[
        int, typer.Option("--key-size", min=0, metavar="BYTES", help="Bytes of each key; 0 for none.")
    ] = 8,
    throughput: Annotated[
        float, typer.Option("--throughput", help="Records per second at most; -1 for no limit.")
    ] = -1,
    partitions: PartitionsOption = 1,
    topic: TopicOption = None,
    acks: AcksOption = "all",
    linger_ms: Annotated[int, typer.Option("--linger-ms", min=0, help="The producer's linger_ms.")] = 0,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="The producer's batch_size in bytes.")
    ] = 16_384,
    compression: CompressionOption = "none",
    latency_every: Annotated[
        int, typer.Option("--latency-every", min=1, help="Measure every nth record only: a callback is not free.")
    ] = 10,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send records as fast as it goes; latency is from send() until the record is in the log."""
    from embedkafka import KafkaProducer

    session = Session(data, as_json)
    with _kafka(session) as kafka, _topic(kafka, topic, partitions) as name:
        before = _stored(kafka, name)
        client = KafkaProducer(
            bootstrap_servers=kafka,
            acks=acks if acks == "all" else int(acks),
            linger_ms=linger_ms,
            batch_size=batch_size,
            compression_type=None if compression == "none" else compression,
        )
        try:
            run = _ProducerRun(session, num_records, record_size, latency_every)
            run.send_all(client, name, _keys(key_size), throughput)
        finally:
            client.close()
        run.report(_stored(kafka, name) - before)


class _ProducerRun:
    """Sends, and takes down the latency of every nth record."""

    def __init__(self, session: Session, num_records: int, record_size: int, latency_every: int) -> None:
        self._session = session
        self._num_records = num_records
        self._latency_every = latency_every
        self._value = os.urandom(record_size)
        self._latencies_ms: list[float] = []
        self._failures: list[BaseException] = []
        self._elapsed_s = 0.0

    def send_all(self, client: KafkaProducer, topic: str, keys: list[bytes | None], throughput: float) -> None:
        """Send, flush, and wait for the callbacks."""
        clock = time.perf_counter
        send, value, key_count, every = client.send, self._value, len(keys), self._latency_every
        started = reported = clock()
        reported_records = reported_latencies = 0
        for number in range(self._num_records):
            if throughput > 0:
                _wait_until(started + number / throughput)
            if number % every:
                send(topic, value, keys[number % key_count])
                continue
            sent_at = clock()
            future = send(topic, value, keys[number % key_count])
            future.add_callback(self._done, sent_at)
            future.add_errback(self._failures.append)
            if sent_at - reported >= REPORT_EVERY_S:
                seen = len(self._latencies_ms)
                found = summary(self._latencies_ms[reported_latencies:seen])
                sentence = _sentence(number - reported_records, len(value), sent_at - reported, found)
                self._session.out.note(sentence)
                reported, reported_records, reported_latencies = sent_at, number, seen
        client.flush()
        self._elapsed_s = clock() - started
        client.close()  # callbacks run after the flush; closing waits for them

    def _done(self, sent_at: float, _: object) -> None:
        self._latencies_ms.append((time.perf_counter() - sent_at) * 1000)

    def report(self, stored: int) -> None:
        """Print the figures.

        Args:
            stored: how many records the topic has gained.

        Raises:
            CliError: some are missing.
        """
        if stored != self._num_records:
            reason = f": {self._failures[0]}" if self._failures else ""
            raise CliError(f"{stored:,} of {self._num_records:,} records were stored{reason}")
        found = summary(self._latencies_ms)
        if self._session.out.as_json:
            measured = {"latencies_measured": len(self._latencies_ms)}
            figures = _json(self._num_records, len(self._value), self._elapsed_s, found)
            self._session.out.json({**figures, **measured})
        else:
            self._session.out.line(_sentence(self._num_records, len(self._value), self._elapsed_s, found))


@app.command("consumer")
@command
def consumer(
    num_records: RecordsOption = 1_000_000,
    record_size: SizeOption = 100,
    partitions: PartitionsOption = 1,
    topic: TopicOption = None,
    group: Annotated[str | None, typer.Option("--group", "-g", help="Read as this group.", show_default=False)] = None,
    timeout_ms: Annotated[
        int, typer.Option("--timeout-ms", min=1, help="Give up when nothing came for so long.")
    ] = 10_000,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read records as fast as it goes. Without --topic they are written first, which is not counted."""
    from embedkafka import KafkaConsumer

    session = Session(data, as_json)
    with _kafka(session) as kafka, _topic(kafka, topic, partitions) as name:
        if topic is None:
            _fill(kafka, name, num_records, record_size)
        client = KafkaConsumer(
            name,
            bootstrap_servers=kafka,
            group_id=group or f"perf-{uuid.uuid4().hex[:8]}",
            auto_offset_reset="earliest",
        )
        try:
            records, size_bytes, joined_s, elapsed_s = _read(client, num_records, timeout_ms)
        finally:
            client.close()
        if group is None:
            _forget_group(kafka, client)
    if session.out.as_json:
        found = _json(records, size_bytes // max(records, 1), elapsed_s, {})
        session.out.json({**found, "rebalance_ms": round(joined_s * 1000, 3)})
    else:
        sentence = _sentence(records, size_bytes // max(records, 1), elapsed_s, {}, verb="read")
        session.out.line(f"{sentence}, {joined_s * 1000:.1f} ms until the first record")
    if records < num_records:
        raise CliError(f"{records:,} of {num_records:,} records were there", f"nothing came for {timeout_ms} ms")


def _read(client: KafkaConsumer, num_records: int, timeout_ms: int) -> tuple[int, int, float, float]:
    """Records, bytes, seconds until the first record, seconds from there to the last."""
    clock = time.perf_counter
    started = first = last = clock()
    records = size_bytes = 0
    while records < num_records:
        polled = client.poll(timeout_ms=timeout_ms)
        if not polled:
            break
        if not records:
            first = clock()
        for batch in polled.values():
            records += len(batch)
            for record in batch:
                size_bytes += len(record.value or b"")
        last = clock()
    return records, size_bytes, first - started, last - started if records else 0.0


@app.command("end-to-end")
@command
def end_to_end(
    num_records: RecordsOption = 10_000,
    record_size: SizeOption = 100,
    acks: AcksOption = "all",
    topic: TopicOption = None,
    timeout_ms: Annotated[int, typer.Option("--timeout-ms", min=1, help="Give up on a record after so long.")] = 10_000,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send one record, wait until a consumer has it, send the next."""
    from embedkafka import KafkaConsumer, KafkaProducer, TopicPartition

    session = Session(data, as_json)
    with _kafka(session) as kafka, _topic(kafka, topic, 1) as name:
        sender = KafkaProducer(bootstrap_servers=kafka, acks=acks if acks == "all" else int(acks))
        reader = KafkaConsumer(bootstrap_servers=kafka, group_id=None)
        try:
            partition = TopicPartition(name, 0)
            reader.assign([partition])
            reader.seek_to_end(partition)
            reader.position(partition)
            latencies_ms = _ping(sender, reader, partition, num_records, record_size, timeout_ms)
        finally:
            reader.close()
            sender.close()
    found = summary(latencies_ms)
    if session.out.as_json:
        session.out.json({"records": num_records, "record_size": record_size, **found})
    else:
        session.out.line(f"{num_records:,} records of {record_size} bytes, {_latencies(found)}")


def _ping(
    sender: KafkaProducer, reader: KafkaConsumer, partition: Any, num_records: int, record_size: int, timeout_ms: int
) -> list[float]:
    clock = time.perf_counter
    latencies_ms = []
    for number in range(num_records):
        value = number.to_bytes(8, "big") + os.urandom(max(0, record_size - 8))
        sent_at = clock()
        sender.send(partition.topic, value=value, partition=partition.partition)
        polled = reader.poll(timeout_ms=timeout_ms)
        latencies_ms.append((clock() - sent_at) * 1000)
        records = polled.get(partition, [])
        if len(records) != 1 or records[0].value != value:
            came = "nothing" if not records else f"{len(records)} records or another one"
            raise CliError(f"record {number} was sent and {came} came", "does somebody else write to this topic?")
    return latencies_ms


@contextmanager
def _kafka(session: Session) -> Iterator[EmbeddedKafka]:
    from embedkafka import EmbeddedKafka

    if session.has_data:
        with open_kafka(session, create=True) as kafka:
            yield kafka
    else:
        session.out.note("in memory; --data DIR measures a directory")
        with EmbeddedKafka() as kafka:
            yield kafka


@contextmanager
def _topic(kafka: EmbeddedKafka, name: str | None, partitions: int) -> Iterator[str]:
    """The topic of a run: the one that was named, which must be there, or a new one that goes at the end."""
    from embedkafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        if name is not None:
            known = admin.list_topics()
            if name not in known:
                raise not_found("topic", name, list(known))
            yield name
            return
        temporary = f"perf-{uuid.uuid4().hex[:8]}"
        admin.create_topics({temporary: {"num_partitions": partitions}})
        try:
            yield temporary
        finally:
            admin.delete_topics([temporary])
    finally:
        admin.close()


def _stored(kafka: EmbeddedKafka, topic: str) -> int:
    """The sum of the partitions' end offsets."""
    from embedkafka import KafkaConsumer, TopicPartition

    reader = KafkaConsumer(bootstrap_servers=kafka)
    try:
        partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic) or ()]
        return sum(reader.end_offsets(partitions).values())
    finally:
        reader.close()


def _fill(kafka: EmbeddedKafka, topic: str, num_records: int, record_size: int) -> None:
    from embedkafka import KafkaProducer

    client = KafkaProducer(bootstrap_servers=kafka)
    try:
        value = os.urandom(record_size)
        keys = _keys(8)
        for number in range(num_records):
            client.send(topic, value=value, key=keys[number % len(keys)])
        client.flush()
    finally:
        client.close()


def _forget_group(kafka: EmbeddedKafka, client: KafkaConsumer) -> None:
    from embedkafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        admin.delete_groups([client.config["group_id"]])
    finally:
        admin.close()


def _keys(key_size: int) -> list[bytes | None]:
    if not key_size:
        return [None]
    return [os.urandom(key_size) for _ in range(1000)]


def _wait_until(moment_s: float) -> None:
    while (left := moment_s - time.perf_counter()) > 0:
        time.sleep(left - SPIN_S if left > 2 * SPIN_S else 0)


def _sentence(records: int, record_size: int, elapsed_s: float, latencies: dict[str, float], verb: str = "sent") -> str:
    megabytes = records * record_size / (1 << 20)
    seconds = max(elapsed_s, 1e-9)
    told = f"{records:,} records {verb}, {records / seconds:,.0f} records/sec ({megabytes / seconds:.1f} MB/sec)"
    return f"{told}, {_latencies(latencies)}" if latencies else told


def _latencies(found: dict[str, float]) -> str:
    percentiles = ", ".join(
        f"{found[name]:.3f} ms {label}"
        for name, label in (("p50_ms", "50th"), ("p95_ms", "95th"), ("p99_ms", "99th"), ("p99.9_ms", "99.9th"))
    )
    return f"{found['avg_ms']:.3f} ms avg latency, {found['max_ms']:.3f} ms max latency, {percentiles}"


def _json(records: int, record_size: int, elapsed_s: float, latencies: dict[str, float]) -> dict[str, Any]:
    seconds = max(elapsed_s, 1e-9)
    return {
        "records": records,
        "record_size": record_size,
        "elapsed_s": round(elapsed_s, 6),
        "records_per_sec": round(records / seconds, 1),
        "mb_per_sec": round(records * record_size / (1 << 20) / seconds, 3),
        **latencies,
    }
