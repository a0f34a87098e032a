"""What a share group's settings say about its share partitions, under Kafka's names with the unit last."""

from __future__ import annotations

from typing import NamedTuple


class ShareSettings(NamedTuple):
    """Defaults are Kafka 4.3's."""

    record_lock_duration_ms: int = 30_000
    delivery_count_limit: int = 5
    partition_max_record_locks: int = 2_000
