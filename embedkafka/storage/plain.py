"""The straight way into a log, for what nearly every append is: trusted batches of one producer, an undemanding topic.

:meth:`Log.append` reads headers, checks, converts and decides whether to roll.  For a batch that this process's own
codec has just built, whose numbers are at hand, all of that comes down to a few comparisons with limits that change
only with the segment or the configuration.  Whatever is not plain takes the general way.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from embedkafka.storage.config import CREATE_TIME, LONG_MAX, LogConfig
from embedkafka.storage.index import MAX_RELATIVE_OFFSET
from embedkafka.storage.segment import Segment


class SealedRecords(Protocol):
    """A batch as this process's own codec has sealed it, with the numbers of its header at hand."""

    @property
    def records(self) -> bytearray | memoryview:
        """The whole batch, its base offset still open."""

    @property
    def records_count(self) -> int: ...
    @property
    def max_timestamp(self) -> int: ...
    @property
    def producer_id(self) -> int: ...
    @property
    def producer_epoch(self) -> int: ...
    @property
    def base_sequence(self) -> int: ...
    @property
    def is_transactional(self) -> bool: ...


class PlainBatch(NamedTuple):
    """:class:`SealedRecords` of whoever is no embedded producer."""

    records: bytearray | memoryview
    records_count: int
    max_timestamp: int
    producer_id: int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    is_transactional: bool = False


class PlainLimits:
    """How far appends to one segment under one configuration stay plain.

    Attributes:
        batch_bytes: the largest batch; -1 where no batch is plain.
        segment_bytes: the segment rolls beyond this size.
        next_offset: the segment rolls beyond this offset.
        timestamp: the segment rolls beyond this timestamp.
        ahead_ms: how far a timestamp may lie before the clock.
        unflushed: a flush is due with so many records behind the recovery point.
    """

    __slots__ = (
        "ahead_ms",
        "batch_bytes",
        "config",
        "next_offset",
        "segment",
        "segment_bytes",
        "timestamp",
        "unflushed",
    )

    def __init__(self, segment: Segment, config: LogConfig, jitter_ms: int) -> None:
        self.segment = segment
        self.config = config
        self.segment_bytes = config.segment_bytes
        self.next_offset = segment.base_offset + MAX_RELATIVE_OFFSET
        first_timestamp = segment.first_batch_timestamp()
        self.timestamp = first_timestamp + config.segment_ms - jitter_ms
        self.ahead_ms = config.message_timestamp_after_max_ms
        self.unflushed = config.flush_messages
        is_plain = (
            config.compression_type == "producer"
            and config.message_timestamp_type == CREATE_TIME
            and not config.is_compacted
            and config.message_timestamp_before_max_ms == LONG_MAX
            and first_timestamp >= 0
            # Indexes get an entry for more than index.interval.bytes, so that a segment this small never fills one.
            and config.segment_bytes // (config.index_interval_bytes + 1)
            < min(
                segment.offset_index.max_entries(config.segment_index_bytes),
                segment.time_index.max_entries(config.segment_index_bytes) - 1,
            )
        )
        self.batch_bytes = min(config.max_message_bytes, config.segment_bytes) if is_plain else -1
