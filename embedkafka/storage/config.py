"""What a log needs to know of its topic's configuration."""

from __future__ import annotations

from dataclasses import dataclass

LONG_MAX = (1 << 63) - 1

CREATE_TIME = "CreateTime"
LOG_APPEND_TIME = "LogAppendTime"

DELETE = "delete"
COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """One field per log-level topic config, named as in Kafka (``segment.bytes`` is ``segment_bytes``), same defaults.

    ``retention_ms`` and ``retention_bytes`` of -1 mean without limit.  ``tail_bytes`` is this library's own: how many
    bytes of the last batches stay in memory to serve readers at the head.
    """

    cleanup_policy: tuple[str, ...] = (DELETE,)
    compression_type: str = "producer"
    delete_retention_ms: int = 86_400_000
    file_delete_delay_ms: int = 60_000
    flush_messages: int = LONG_MAX
    flush_ms: int = LONG_MAX
    index_interval_bytes: int = 4096
    max_compaction_lag_ms: int = LONG_MAX
    max_message_bytes: int = 1_048_588
    message_timestamp_after_max_ms: int = 3_600_000
    message_timestamp_before_max_ms: int = LONG_MAX
    message_timestamp_type: str = CREATE_TIME
    min_cleanable_dirty_ratio: float = 0.5
    min_compaction_lag_ms: int = 0
    retention_bytes: int = -1
    retention_ms: int = 604_800_000
    segment_bytes: int = 1_073_741_824
    segment_index_bytes: int = 10_485_760
    segment_jitter_ms: int = 0
    segment_ms: int = 604_800_000
    tail_bytes: int = 262_144

    @property
    def is_compacted(self) -> bool:
        return COMPACT in self.cleanup_policy

    @property
    def deletes_old(self) -> bool:
        """Retention by time and size applies."""
        return DELETE in self.cleanup_policy
