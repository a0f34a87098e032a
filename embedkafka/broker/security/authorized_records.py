"""Who may write, read and look at records, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embedkafka.broker import api
from embedkafka.broker.fetching import Complete, ParkedFetch
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import TOPIC_DENIED, TOPIC_MESSAGE, TRANSACTIONAL_ID_DENIED
from embedkafka.broker.security.authorized_base import AuthorizedBase, woven
from embedkafka.model import TopicPartition
from embedkafka.record import SealedBatch


class AuthorizedRecords(AuthorizedBase):
    """Partitions of denied topics are answered each for itself."""

    def produce(
        self, context: api.RequestContext, request: api.ProduceRequest, complete: Callable[[api.ProduceReply], None]
    ) -> None:
        transactional_id = request.transactional_id
        if transactional_id is not None and not self._may_transact(context, ApiKey.PRODUCE, transactional_id):
            complete(api.ProduceReply([_unwritten(each, TRANSACTIONAL_ID_DENIED) for each in request.batches]))
            return
        topics = [each.topic_partition.topic for each in request.batches]
        denied = self._denied_topics(context, ApiKey.PRODUCE, topics)
        if not denied:
            super().produce(context, request, complete)
            return
        allowed = [each for each in request.batches if each.topic_partition.topic not in denied]
        refused = [_unwritten(each, TOPIC_DENIED) for each in request.batches if each.topic_partition.topic in denied]
        super().produce(
            context,
            request._replace(batches=allowed),
            lambda reply: complete(reply._replace(partitions=[*reply.partitions, *refused])),
        )

    def produce_promptly(self, context: api.RequestContext, request: api.ProduceRequest) -> api.ProduceReply | None:
        transactional_id = request.transactional_id
        if transactional_id is not None and not self._may_transact(context, ApiKey.PRODUCE, transactional_id):
            return None  # produce() refuses it
        topics = [each.topic_partition.topic for each in request.batches]
        if self._denied_topics(context, ApiKey.PRODUCE, topics):
            return None
        return super().produce_promptly(context, request)

    def produce_sealed(
        self,
        context: api.RequestContext,
        topic_partition: TopicPartition,
        batches: Sequence[SealedBatch],
        acks: int,
        complete: Callable[[api.PartitionProduceReply], None],
        *,
        transactional_id: str | None = None,
    ) -> api.PartitionProduceReply | None:
        if self._denied_topics(context, ApiKey.PRODUCE, [topic_partition.topic]):
            return api.PartitionProduceReply(topic_partition, TOPIC_DENIED)
        if transactional_id is not None and not self._may_transact(context, ApiKey.PRODUCE, transactional_id):
            return api.PartitionProduceReply(topic_partition, TRANSACTIONAL_ID_DENIED)
        return super().produce_sealed(
            context, topic_partition, batches, acks, complete, transactional_id=transactional_id
        )

    def fetch(self, context: api.RequestContext, request: api.FetchRequest, complete: Complete) -> ParkedFetch | None:
        topics = [each.topic_partition.topic for each in request.partitions]
        denied = self._denied_topics(context, ApiKey.FETCH, topics)
        if not denied:
            return super().fetch(context, request, complete)
        allowed = [each for each in request.partitions if each.topic_partition.topic not in denied]
        refused = [
            api.PartitionFetchReply(each.topic_partition, TOPIC_DENIED)
            for each in request.partitions
            if each.topic_partition.topic in denied
        ]
        if not allowed:
            complete(api.FetchReply(refused))
            return None
        return super().fetch(
            context,
            request._replace(partitions=allowed),
            lambda reply: complete(reply._replace(partitions=[*reply.partitions, *refused])),
        )

    def list_offsets(
        self, context: api.RequestContext, request: api.ListOffsetsRequest
    ) -> Sequence[api.PartitionOffset]:
        denied = self._denied_partitions(context, ApiKey.LIST_OFFSETS, request.timestamps)
        timestamps = {each: at for each, at in request.timestamps.items() if each not in denied}
        found = super().list_offsets(context, request._replace(timestamps=timestamps))
        refused = {each: api.PartitionOffset(each, TOPIC_DENIED) for each in denied}
        return woven(request.timestamps, found, refused)

    def offset_for_leader_epoch(
        self,
        context: api.RequestContext,
        epochs: Mapping[TopicPartition, int],
        *,
        current: Mapping[TopicPartition, int] | None = None,
    ) -> Sequence[api.EpochEndOffset]:
        key = ApiKey.OFFSET_FOR_LEADER_EPOCH
        denied = [] if self._may_cluster(context, key) else self._denied_partitions(context, key, epochs)
        asked = {each: epoch for each, epoch in epochs.items() if each not in denied}
        found = super().offset_for_leader_epoch(context, asked, current=current)
        return woven(epochs, found, {each: api.EpochEndOffset(each, TOPIC_DENIED) for each in denied})

    def delete_records(
        self, context: api.RequestContext, offsets: Mapping[TopicPartition, int]
    ) -> Sequence[api.DeletedRecords]:
        denied = self._denied_partitions(context, ApiKey.DELETE_RECORDS, offsets)
        asked = {each: offset for each, offset in offsets.items() if each not in denied}
        deleted = super().delete_records(context, asked)
        return woven(offsets, deleted, {each: api.DeletedRecords(each, TOPIC_DENIED) for each in denied})

    def describe_producers(
        self, context: api.RequestContext, topic_partitions: Sequence[TopicPartition]
    ) -> Sequence[api.PartitionProducers]:
        denied = self._denied_partitions(context, ApiKey.DESCRIBE_PRODUCERS, topic_partitions)
        found = super().describe_producers(context, [each for each in topic_partitions if each not in denied])
        return woven(
            topic_partitions,
            found,
            {each: api.PartitionProducers(each, TOPIC_DENIED, TOPIC_MESSAGE) for each in denied},
        )


def _unwritten(batches: api.PartitionBatches, error_code: int) -> api.PartitionProduceReply:
    return api.PartitionProduceReply(batches.topic_partition, error_code)
