"""``embedkafka perf consumer``: the counterpart of ``kafka-consumer-perf-test``."""

from __future__ import annotations

import os
import time
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from embedkafka.cli.exits import CliError
from embedkafka.cli.perf.run import (
    PartitionsOption,
    RecordsOption,
    SizeOption,
    TopicOption,
    as_figures,
    make_keys,
    open_kafka_for_run,
    throughput_sentence,
    topic_of_run,
)
from embedkafka.cli.session import DataOption, JsonOption, Session, command

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka, KafkaConsumer


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
    with open_kafka_for_run(session) as kafka, topic_of_run(kafka, topic, partitions) as name:
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
        found = as_figures(records, size_bytes // max(records, 1), elapsed_s, {})
        session.out.json({**found, "rebalance_ms": round(joined_s * 1000, 3)})
    else:
        sentence = throughput_sentence(records, size_bytes // max(records, 1), elapsed_s, {}, verb="read")
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


def _fill(kafka: EmbeddedKafka, topic: str, num_records: int, record_size: int) -> None:
    from embedkafka import KafkaProducer

    client = KafkaProducer(bootstrap_servers=kafka)
    try:
        value = os.urandom(record_size)
        keys = make_keys(8)
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
