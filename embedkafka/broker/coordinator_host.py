"""What the coordinators' shells ask of the engine: time, ids, topics, and the logs of the internal topics."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from embedkafka.broker.api import (
    CLUSTER_NAME,
    LATEST_TIMESTAMP,
    AclOperation,
    AclResourceType,
    BrokerEndpoint,
    ListOffsetsRequest,
    NewTopicSpec,
    RequestContext,
    TopicResult,
)
from embedkafka.broker.groups.groups import Groups
from embedkafka.broker.groups.host import group_config
from embedkafka.broker.internal_topic import InternalLog, InternalTopic
from embedkafka.broker.positions import Positions
from embedkafka.broker.topic import CONSUMER_OFFSETS
from embedkafka.clock import Clock
from embedkafka.coordinator.config import GroupSettings
from embedkafka.coordinator.topics import Topic
from embedkafka.coordinator.topics import Topics as KnownTopics
from embedkafka.errors import TopicAuthorizationFailedError
from embedkafka.model import TopicPartition
from embedkafka.storage.log import AppendOrigin

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine
    from embedkafka.broker.share.states import ShareStates


_NO_SEQUENCE = -1  # coordinators do not number their batches


class OffsetsPartition(InternalLog):
    """One partition of ``__consumer_offsets``; whoever appends wakes its readers, too."""

    __slots__ = ()

    def append(self, batch: bytearray) -> None:
        super().append(batch)
        self.wake_readers()

    def append_in_transaction(self, batch: bytearray, producer_id: int, producer_epoch: int) -> None:
        """Append one batch of a transaction; the transaction coordinator was asked before."""
        verification = self._partition.start_verification(producer_id, producer_epoch, _NO_SEQUENCE)
        self._partition.append(batch, origin=AppendOrigin.COORDINATOR, verification=verification)
        self.wake_readers()

    def append_marker(
        self, producer_id: int, producer_epoch: int, *, commit: bool, coordinator_epoch: int, transaction_version: int
    ) -> None:
        """Append the end of a transaction; returns when it is committed, with one replica at once."""
        self._partition.append_marker(
            producer_id,
            producer_epoch,
            commit=commit,
            coordinator_epoch=coordinator_epoch,
            transaction_version=transaction_version,
        )


class CoordinatorHost:
    """The engine as the groups see it; see :class:`embedkafka.broker.groups.host.GroupsHost`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topics = engine.topics
        self._positions = Positions(engine.topics.partition, read_only=engine.read_only)
        self._broker_id = engine.store.broker_ids[0]
        self._offsets = InternalTopic(
            engine,
            CONSUMER_OFFSETS,
            partition_count=engine.config.integer("offsets.topic.num.partitions"),
            load_buffer_bytes=engine.config.integer("offsets.load.buffer.size"),
            log=OffsetsPartition,
        )
        self._clock = engine.clock
        self._random = engine.ids.random
        self._known_topics = KnownTopics(version=-1)

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def random(self) -> random.Random:
        return self._random

    @property
    def share_states(self) -> ShareStates:
        return self._engine.share_states

    def group_settings(self) -> Mapping[str, GroupSettings]:
        return self._engine.group_configs.settings

    def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        self._engine.unsealed.seal(list(partitions))
        request = ListOffsetsRequest(dict.fromkeys(partitions, LATEST_TIMESTAMP))
        return {each.topic_partition: (each.error_code, each.offset) for each in self._positions.list_offsets(request)}

    def share_member_gone(self, group_id: str, member_id: str) -> None:
        self._engine.shares.member_gone(group_id, member_id)

    def broker_endpoint(self) -> BrokerEndpoint:
        return BrokerEndpoint(self._broker_id)

    def topic_id_of(self, topic_partition: TopicPartition) -> UUID | None:
        partition = self._topics.partition(topic_partition)
        return None if partition is None else partition.topic.topic_id

    def known_topics(self) -> KnownTopics:
        known = self._known_topics
        version = self._topics.version  # before the topics: what is too new for its version is only looked up again
        if known.version != version:
            known = self._known_topics = KnownTopics(
                (Topic(topic.name, topic.topic_id, len(topic.partitions)) for topic in self._topics.all()), version
            )
        return known

    def hidden_topics(self, context: RequestContext) -> frozenset[str]:
        may = self._engine.ports[self._broker_id].is_authorized
        describe, kind = AclOperation.DESCRIBE, AclResourceType.TOPIC
        return frozenset(topic.name for topic in self._topics.all() if not may(context, describe, kind, topic.name))

    def create_topics(self, context: RequestContext, specs: Sequence[NewTopicSpec]) -> Sequence[TopicResult]:
        may, create = self._engine.ports[self._broker_id].is_authorized, AclOperation.CREATE
        if not may(context, create, AclResourceType.CLUSTER, CLUSTER_NAME):
            denied = [each.topic for each in specs if not may(context, create, AclResourceType.TOPIC, each.topic)]
            if denied:
                return [TopicResult(name, TopicAuthorizationFailedError.errno) for name in denied]
        return self._topics.create(specs)

    def offsets_partition_count(self) -> int:
        return self._offsets.partition_count()

    def offsets_log(self, partition: int, create: bool) -> OffsetsPartition | None:
        return self._offsets.log(partition, create)


def open_groups(engine: Engine) -> Groups:
    """The coordinator of an engine's groups."""
    return Groups(CoordinatorHost(engine), group_config(engine.config), read_only=engine.read_only)
