"""``embedkafka perf producer``: the counterpart of ``kafka-producer-perf-test``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from embedkafka.cli.exits import CliError
from embedkafka.cli.latency import summary
from embedkafka.cli.perf.run import (
    AcksOption,
    PartitionsOption,
    RecordsOption,
    SizeOption,
    TopicOption,
    as_figures,
    make_keys,
    open_kafka_for_run,
    stored,
    throughput_sentence,
    topic_of_run,
)
from embedkafka.cli.produce import CompressionOption
from embedkafka.cli.session import DataOption, JsonOption, Session, command

if TYPE_CHECKING:
    from embedkafka import KafkaProducer

REPORT_EVERY_S = 5.0  # as Kafka's tools do
SPIN_S = 0.0005  # how close to a record's due time the throttle sleeps


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
    with open_kafka_for_run(session) as kafka, topic_of_run(kafka, topic, partitions) as name:
        before = stored(kafka, name)
        client = KafkaProducer(
            bootstrap_servers=kafka,
            acks=acks if acks == "all" else int(acks),
            linger_ms=linger_ms,
            batch_size=batch_size,
            compression_type=None if compression == "none" else compression,
        )
        try:
            run = _ProducerRun(session, num_records, record_size, latency_every)
            run.send_all(client, name, make_keys(key_size), throughput)
        finally:
            client.close()
        run.report(stored(kafka, name) - before)


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
                sentence = throughput_sentence(number - reported_records, len(value), sent_at - reported, found)
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
            figures = as_figures(self._num_records, len(self._value), self._elapsed_s, found)
            self._session.out.json({**figures, **measured})
        else:
            self._session.out.line(throughput_sentence(self._num_records, len(self._value), self._elapsed_s, found))


def _wait_until(moment_s: float) -> None:
    while (left := moment_s - time.perf_counter()) > 0:
        time.sleep(left - SPIN_S if left > 2 * SPIN_S else 0)
