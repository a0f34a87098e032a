"""What a share consumer counts, under Java's metric names; totals only."""

from __future__ import annotations

from embedkafka.client.consumer.metrics import Count

_PREFIX = "consumer-share"


class ShareMetrics:
    """Counts since the consumer was built."""

    def __init__(self) -> None:
        self.fetches = Count()
        self.records = Count()
        self.bytes = Count()
        self.acknowledgements = Count()
        self.failed_acknowledgements = Count()
        self.joins = Count()
        self.heartbeats = Count()

    def by_group(self, assigned_partitions: int) -> dict[str, dict[str, float]]:
        """``{group: {name: value}}``."""
        return {
            f"{_PREFIX}-fetch-manager-metrics": {
                "fetch-total": self.fetches.value,
                "records-consumed-total": self.records.value,
                "bytes-consumed-total": self.bytes.value,
                "acknowledgements-send-total": self.acknowledgements.value,
                "acknowledgements-error-total": self.failed_acknowledgements.value,
            },
            f"{_PREFIX}-coordinator-metrics": {
                "assigned-partitions": assigned_partitions,
                "join-total": self.joins.value,
                "heartbeat-total": self.heartbeats.value,
            },
        }

    def flat(self, assigned_partitions: int) -> dict[tuple[str, str], float]:
        """``{(group, name): value}``."""
        groups = self.by_group(assigned_partitions).items()
        return {(group, name): value for group, values in groups for name, value in values.items()}
