"""Appending what producers send, partition by partition.

The first batch of a transaction in a partition needs the transaction coordinator's word: without it, a batch that comes
late could begin a transaction that nobody will ever end (KIP-890).  The partition gives a verification, the
coordinator is asked with no partition's lock held, and the append shows that verification; a marker that came in
between has made it void.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from embedkafka.broker.api import (
    InitProducerIdReply,
    PartitionBatches,
    PartitionProduceReply,
    PartitionProducers,
    ProduceReply,
    ProduceRequest,
)
from embedkafka.broker.partition import Partition
from embedkafka.errors import (
    BrokerResponseError,
    InvalidRequiredAcksError,
    InvalidTxnStateError,
    KafkaStorageError,
    TransactionalIdAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from embedkafka.model import TopicPartition
from embedkafka.record import SealedBatch, iter_headers
from embedkafka.record.format import COMPRESSION_MASK
from embedkafka.storage.producer_state import Verification

if TYPE_CHECKING:
    from embedkafka.broker.producer_ids import ProducerIds

_PROMPT_BYTES = 64 * 1024
"""What is validated and written in about 0.1 ms; more, or what has to be decompressed for that, is a worker's."""

_ATTRIBUTES_END = 23

VerifyTransaction = Callable[[str, int, int, TopicPartition, bool], int]
"""Ask whether a producer's transaction may write to a partition: (transactional id, producer id, producer epoch,
partition, whether to add the partition to the transaction) -> Kafka's error code.  May be called with a producer's lane
locked, never with a partition locked."""


class Producing:
    """Answers produce requests for one broker.  With one replica nothing has to be waited for."""

    def __init__(self, find: Callable[[TopicPartition], Partition | None], *, read_only: bool) -> None:
        self._find = find
        self._read_only = read_only
        self.verify_transaction: VerifyTransaction | None = None

    def produce(self, request: ProduceRequest) -> ProduceReply:
        """Append every partition's batches; each succeeds or fails for itself."""
        if request.acks not in (-1, 0, 1):
            return self._refused(request, InvalidRequiredAcksError(f"acks is -1, 0 or 1, not {request.acks}"))
        if self._read_only:
            return self._refused(request, KafkaStorageError("this engine is open for reading only"))
        return ProduceReply([self._append(batches, request) for batches in request.batches])

    def produce_promptly(self, request: ProduceRequest) -> ProduceReply | None:
        """Append one small batch where nothing has to be waited for; else None, and nothing was done."""
        if len(request.batches) != 1 or self._read_only or request.acks not in (-1, 0, 1):
            return None
        ((topic_partition, records, _),) = request.batches
        if len(records) > _PROMPT_BYTES or records[_ATTRIBUTES_END - 1] & COMPRESSION_MASK:
            return None
        partition = self._find(topic_partition)
        if partition is None:
            return None
        try:
            base_offset = partition.append_promptly(records)
            if base_offset is None:
                return None
        except BrokerResponseError as error:
            return ProduceReply((_failure(topic_partition, error, partition),))
        if partition.parked:
            partition.wake_readers()
        log_start_offset = partition.log.log_start_offset
        return ProduceReply((PartitionProduceReply(topic_partition, 0, None, base_offset, -1, log_start_offset),))

    def produce_sealed(
        self,
        topic_partition: TopicPartition,
        batches: Sequence[SealedBatch],
        acks: int,
        transactional_id: str | None = None,
    ) -> PartitionProduceReply:
        """Append what an embedded producer has just sealed, straight and as a whole where nothing about it is special.

        Else the first batch is judged alone, and the answer is about that one.
        """
        partition = None if self._read_only else self._find(topic_partition)
        if partition is not None:
            try:
                base_offset = partition.append_plain(batches)
            except BrokerResponseError as error:
                return _failure(topic_partition, error)
            if base_offset is not None:
                if partition.parked:
                    partition.wake_readers()
                return PartitionProduceReply(topic_partition, 0, None, base_offset, batches_count=len(batches))
        request = ProduceRequest(
            (PartitionBatches(topic_partition, batches[0].records),),
            acks,
            transactional_id=transactional_id,
            trusted=True,
        )
        return self.produce(request).partitions[0]

    def init_producer_id(self, producer_ids: ProducerIds) -> InitProducerIdReply:
        """A new id for a producer without transactions."""
        try:
            if self._read_only:
                raise KafkaStorageError("this engine is open for reading only")
            return InitProducerIdReply(0, producer_ids.next_id(), 0)
        except BrokerResponseError as error:
            return InitProducerIdReply(error.errno, error_message=str(error.args[0]) if error.args else None)

    def describe_producers(self, topic_partitions: Sequence[TopicPartition]) -> list[PartitionProducers]:
        """Who has written to each partition."""
        replies = []
        for topic_partition in topic_partitions:
            partition = self._find(topic_partition)
            try:
                if partition is None:
                    raise UnknownTopicOrPartitionError(f"no partition {topic_partition} here")
                producers = partition.active_producers()
            except BrokerResponseError as error:
                message = str(error.args[0]) if error.args else None
                replies.append(PartitionProducers(topic_partition, error.errno, message))
            else:
                replies.append(PartitionProducers(topic_partition, producers=producers))
        return replies

    def _append(self, batches: PartitionBatches, request: ProduceRequest) -> PartitionProduceReply:
        topic_partition = batches.topic_partition
        partition = self._find(topic_partition)
        try:
            if partition is None:
                raise UnknownTopicOrPartitionError(f"no partition {topic_partition} here")
            verification = self._verify(partition, batches, request)
            info = partition.append(batches.records, trusted=request.trusted, verification=verification)
        except BrokerResponseError as error:
            return _failure(topic_partition, error, partition)
        if partition.parked:
            partition.wake_readers()
        return PartitionProduceReply(
            topic_partition, 0, None, info.base_offset, info.log_append_time_ms, partition.log.log_start_offset
        )

    def _verify(self, partition: Partition, batches: PartitionBatches, request: ProduceRequest) -> Verification | None:
        """What a transaction's first batch needs; None for anything else."""
        _, header = next(iter_headers(batches.records), (0, None))
        if header is None or not header.is_transactional or header.is_control:
            return None
        adds = request.transaction_version >= 2
        verification = partition.start_verification(
            header.producer_id, header.producer_epoch, header.base_sequence, supports_epoch_bump=adds
        )
        if verification is None:
            return None
        if request.transactional_id is None:
            raise TransactionalIdAuthorizationFailedError("a transactional batch needs a transactional id")
        if self.verify_transaction is None:
            raise InvalidTxnStateError("a transactional batch needs its coordinator")
        error_code = self.verify_transaction(
            request.transactional_id, header.producer_id, header.producer_epoch, partition.topic_partition, adds
        )
        if error_code:
            raise for_code(error_code)(
                f"producer {header.producer_id} may not write to {partition.topic_partition} in a transaction"
            )
        return verification

    def _refused(self, request: ProduceRequest, error: BrokerResponseError) -> ProduceReply:
        return ProduceReply([_failure(batches.topic_partition, error) for batches in request.batches])


def _failure(
    topic_partition: TopicPartition, error: BrokerResponseError, partition: Partition | None = None
) -> PartitionProduceReply:
    message = str(error.args[0]) if error.args else None
    refused = PartitionProduceReply(topic_partition, error.errno, message, record_indexes=error.record_indexes)
    if partition is None or not error.record_indexes:
        return refused
    return refused._replace(log_start_offset=partition.log.log_start_offset)  # as Kafka, where it names records
