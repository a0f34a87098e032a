"""What share groups leave in ``__share_group_state`` is what Kafka's own decoder reads there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from broker.share_worker import ACCEPT, REJECT, RELEASE, Worker, initialize, partition_id
from broker.support import START_MS, running

from embedkafka.clock import ManualClock
from embedkafka.model import id_text

_ENTRY = re.compile(r" key: (?P<key>\{.*?\}\}) payload: (?P<payload>.+)")
_SETTINGS = {
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.snapshot.update.records.per.snapshot": 2,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The log of a share partition that was set up, read, changed, and forgotten; and its topic's id."""
    data = tmp_path_factory.mktemp("share") / "data"
    with running(data, clock=ManualClock(START_MS), **_SETTINGS) as broker:
        broker.create()
        initialize(broker, state_epoch=3)
        broker.send(*[b"%d" % number for number in range(10)])
        worker = Worker(broker)
        worker.take()
        worker.acknowledge((2, 3, ACCEPT), (4, 4, REJECT))
        worker.acknowledge((5, 5, RELEASE))
        worker.acknowledge((0, 1, ACCEPT))
        topic_id = id_text(partition_id(broker).topic_id)
        broker.engine.share_states.delete("g", worker.partitions)
    (found,) = data.glob("broker-*/__share_group_state-*/*.log")
    return found, topic_id


def test_kafkas_decoder_reads_snapshots_and_updates(written: tuple[Path, str], kafka_jars: Any) -> None:
    log, topic_id = written
    output = kafka_jars.run("org.apache.kafka.tools.DumpLogSegments", "--files", log, "--share-group-state-decoder")
    entries = [found for line in output.splitlines() if (found := _ENTRY.search(line))]
    keys = [json.loads(entry["key"]) for entry in entries]
    assert {tuple(key["data"].values()) for key in keys} == {("g", topic_id, 0)}, output
    snapshot, update = "0", "1"
    assert [key["type"] for key in keys] == [snapshot, snapshot, update, update, snapshot, snapshot], output
    assert entries[-1]["payload"] == "<DELETE>"
    values = [json.loads(entry["payload"])["data"] for entry in entries[:-1]]
    new, read, first, second, merged = values
    assert (new["stateEpoch"], new["leaderEpoch"], new["startOffset"], new["stateBatches"]) == (3, -1, 0, [])
    assert (read["snapshotEpoch"], read["leaderEpoch"], read["createTimestamp"]) == (1, 0, START_MS)
    assert (first["startOffset"], first["deliveryCompleteCount"], _batches(first)) == (
        0,
        3,
        [(2, 3, 2, 1), (4, 4, 4, 1)],
    )
    assert _batches(second) == [(5, 5, 0, 1)]
    assert (merged["startOffset"], merged["deliveryCompleteCount"], _batches(merged)) == (5, 0, [(5, 5, 0, 1)])


def _batches(value: dict[str, Any]) -> list[tuple[int, ...]]:
    names = ("firstOffset", "lastOffset", "deliveryState", "deliveryCount")
    return [tuple(batch[name] for name in names) for batch in value["stateBatches"]]
