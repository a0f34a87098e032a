"""``embedkafka perf end-to-end``: the counterpart of ``kafka-e2e-latency``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from embedkafka.cli.exits import CliError
from embedkafka.cli.latency import summary
from embedkafka.cli.perf.run import (
    AcksOption,
    RecordsOption,
    SizeOption,
    TopicOption,
    latency_words,
    open_kafka_for_run,
    topic_of_run,
)
from embedkafka.cli.session import DataOption, JsonOption, Session, command

if TYPE_CHECKING:
    from embedkafka import KafkaConsumer, KafkaProducer, TopicPartition


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
    with open_kafka_for_run(session) as kafka, topic_of_run(kafka, topic, 1) as name:
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
        session.out.line(f"{num_records:,} records of {record_size} bytes, {latency_words(found)}")


def _ping(
    sender: KafkaProducer,
    reader: KafkaConsumer,
    partition: TopicPartition,
    num_records: int,
    record_size: int,
    timeout_ms: int,
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
