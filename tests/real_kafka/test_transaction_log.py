"""What transactions leave in ``__transaction_state`` is what Kafka's own decoder reads there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import embedkafka
from embedkafka.clock import ManualClock

_ENTRY = re.compile(r" key: (?P<key>\{.*?\}\}) payload: (?P<payload>.+)")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of an id that committed, aborted, timed out and expired."""
    data = tmp_path_factory.mktemp("transactions") / "data"
    clock = ManualClock()
    settings = {"transactional.id.expiration.ms": 1_000_000, "offsets.topic.num.partitions": 1}
    with embedkafka.EmbeddedKafka(data, clock=clock, **settings) as engine:
        producer = embedkafka.KafkaProducer(bootstrap_servers=engine, transactional_id="x")
        producer.init_transactions()
        with producer.transaction():
            producer.send("t", b"1")
            offsets = {embedkafka.TopicPartition("t", 0): embedkafka.OffsetAndMetadata(1, "", -1)}
            producer.send_offsets_to_transaction(offsets, "g")
        producer.begin_transaction()
        producer.send("t", b"2")
        producer.flush()
        producer.abort_transaction()
        producer.begin_transaction()
        producer.send("t", b"3")
        producer.flush()
        clock.advance(80_000)
        producer.close()
        clock.advance(7_200_000)
    (found,) = data.glob("broker-*/__transaction_state-*/*.log")
    return found


def test_kafkas_decoder_reads_every_state(log: Path, kafka_jars: Any) -> None:
    output = kafka_jars.run("org.apache.kafka.tools.DumpLogSegments", "--files", log, "--transaction-log-decoder")
    entries = [found for line in output.splitlines() if (found := _ENTRY.search(line))]
    assert {json.loads(entry["key"])["data"]["transactionalId"] for entry in entries} == {"x"}
    assert entries[-1]["payload"] == "<DELETE>"
    values = [json.loads(entry["payload"]) for entry in entries[:-1]]
    assert {value["version"] for value in values} == {"1"}
    found = [(value["data"]["transactionStatus"], value["data"]["producerEpoch"]) for value in values]
    empty, ongoing, prepare_commit, prepare_abort, complete_commit, complete_abort = range(6)
    assert found == [
        (empty, 0),
        *((ongoing, 0), (ongoing, 0), (prepare_commit, 1), (complete_commit, 1)),
        *((ongoing, 1), (prepare_abort, 2), (complete_abort, 2)),
        *((ongoing, 2), (prepare_abort, 3), (complete_abort, 3)),
    ], output
    assert values[3]["data"]["transactionPartitions"] == [
        {"topic": "__consumer_offsets", "partitionIds": [0]},
        {"topic": "t", "partitionIds": [0]},
    ]
