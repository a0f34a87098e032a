"""Kafka's DumpLogSegments reads our producer snapshots, transaction indexes and markers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from storage.builders import NOW_MS, append, open_log, values
from storage.producing import end, produced, send, send_in_transaction

from embedkafka.files import system_files
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log

TINY = LogConfig(segment_bytes=600, index_interval_bytes=100)

_PRODUCER = re.compile(
    r"producerId: (-?\d+) producerEpoch: (-?\d+) coordinatorEpoch: (-?\d+) currentTxnFirstOffset: (\S+) "
    r"lastTimestamp: (-?\d+) ?(?:firstSequence: (-?\d+) lastSequence: (-?\d+) lastOffset: (-?\d+) "
    r"offsetDelta: (-?\d+) timestamp: (-?\d+))?\s*"
)
_ABORTED = re.compile(r"version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)")
_MARKER = re.compile(r".*\| offset: (\d+) .*endTxnMarker: (COMMIT|ABORT) coordinatorEpoch: (\d+).*")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Log]:
    """A closed log with something of everything, over several segments."""
    parent = tmp_path_factory.mktemp("transactions")
    log = open_log(system_files(), TINY, parent=str(parent))
    for number in range(8):
        send_in_transaction(log, 0, producer_id=1, epoch=number, count=2)
        send(log, produced(3 * number, producer_id=2, count=3))
        append(log, values("of", "nobody"))
        end(log, producer_id=1, epoch=number + 1, commit=number % 2 == 0, coordinator_epoch=number)
    send(log, produced((1 << 31) - 1, producer_id=3, count=2))
    send_in_transaction(log, 0, producer_id=4)
    log.close()
    return parent / "text-0", log


def test_every_entry_of_a_snapshot_is_read_as_it_was_meant(kafka_jars: Any, written: tuple[Path, Log]) -> None:
    folder, log = written
    (newest,) = folder.glob(f"{log.end_offset:020d}.snapshot")
    found = {}
    for line in kafka_jars.dump([newest]).splitlines():
        if match := _PRODUCER.fullmatch(line):
            found[int(match[1])] = match.groups()[1:]
    assert found.keys() == {1, 2, 3, 4}
    for entry in log.producer_state().entries.values():
        epoch, coordinator_epoch, start, timestamp, first, last, offset, delta, _ = found[entry.producer_id]
        assert (int(epoch), int(coordinator_epoch), int(timestamp)) == (entry.epoch, entry.coordinator_epoch, NOW_MS)
        assert start == (
            "OptionalLong.empty" if entry.transaction_start < 0 else f"OptionalLong[{entry.transaction_start}]"
        )
        if entry.batches:
            batch = entry.batches[-1]
            expected = batch.base_sequence, batch.last_sequence, batch.last_offset, batch.offset_delta
            assert (int(first), int(last), int(offset), int(delta)) == expected
        else:
            assert first is None


def test_all_snapshots_are_sound(kafka_jars: Any, written: tuple[Path, Log]) -> None:
    folder, log = written
    snapshots = sorted(folder.glob("*.snapshot"))
    assert len(snapshots) == len(log.segments)
    output = kafka_jars.dump(snapshots)
    assert output.count("producerId: 2 ") == len(snapshots)
    assert "orrupt" not in output


def test_transaction_indexes_are_read_as_they_were_meant(kafka_jars: Any, written: tuple[Path, Log]) -> None:
    folder, log = written
    indexes = sorted(folder.glob("*.txnindex"))
    assert len(indexes) > 1
    found = [tuple(map(int, match)) for match in _ABORTED.findall(kafka_jars.dump(indexes))]
    assert found == [tuple(entry) for segment in log.segments for entry in segment.transaction_index.entries]
    assert len(found) == 4


def test_markers_are_read_as_they_were_meant(kafka_jars: Any, written: tuple[Path, Log]) -> None:
    folder, _ = written
    output = kafka_jars.dump(sorted(folder.glob("*.log")), "--print-data-log")
    found = [(int(m[1]), m[2], int(m[3])) for line in output.splitlines() if (m := _MARKER.fullmatch(line))]
    assert found == [(8 * n + 7, "COMMIT" if n % 2 == 0 else "ABORT", n) for n in range(8)]
    assert "isvalid: false" not in output
