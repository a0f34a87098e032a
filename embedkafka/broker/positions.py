"""Offsets by time and by epoch, and moving a log's start: list_offsets, offset_for_leader_epoch, delete_records."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embedkafka.broker.api import (
    EARLIEST_TIMESTAMP,
    LATEST_TIMESTAMP,
    MAX_TIMESTAMP,
    READ_COMMITTED,
    DeletedRecords,
    EpochEndOffset,
    ListOffsetsRequest,
    PartitionOffset,
)
from embedkafka.broker.fetching import check_leader_epoch, read_error
from embedkafka.broker.partition import Partition
from embedkafka.errors import (
    BrokerResponseError,
    InvalidTopicError,
    KafkaStorageError,
    OffsetOutOfRangeError,
    PolicyViolationError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.model import TopicPartition

_EARLIEST_LOCAL_TIMESTAMP = -4  # KIP-405: without tiered storage the same as the earliest
_TIERED_TIMESTAMPS = (-5, -6)  # KIP-1005, KIP-1023: the end of what is tiered, and what is next to be: nothing is
_HIGH_WATERMARK = -1  # delete_records: everything


class Positions:
    """Answers for one broker."""

    def __init__(self, find: Callable[[TopicPartition], Partition | None], *, read_only: bool) -> None:
        self._find = find
        self._read_only = read_only

    def _partition(self, topic_partition: TopicPartition) -> Partition:
        partition = self._find(topic_partition)
        if partition is None:
            raise UnknownTopicOrPartitionError(f"no partition {topic_partition} here")
        return partition

    def list_offsets(self, request: ListOffsetsRequest) -> list[PartitionOffset]:
        """The first offset at or after each time."""
        replies = []
        for topic_partition, timestamp in request.timestamps.items():
            try:
                check_leader_epoch(self._partition(topic_partition), request.leader_epochs.get(topic_partition, -1))
                replies.append(self._offset_at(topic_partition, timestamp, request.isolation_level))
            except BrokerResponseError as error:
                replies.append(PartitionOffset(topic_partition, error.errno))
            except OSError as error:
                failure = read_error(self._find(topic_partition), error)
                replies.append(PartitionOffset(topic_partition, failure.errno))
        return replies

    def _offset_at(self, topic_partition: TopicPartition, timestamp: int, isolation_level: int) -> PartitionOffset:
        partition = self._partition(topic_partition)
        log = partition.log
        epoch = partition.leader_epoch
        end_offset = log.last_stable_offset if isolation_level == READ_COMMITTED else log.end_offset
        if timestamp == LATEST_TIMESTAMP:
            return PartitionOffset(topic_partition, 0, -1, end_offset, epoch)
        if timestamp in (EARLIEST_TIMESTAMP, _EARLIEST_LOCAL_TIMESTAMP):
            return PartitionOffset(topic_partition, 0, -1, log.log_start_offset, epoch)
        if timestamp in _TIERED_TIMESTAMPS:
            return PartitionOffset(topic_partition)
        if timestamp == MAX_TIMESTAMP:
            found = log.offset_of_max_timestamp()
        elif timestamp >= 0:
            found = log.offset_for_timestamp(timestamp)
        else:
            raise UnsupportedVersionError(f"list_offsets has no timestamp {timestamp}")
        if found is None or found.offset >= end_offset:
            return PartitionOffset(topic_partition)
        return PartitionOffset(topic_partition, 0, found.timestamp, found.offset, epoch)

    def offset_for_leader_epoch(
        self, epochs: Mapping[TopicPartition, int], current: Mapping[TopicPartition, int]
    ) -> list[EpochEndOffset]:
        """Where each epoch ended (KIP-101): the end of the log for the current one, -1 for one nobody knows."""
        replies = []
        for topic_partition, epoch in epochs.items():
            try:
                partition = self._partition(topic_partition)
                check_leader_epoch(partition, current.get(topic_partition, -1))
            except BrokerResponseError as error:
                replies.append(EpochEndOffset(topic_partition, error.errno))
                continue
            if epoch == partition.leader_epoch:
                replies.append(EpochEndOffset(topic_partition, 0, epoch, partition.log.end_offset))
            else:
                replies.append(EpochEndOffset(topic_partition))
        return replies

    def delete_records(self, offsets: Mapping[TopicPartition, int]) -> list[DeletedRecords]:
        """Move each partition's log start offset up; -1 means to the high watermark."""
        replies: list[DeletedRecords] = []
        for topic_partition, offset in offsets.items():
            try:
                replies.append(DeletedRecords(topic_partition, 0, self._advance(topic_partition, offset)))
            except BrokerResponseError as error:
                message = str(error.args[0]) if error.args else None
                replies.append(DeletedRecords(topic_partition, error.errno, -1, message))
        return replies

    def _advance(self, topic_partition: TopicPartition, offset: int) -> int:
        partition = self._partition(topic_partition)
        if self._read_only:
            raise KafkaStorageError("this engine is open for reading only")
        if partition.topic.is_internal:
            raise InvalidTopicError(f"Cannot delete records of internal topic {topic_partition.topic}")
        if not partition.topic.log_config.deletes_old:
            raise PolicyViolationError(
                f"Records of partition {topic_partition.topic}-{topic_partition.partition} can not be deleted due to "
                "the configured policy"
            )
        high_watermark = partition.high_watermark
        wanted = high_watermark if offset == _HIGH_WATERMARK else offset
        if not 0 <= wanted <= high_watermark:
            raise OffsetOutOfRangeError(
                f"The specified offset {offset} is invalid: the high watermark is {high_watermark}"
            )
        return partition.advance_log_start(wanted)
