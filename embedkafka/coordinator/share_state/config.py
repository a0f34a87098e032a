"""The broker settings that a share coordinator obeys, under Kafka's names with the unit last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShareStateConfig:
    """Defaults are Kafka 4.3's."""

    snapshot_update_records_per_snapshot: int = 500
    prune_interval_ms: int = 300_000
    cold_snapshot_interval_ms: int = 300_000
