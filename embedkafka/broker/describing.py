"""What a broker tells of the cluster: brokers, topics, and how large its logs are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from embedkafka.broker.api import (
    BrokerEndpoint,
    LogDirReply,
    MetadataReply,
    PartitionMetadata,
    ReplicaSize,
    TopicMetadata,
)
from embedkafka.broker.partition import Partition
from embedkafka.broker.topic import Topic
from embedkafka.errors import BrokerResponseError, UnknownTopicOrPartitionError
from embedkafka.model import TopicPartition, validate_topic_name

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

NO_TOPIC_ID = UUID(int=0)


class Describing:
    """Answers for one broker."""

    def __init__(self, engine: Engine, broker_id: int) -> None:
        self._engine = engine
        self._broker_id = broker_id

    def metadata(self, topics: Sequence[str] | None, *, auto_create: bool) -> MetadataReply:
        """Brokers and topics; None asks for every topic."""
        engine = self._engine
        if topics is None:
            described = [_describe(topic) for topic in engine.topics.all()]
        else:
            described = [self._topic(name, auto_create) for name in topics]
        brokers = [BrokerEndpoint(broker_id) for broker_id in engine.store.broker_ids]
        return MetadataReply(engine.store.cluster_id, self._broker_id, brokers, described)

    def _topic(self, name: str, auto_create: bool) -> TopicMetadata:
        topics = self._engine.topics
        try:
            topic = topics.topic(name)
            if topic is None:
                validate_topic_name(name)
                if not auto_create:
                    raise UnknownTopicOrPartitionError(f"topic {name!r} does not exist")
                topic = topics.create_automatically(name)
            return _describe(topic)
        except BrokerResponseError as error:
            message = str(error.args[0]) if error.args else None
            return TopicMetadata(name, NO_TOPIC_ID, error_code=error.errno, error_message=message)

    def log_dirs(self, topic_partitions: Collection[TopicPartition] | None) -> list[LogDirReply]:
        """The broker's one folder, and the partitions whose logs are in it."""
        engine = self._engine
        sizes = []
        for partition in engine.topics.partitions():
            if topic_partitions is None or partition.topic_partition in topic_partitions:
                try:
                    sizes.append(ReplicaSize(partition.topic_partition, self._size_bytes(partition)))
                except BrokerResponseError:
                    continue  # deleted since
        total_bytes, usable_bytes = engine.store.space_bytes()
        sizes.sort(key=lambda size: size.topic_partition)
        return [LogDirReply(engine.store.error_code, engine.store.folder, sizes, total_bytes, usable_bytes)]

    def _size_bytes(self, partition: Partition) -> int:
        if partition.open_log is None and not self._engine.store.has_folder(partition.topic_partition):
            return 0  # nothing was ever written
        return partition.log.size_bytes


def _describe(topic: Topic) -> TopicMetadata:
    partitions = [
        PartitionMetadata(partition.topic_partition.partition, replicas[0], partition.leader_epoch, replicas, replicas)
        for partition, replicas in zip(topic.partitions, topic.entry.replicas, strict=False)
    ]
    return TopicMetadata(topic.name, topic.topic_id, topic.is_internal, partitions)
