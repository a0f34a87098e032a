"""What the perf commands share: options, the engine and the topic of a run, how figures are told."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import check_known
from embedkafka.cli.session import Session

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka

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


@contextmanager
def open_kafka_for_run(session: Session) -> Iterator[EmbeddedKafka]:
    """The engine of the data directory that was named, or one in memory."""
    from embedkafka import EmbeddedKafka

    if session.has_data:
        with open_kafka(session, create=True) as kafka:
            yield kafka
    else:
        session.out.note("in memory; --data DIR measures a directory")
        with EmbeddedKafka() as kafka:
            yield kafka


@contextmanager
def topic_of_run(kafka: EmbeddedKafka, name: str | None, partitions: int) -> Iterator[str]:
    """The topic of a run: the one that was named, which must be there, or a new one that goes at the end."""
    from embedkafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        if name is not None:
            check_known("topic", [name], admin.list_topics())
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


def stored(kafka: EmbeddedKafka, topic: str) -> int:
    """The sum of the partitions' end offsets."""
    from embedkafka import KafkaConsumer, TopicPartition

    reader = KafkaConsumer(bootstrap_servers=kafka)
    try:
        partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic) or ()]
        return sum(reader.end_offsets(partitions).values())
    finally:
        reader.close()


def make_keys(key_size: int) -> list[bytes | None]:
    """A thousand keys of so many random bytes, or for 0 the absence of a key."""
    if not key_size:
        return [None]
    return [os.urandom(key_size) for _ in range(1000)]


def throughput_sentence(
    records: int, record_size: int, elapsed_s: float, latencies: dict[str, float], verb: str = "sent"
) -> str:
    """The figures in the words of Kafka's perf tools."""
    megabytes = records * record_size / (1 << 20)
    seconds = max(elapsed_s, 1e-9)
    told = f"{records:,} records {verb}, {records / seconds:,.0f} records/sec ({megabytes / seconds:.1f} MB/sec)"
    return f"{told}, {latency_words(latencies)}" if latencies else told


def latency_words(found: dict[str, float]) -> str:
    """What :func:`~embedkafka.cli.latency.summary` found, in the words of Kafka's perf tools."""
    percentiles = ", ".join(
        f"{found[name]:.3f} ms {label}"
        for name, label in (("p50_ms", "50th"), ("p95_ms", "95th"), ("p99_ms", "99th"), ("p99.9_ms", "99.9th"))
    )
    return f"{found['avg_ms']:.3f} ms avg latency, {found['max_ms']:.3f} ms max latency, {percentiles}"


def as_figures(records: int, record_size: int, elapsed_s: float, latencies: dict[str, float]) -> dict[str, Any]:
    """The same for a program."""
    seconds = max(elapsed_s, 1e-9)
    return {
        "records": records,
        "record_size": record_size,
        "elapsed_s": round(elapsed_s, 6),
        "records_per_sec": round(records / seconds, 1),
        "mb_per_sec": round(records * record_size / (1 << 20) / seconds, 3),
        **latencies,
    }
