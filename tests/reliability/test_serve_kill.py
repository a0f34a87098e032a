"""Remote clients of ``embedkafka serve`` under kill -9 and SIGTERM: it comes back at its port and they go on.

Nothing that was acknowledged or committed is lost, no idempotent record comes twice, and what was read in
transactions is written exactly once.  A short run always; ``EMBEDKAFKA_FULL=1`` makes ``EMBEDKAFKA_SERVE_KILL_ROUNDS``
runs with more deaths each, run ``n`` with the seed ``EMBEDKAFKA_SEED + n``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from reliability.remote_clients import COMMITTING, INPUT, OUTPUT, PARTITIONS, PLAIN
from reliability.serve_child import Promises, Run

from embedkafka import EmbeddedKafka, KafkaConsumer, TopicPartition

IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")
ROUNDS = int(os.environ.get("EMBEDKAFKA_SERVE_KILL_ROUNDS", "10")) if IS_FULL else 1
BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
_CHILD = Path(__file__).with_name("serve_child.py")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@pytest.mark.parametrize("seed", [BASE_SEED + number for number in range(ROUNDS)])
@pytest.mark.parametrize(("number", "deaths"), [(signal.SIGKILL, 2), (signal.SIGTERM, 1)])
def test_clients_go_on_after_their_server_ended_and_came_back(
    tmp_path: Path, seed: int, number: signal.Signals, deaths: int
) -> None:
    data = tmp_path / "data"
    with EmbeddedKafka(data) as kafka:
        for topic, partitions in ((INPUT, PARTITIONS), (OUTPUT, PARTITIONS), (PLAIN, 1)):
            kafka.create_topic(topic, partitions)
    run = Run(str(data), seed, number, deaths * (3 if IS_FULL else 1))
    done = subprocess.run(
        [sys.executable, str(_CHILD), json.dumps(run)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"seed {seed}:\n{done.stderr[-6000:]}"
    promises = Promises(*json.loads(done.stdout))
    print(f"seed {seed}: {promises.done} done")
    with EmbeddedKafka(data) as kafka:
        _check(kafka, promises)


def _check(kafka: EmbeddedKafka, promises: Promises) -> None:
    transformed = 0
    for partition in range(PARTITIONS):
        found = _read(kafka, INPUT, partition)
        assert list(found.values()) == promises.sent[partition], "lost, twice, or out of order"
        assert promises.acknowledged[partition]
        assert all(found[offset] == number for offset, number in promises.acknowledged[partition])
        written = list(_read(kafka, OUTPUT, partition).values())
        transformed += len(written)
        assert written == promises.sent[partition][: len(written)], "not exactly once"
    assert transformed
    plain = _read(kafka, PLAIN, 0)
    assert list(plain.values()) == promises.other_sent, "lost, twice, or out of order"
    assert all(plain[offset] == number for offset, number in promises.other_acknowledged)
    with kafka.admin() as admin:
        stored = admin.list_group_offsets({COMMITTING: None})[COMMITTING]
    for partition, possible in promises.commits:
        assert stored[TopicPartition(INPUT, partition)].offset in possible, "a commit is lost"


def _read(kafka: EmbeddedKafka, topic: str, partition: int) -> dict[int, int]:
    """The numbers in a partition that count, by offset."""
    one = TopicPartition(topic, partition)
    with KafkaConsumer(
        bootstrap_servers=kafka, group_id=None, auto_offset_reset="earliest", isolation_level="read_committed"
    ) as consumer:
        consumer.assign([one])
        end = consumer.end_offsets([one])[one]
        found: dict[int, int] = {}
        while consumer.position(one) < end:
            for record in consumer.poll(timeout_ms=1000).get(one, ()):
                found[record.offset] = int(record.value)
        return found
