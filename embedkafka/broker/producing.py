"""Appending what producers send, partition by partition."""

from __future__ import annotations

from collections.abc import Callable

from embedkafka.broker.api import PartitionBatches, PartitionProduceReply, ProduceReply, ProduceRequest
from embedkafka.broker.partition import Partition
from embedkafka.errors import (
    BrokerResponseError,
    InvalidRequiredAcksError,
    KafkaStorageError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import SealedBatch


class Producing:
    """Answers produce requests for one broker.  With one replica nothing has to be waited for."""

    def __init__(self, find: Callable[[TopicPartition], Partition | None], *, read_only: bool) -> None:
        self._find = find
        self._read_only = read_only

    def produce(self, request: ProduceRequest) -> ProduceReply:
        """Append every partition's batches; each succeeds or fails for itself."""
        if request.acks not in (-1, 0, 1):
            return self._refused(request, InvalidRequiredAcksError(f"acks is -1, 0 or 1, not {request.acks}"))
        if self._read_only:
            return self._refused(request, KafkaStorageError("this engine is open for reading only"))
        if request.transactional_id is not None:
            return self._refused(request, UnsupportedVersionError("there are no transactions yet"))
        return ProduceReply([self._append(batches, request.trusted) for batches in request.batches])

    def produce_sealed(self, topic_partition: TopicPartition, batch: SealedBatch, acks: int) -> PartitionProduceReply:
        """Append one batch that an embedded producer has just sealed, straight where nothing about it is special."""
        partition = None if self._read_only else self._find(topic_partition)
        if partition is not None:
            try:
                base_offset = partition.append_plain(
                    batch.records, record_count=batch.records_count, max_timestamp=batch.max_timestamp
                )
            except BrokerResponseError as error:
                return _failure(topic_partition, error)
            if base_offset is not None:
                if partition.parked:
                    partition.wake_readers()
                return PartitionProduceReply(topic_partition, 0, None, base_offset)
        request = ProduceRequest((PartitionBatches(topic_partition, batch.records),), acks, trusted=True)
        return self.produce(request).partitions[0]

    def _append(self, batches: PartitionBatches, trusted: bool) -> PartitionProduceReply:
        topic_partition = batches.topic_partition
        partition = self._find(topic_partition)
        try:
            if partition is None:
                raise UnknownTopicOrPartitionError(f"no partition {topic_partition} here")
            info = partition.append(batches.records, trusted=trusted)
        except BrokerResponseError as error:
            return _failure(topic_partition, error)
        if partition.parked:
            partition.wake_readers()
        return PartitionProduceReply(
            topic_partition, 0, None, info.base_offset, info.log_append_time_ms, partition.log.log_start_offset
        )

    def _refused(self, request: ProduceRequest, error: BrokerResponseError) -> ProduceReply:
        return ProduceReply([_failure(batches.topic_partition, error) for batches in request.batches])


def _failure(topic_partition: TopicPartition, error: BrokerResponseError) -> PartitionProduceReply:
    return PartitionProduceReply(topic_partition, error.errno, str(error.args[0]) if error.args else None)
