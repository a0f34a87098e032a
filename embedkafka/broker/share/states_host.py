"""What the share coordinator's shell needs of the engine, and the settings it reads there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from embedkafka.clock import Clock
from embedkafka.coordinator.share_state.config import ShareStateConfig


class ShareStateLog(Protocol):
    """One partition of ``__share_group_state``."""

    @property
    def end_offset(self) -> int:
        """Where the next batch goes."""

    def append(self, batch: bytearray, record_count: int | None = None, timestamp_ms: int = -1) -> None:
        """Append one encoded batch whose base offset is still 0; returns when it is committed.

        Called with the shard's lock held; so it wakes nobody.  Who says what is in the batch is served faster.

        Raises:
            BrokerResponseError: it is not in the log.
        """

    def read_all(self) -> Iterator[memoryview]:
        """Whole batches from the log's start to its end."""

    def wake_readers(self) -> None:
        """Let those who read the topic look again.  Called without a lock held."""

    def prune(self, offset: int) -> None:
        """Let everything before an offset be gone.  Called without a lock held.

        Raises:
            BrokerResponseError: it is still there.
        """


class ShareStatesHost(Protocol):
    """The engine as the share coordinator sees it."""

    @property
    def clock(self) -> Clock: ...

    def share_state_partition_count(self) -> int:
        """How many partitions ``__share_group_state`` has, or will have once it is created."""

    def share_state_partitions_in_use(self) -> list[int]:
        """Partitions of ``__share_group_state`` that hold records."""

    def share_state_log(self, partition: int, create: bool) -> ShareStateLog | None:
        """A partition of ``__share_group_state``; ``create`` makes the topic.  Called without a lock held.

        Returns:
            None where the topic does not exist and ``create`` is False.
        """


def share_state_config(settings: Any) -> ShareStateConfig:
    """The coordinator's part of the broker's settings.

    Args:
        settings: anything that gives values by Kafka's dotted names.
    """
    return ShareStateConfig(
        snapshot_update_records_per_snapshot=settings["share.coordinator.snapshot.update.records.per.snapshot"],
        prune_interval_ms=settings["share.coordinator.state.topic.prune.interval.ms"],
        cold_snapshot_interval_ms=settings["share.coordinator.cold.partition.snapshot.interval.ms"],
    )
