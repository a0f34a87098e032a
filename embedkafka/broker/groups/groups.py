"""The group coordinator's door: Kafka's group APIs, each handed to the shard that owns the group.

Groups are spread over the partitions of ``__consumer_offsets`` by Java's hash of their id, as in Kafka, so that Kafka's
tools find them.  The topic comes into being with the first join or commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from embedkafka.broker.api import (
    ConsumerGroupHeartbeatReply,
    ConsumerGroupHeartbeatRequest,
    DescribeConsumerGroupsRequest,
    DescribedConsumerGroup,
    DescribedGroup,
    DescribeGroupsRequest,
    FoundCoordinator,
    GroupResult,
    HeartbeatRequest,
    JoinGroupReply,
    JoinGroupRequest,
    LeaveGroupReply,
    LeaveGroupRequest,
    LeavingMember,
    ListedGroup,
    ListGroupsRequest,
    OffsetCommitReply,
    OffsetCommitRequest,
    OffsetDeleteReply,
    OffsetDeleteRequest,
    OffsetFetchReply,
    OffsetFetchRequest,
    OffsetToCommit,
    RequestContext,
    SyncGroupReply,
    SyncGroupRequest,
    TxnMarker,
    TxnOffsetCommitRequest,
)
from embedkafka.broker.groups.host import GroupsHost
from embedkafka.broker.groups.members import host_of
from embedkafka.broker.groups.shard import PARKED, Asker, Complete, GroupShard
from embedkafka.broker.groups.share_groups import ShareGroups
from embedkafka.broker.groups.streams_groups import StreamsGroups
from embedkafka.broker.shards import Shards
from embedkafka.clock import Timer
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import (
    CommitOffsets,
    ConsumerHeartbeat,
    ExpireOffsets,
    JoinGroup,
    Producer,
    TopicsDeleted,
)
from embedkafka.coordinator.share_state.state import SharePartitionKey
from embedkafka.errors import InvalidRequestError, UnknownTopicOrPartitionError, UnsupportedVersionError
from embedkafka.model import TopicPartition

_GROUP_KEY_TYPE = 0  # FindCoordinator
_TRANSACTION_KEY_TYPE = 1
_SHARE_KEY_TYPE = 2  # of a share partition's state


class Groups:
    """All groups of an engine.  Safe to call from any thread; no method raises for the state of groups.

    Args:
        host: the engine.
        config: the coordinator's settings.
        read_only: for an engine beside a live owner: groups can be looked at only.
    """

    def __init__(self, host: GroupsHost, config: GroupConfig, *, read_only: bool = False) -> None:
        self._host = host
        self._config = config
        self._shards = Shards(
            host.offsets_partition_count(), lambda index: GroupShard(index, host, config, read_only=read_only)
        )
        self.share = ShareGroups(host, self._shards.of)
        self.streams = StreamsGroups(host, config, self._shards.of)
        self._retention_timer: Timer | None = None
        if not read_only:
            self._wait_for_retention()

    def close(self) -> None:
        """Answer everyone who waits, end every timer."""
        if self._retention_timer is not None:
            self._retention_timer.cancel()
        self._shards.close()

    def find_coordinator(
        self, context: RequestContext, key_type: int, keys: Sequence[str]
    ) -> Sequence[FoundCoordinator]:
        """This broker: it coordinates every group, transactional id and share partition."""
        if key_type not in (_GROUP_KEY_TYPE, _TRANSACTION_KEY_TYPE, _SHARE_KEY_TYPE):
            message = f"there is no coordinator for keys of type {key_type}"
            return [FoundCoordinator(key, InvalidRequestError.errno, message) for key in keys]
        at = self._host.broker_endpoint()
        found = FoundCoordinator("", broker_id=at.broker_id, host=at.host, port=at.port)
        if key_type == _SHARE_KEY_TYPE:
            return [_mistaken_share_key(key) or found._replace(key=key) for key in keys]
        return [found._replace(key=key) for key in keys]

    # Membership ---------------------------------------------------------------------------------------------------

    def join_group(
        self, context: RequestContext, request: JoinGroupRequest, complete: Callable[[JoinGroupReply], None]
    ) -> None:
        """Enter a group; answered when everyone has (re)joined."""
        command = JoinGroup(request, context.client_id, host_of(context), self._fresh_id())
        self._answer(self._shards.of(request.group_id).run(command, Asker(complete, context.liveness)), complete)

    def sync_group(
        self, context: RequestContext, request: SyncGroupRequest, complete: Callable[[SyncGroupReply], None]
    ) -> None:
        """Hand in the assignment, or fetch it; answered when the leader has handed it in."""
        self._answer(self._shards.of(request.group_id).run(request, Asker(complete)), complete)

    def heartbeat(self, context: RequestContext, request: HeartbeatRequest) -> int:
        """Keep a session alive; the reply is an error code."""
        error_code: int = self._shards.of(request.group_id).run(request)
        return error_code

    def consumer_group_heartbeat(
        self, context: RequestContext, request: ConsumerGroupHeartbeatRequest
    ) -> ConsumerGroupHeartbeatReply:
        """Join, stay in or leave a consumer group, and learn what to own (KIP-848)."""
        if not self._config.speaks_consumer_protocol:
            message = "group.coordinator.rebalance.protocols leaves the consumer protocol out"
            return ConsumerGroupHeartbeatReply(UnsupportedVersionError.errno, message)
        hidden = self._hidden_topics(context, request) if self._config.hides_topics else frozenset()
        command = ConsumerHeartbeat(request, context.client_id, host_of(context), self._fresh_id(), hidden)
        reply: ConsumerGroupHeartbeatReply = self._shards.of(request.group_id).run(
            command, Asker(liveness=context.liveness)
        )
        return reply

    def _hidden_topics(self, context: RequestContext, request: ConsumerGroupHeartbeatRequest) -> frozenset[str] | None:
        """What the sender may not know of; None where nothing is matched for it."""
        by_pattern = request.subscribed_topic_regex or self._shards.of(request.group_id).reads_by_pattern(
            request.group_id, request.member_id
        )
        return self._host.hidden_topics(context) if by_pattern else None

    def leave_group(self, context: RequestContext, group_id: str, members: Sequence[LeavingMember]) -> LeaveGroupReply:
        """Take members out of their group."""
        reply: LeaveGroupReply = self._shards.of(group_id).run(LeaveGroupRequest(group_id, members))
        return reply

    def watch_group(
        self, context: RequestContext, group_id: str, member_id: str, callback: Callable[[], None]
    ) -> Callable[[], None]:
        """Call ``callback``, with no lock held, whenever the member's next heartbeat would tell it something.

        It may be called more often than that, and once more after what this returns, which ends the watch.
        """
        return self._shards.of(group_id).watch(group_id, member_id, callback)

    # Offsets ------------------------------------------------------------------------------------------------------

    def offset_commit(self, context: RequestContext, request: OffsetCommitRequest) -> OffsetCommitReply:
        """Store offsets; those of partitions that do not exist are refused one by one."""
        return self._commit(request, None)

    def txn_offset_commit(self, context: RequestContext, request: TxnOffsetCommitRequest) -> OffsetCommitReply:
        """Store offsets that count once the producer's transaction is committed."""
        commit = OffsetCommitRequest(
            request.group_id, request.offsets, request.generation_id, request.member_id, request.group_instance_id
        )
        return self._commit(commit, Producer(request.producer_id, request.producer_epoch))

    def complete_transaction(self, partition: int, marker: TxnMarker) -> int:
        """Write a transaction's marker into a partition of ``__consumer_offsets``; the reply is an error code.

        To be called without a lock held.
        """
        return self._shards.at(partition).complete_transaction(
            marker.producer_id,
            marker.producer_epoch,
            commit=marker.committed,
            coordinator_epoch=marker.coordinator_epoch,
            transaction_version=marker.transaction_version,
        )

    def _commit(self, request: OffsetCommitRequest, producer: Producer | None) -> OffsetCommitReply:
        topic_ids: dict[str, UUID] = {}
        unknown: dict[TopicPartition, int] = {}
        for topic_partition in request.offsets:
            topic_id = self._host.topic_id_of(topic_partition)
            if topic_id is None:
                unknown[topic_partition] = UnknownTopicOrPartitionError.errno
            else:
                topic_ids[topic_partition.topic] = topic_id
        if unknown:
            request = _with_offsets(request, {tp: o for tp, o in request.offsets.items() if tp not in unknown})
        command = CommitOffsets(request, topic_ids, producer)
        reply: OffsetCommitReply = self._shards.of(request.group_id).run(command)
        return OffsetCommitReply({**reply.error_codes, **unknown}) if unknown else reply

    def offset_fetch(self, context: RequestContext, request: OffsetFetchRequest) -> OffsetFetchReply:
        """What a group has committed."""
        reply: OffsetFetchReply = self._shards.of(request.group_id).run(request)
        return reply

    def offset_delete(
        self, context: RequestContext, group_id: str, partitions: Sequence[TopicPartition]
    ) -> OffsetDeleteReply:
        """Forget offsets of topics that no member reads; partitions that do not exist are refused one by one."""
        unknown = {
            topic_partition: UnknownTopicOrPartitionError.errno
            for topic_partition in partitions
            if self._host.topic_id_of(topic_partition) is None
        }
        known = [topic_partition for topic_partition in partitions if topic_partition not in unknown]
        if unknown and not known:
            return OffsetDeleteReply(0, unknown)  # as Kafka, which does not even look for the group then
        reply: OffsetDeleteReply = self._shards.of(group_id).run(OffsetDeleteRequest(group_id, known))
        return OffsetDeleteReply(0, {**reply.error_codes, **unknown}) if unknown and not reply.error_code else reply

    def topics_deleted(self, topics: Iterable[str]) -> None:
        """Forget every offset of these topics.  To be called without a lock held."""
        command = TopicsDeleted(tuple(topics))
        for shard in self._shards.all():
            shard.run(command)

    # Groups -------------------------------------------------------------------------------------------------------

    def list_groups(
        self, context: RequestContext, *, states: Sequence[str] = (), types: Sequence[str] = ()
    ) -> Sequence[ListedGroup]:
        """Every group, by id; empty filters let everything through."""
        request = ListGroupsRequest(states, types)
        listed = [group for shard in self._shards.all() for group in shard.run(request) or ()]
        return sorted(listed, key=lambda group: group.group_id)

    def describe_groups(self, context: RequestContext, group_ids: Sequence[str]) -> Sequence[DescribedGroup]:
        """Groups with their members, in the order asked."""
        return [self._shards.of(group_id).run(DescribeGroupsRequest([group_id]))[0] for group_id in group_ids]

    def consumer_group_describe(
        self, context: RequestContext, group_ids: Sequence[str]
    ) -> Sequence[DescribedConsumerGroup]:
        """Consumer groups (KIP-848) with their members, in the order asked."""
        return [self._shards.of(group_id).run(DescribeConsumerGroupsRequest([group_id]))[0] for group_id in group_ids]

    def delete_groups(self, context: RequestContext, group_ids: Sequence[str]) -> Sequence[GroupResult]:
        """Delete groups that have no members, with their offsets."""
        return [self.share.delete_group(group_id) for group_id in group_ids]

    # ----------------------------------------------------------------------------------------------------------------

    def _fresh_id(self) -> str:
        return str(UUID(int=self._host.random.getrandbits(128), version=4))

    @staticmethod
    def _answer(reply: Any, complete: Complete) -> None:
        if reply is not PARKED:
            complete(reply)

    def _wait_for_retention(self) -> None:
        delay_ms = self._config.offsets_retention_check_interval_ms
        self._retention_timer = self._host.clock.call_later(delay_ms, self._expire_offsets, background=True)

    def _expire_offsets(self) -> None:
        self._wait_for_retention()
        for shard in self._shards.all():
            shard.run(ExpireOffsets())


def _mistaken_share_key(key: str) -> FoundCoordinator | None:
    try:
        SharePartitionKey.parse(key)
    except ValueError as error:
        return FoundCoordinator(key, InvalidRequestError.errno, str(error))
    return None


def _with_offsets(request: OffsetCommitRequest, offsets: dict[TopicPartition, OffsetToCommit]) -> OffsetCommitRequest:
    return OffsetCommitRequest(
        request.group_id, offsets, request.generation_id, request.member_id, request.group_instance_id
    )
