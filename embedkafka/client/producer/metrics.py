"""What a producer counts, under kafka-python's metric names.

Totals and averages since the start: a rate is what two readings and a clock give.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedkafka.client.producer.lane import Lane
    from embedkafka.client.producer.memory import BufferMemory


class LaneCounts:
    """One lane's numbers; only whoever holds the lane's lock adds to them, so nothing is lost between threads."""

    __slots__ = (
        "batch_bytes",
        "batch_bytes_max",
        "batches",
        "plain_bytes",
        "record_errors",
        "record_retries",
        "records",
        "records_max",
    )

    def __init__(self) -> None:
        self.records = 0
        self.batches = 0
        self.batch_bytes = 0
        self.batch_bytes_max = 0
        self.plain_bytes = 0
        self.records_max = 0
        self.record_errors = 0
        self.record_retries = 0

    def sent(self, records: int, batch_bytes: int, plain_bytes: int) -> None:
        """A batch was acknowledged."""
        self.records += records
        self.batches += 1
        self.batch_bytes += batch_bytes
        self.plain_bytes += plain_bytes
        if batch_bytes > self.batch_bytes_max:
            self.batch_bytes_max = batch_bytes
        if records > self.records_max:
            self.records_max = records


def by_group(lanes: Iterable[Lane], memory: BufferMemory) -> dict[str, dict[str, float]]:
    """``{group: {name: value}}``, as ``KafkaProducer.metrics`` gives."""
    totals = LaneCounts()
    topics: dict[str, LaneCounts] = {}
    for lane in list(lanes):
        for counts in (totals, topics.setdefault(lane.topic_partition.topic, LaneCounts())):
            _add(counts, lane.counts)
    groups = {
        "producer-metrics": {
            **_numbers(totals),
            "request-total": totals.batches,
            "batch-size-avg": _ratio(totals.batch_bytes, totals.batches),
            "batch-size-max": totals.batch_bytes_max,
            "records-per-request-avg": _ratio(totals.records, totals.batches),
            "record-size-avg": _ratio(totals.plain_bytes, totals.records),
            "compression-rate-avg": _ratio(totals.batch_bytes, totals.plain_bytes),
            "buffer-total-bytes": memory.total_bytes,
            "buffer-available-bytes": memory.available_bytes,
            "waiting-threads": memory.waiting,
        }
    }
    for topic, counts in topics.items():
        groups[f"producer-topic-metrics.{topic}"] = _numbers(counts)
    return groups


def _numbers(counts: LaneCounts) -> dict[str, float]:
    return {
        "record-send-total": counts.records,
        "byte-total": counts.batch_bytes,
        "record-error-total": counts.record_errors,
        "record-retry-total": counts.record_retries,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _add(to: LaneCounts, counts: LaneCounts) -> None:
    to.records += counts.records
    to.batches += counts.batches
    to.batch_bytes += counts.batch_bytes
    to.plain_bytes += counts.plain_bytes
    to.record_errors += counts.record_errors
    to.record_retries += counts.record_retries
    to.batch_bytes_max = max(to.batch_bytes_max, counts.batch_bytes_max)
    to.records_max = max(to.records_max, counts.records_max)
