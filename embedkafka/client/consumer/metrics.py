"""What a consumer counts, under kafka-python's metric names.

Totals only: a rate is what two readings and a clock give.
"""

from __future__ import annotations

from collections import defaultdict

from embedkafka.model import TopicPartition


class Count:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, amount: int = 1) -> None:
        self.value += amount


class ConsumerMetrics:
    """Args:
    prefix: what the groups' names begin with, ``metric_group_prefix``.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.fetches = Count()
        self.joins = Count()
        self.rebalances = Count()
        self.heartbeats = Count()
        self._records = 0
        self._bytes = 0
        self._commits = 0
        self._commit_latency_max_ms = 0.0
        self._by_topic: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def consumed(self, topic_partition: TopicPartition, records: int, size_bytes: int) -> None:
        self._records += records
        self._bytes += size_bytes
        counts = self._by_topic[topic_partition.topic]
        counts[0] += records
        counts[1] += size_bytes

    def committed(self, latency_ms: float) -> None:
        self._commits += 1
        self._commit_latency_max_ms = max(self._commit_latency_max_ms, latency_ms)

    def by_group(self, assigned_partitions: int) -> dict[str, dict[str, float]]:
        """``{group: {name: value}}``, as ``KafkaConsumer.metrics`` gives."""
        fetch = f"{self._prefix}-fetch-manager-metrics"
        groups: dict[str, dict[str, float]] = {
            fetch: {
                "fetch-total": self.fetches.value,
                "records-consumed-total": self._records,
                "bytes-consumed-total": self._bytes,
            },
            f"{self._prefix}-coordinator-metrics": {
                "assigned-partitions": assigned_partitions,
                "join-total": self.joins.value,
                "rebalance-total": self.rebalances.value,
                "heartbeat-total": self.heartbeats.value,
                "commit-total": self._commits,
                "commit-latency-max": self._commit_latency_max_ms,
            },
        }
        for topic, (records, size_bytes) in self._by_topic.items():
            groups[f"{fetch}.{topic}"] = {"records-consumed-total": records, "bytes-consumed-total": size_bytes}
        return groups

    def flat(self, assigned_partitions: int) -> dict[tuple[str, str], float]:
        """``{(group, name): value}``."""
        return {
            (group, name): value
            for group, values in self.by_group(assigned_partitions).items()
            for name, value in values.items()
        }
