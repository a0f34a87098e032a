"""Streams groups at the group coordinator's door: membership by their shard, internal topics by the engine.

A shard only says which internal topics a topology lacks.  Here they are created, with the rights of the member whose
heartbeat found them missing, and the heartbeat is answered anew; Kafka, which creates them behind its back, tells the
member with its next one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from embedkafka.broker.api import (
    DescribedStreamsGroup,
    DescribeStreamsGroupsRequest,
    NewTopicSpec,
    RequestContext,
    StreamsGroupHeartbeatReply,
    StreamsGroupHeartbeatRequest,
    StreamsStatus,
    TopicInfo,
    TopicResult,
)
from embedkafka.broker.groups.host import GroupsHost
from embedkafka.broker.groups.members import host_of
from embedkafka.broker.groups.shard import GroupShard
from embedkafka.broker.topic import INTERNAL_TOPICS
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.streams.commands import StreamsHeartbeat, StreamsHeartbeatResult
from embedkafka.coordinator.streams.configured import StatusCode
from embedkafka.errors import (
    InvalidTopicError,
    StreamsInvalidTopologyError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
    for_code,
)
from embedkafka.model import validate_topic_name

_BY_BROKER = -1  # a replication factor that is the broker's affair
_SHOWN = 3  # topics in a message


class StreamsGroups:
    """The streams groups of an engine.  Safe to call from any thread; no method raises for the state of groups.

    Args:
        host: the engine.
        config: the coordinator's settings.
        shard_of: the shard that a group falls on.
    """

    def __init__(self, host: GroupsHost, config: GroupConfig, shard_of: Callable[[str], GroupShard]) -> None:
        self._host = host
        self._config = config
        self._shard = shard_of

    def heartbeat(self, context: RequestContext, request: StreamsGroupHeartbeatRequest) -> StreamsGroupHeartbeatReply:
        """Join, stay in or leave a streams group, and learn which tasks to have."""
        if not self._config.speaks_streams_protocol:
            message = "group.coordinator.rebalance.protocols leaves the streams protocol out"
            return StreamsGroupHeartbeatReply(UnsupportedVersionError.errno, message)
        refusal = topology_refusal(request)
        if refusal is not None:
            return refusal
        result = self._run(context, request)
        reply = result.reply
        if reply.error_code or not result.missing_topics:
            return reply
        failed = self._create(context, result.missing_topics)
        if failed:
            return reply._replace(status=[_with_failures(each, failed) for each in reply.status or ()])
        again = self._run(context, request._replace(member_epoch=reply.member_epoch, topology=None)).reply
        if again.error_code:
            return reply
        return again if again.tasks is not None else again._replace(tasks=reply.tasks)

    def describe(self, group_ids: Collection[str]) -> list[DescribedStreamsGroup]:
        """Streams groups with their topology and members, in the order asked."""
        return [self._shard(group_id).run(DescribeStreamsGroupsRequest([group_id]))[0] for group_id in group_ids]

    def _run(self, context: RequestContext, request: StreamsGroupHeartbeatRequest) -> StreamsHeartbeatResult:
        command = StreamsHeartbeat(request, context.client_id, host_of(context))
        result: StreamsHeartbeatResult = self._shard(request.group_id).run(command)
        return result

    def _create(self, context: RequestContext, topics: Collection[TopicInfo]) -> list[TopicResult]:
        """Create internal topics; gives those that cannot be.  Somebody else may have been quicker."""
        specs = [
            NewTopicSpec(
                topic.name, topic.partitions, topic.replication_factor or _BY_BROKER, configs=dict(topic.configs)
            )
            for topic in topics
        ]
        fine = (0, TopicAlreadyExistsError.errno)
        return [result for result in self._host.create_topics(context, specs) if result.error_code not in fine]


def topology_refusal(request: StreamsGroupHeartbeatRequest) -> StreamsGroupHeartbeatReply | None:
    """Why a topology may not name the topics that it names; None where it may."""
    names = () if request.topology is None else request.topology.named_topics()
    internal = [name for name in names if name in INTERNAL_TOPICS]
    if internal:
        message = f"a topology may not use Kafka's own topics: {', '.join(internal)}"
        return StreamsGroupHeartbeatReply(StreamsInvalidTopologyError.errno, message)
    for name in names:
        try:
            validate_topic_name(name)
        except InvalidTopicError as error:
            return StreamsGroupHeartbeatReply(StreamsInvalidTopologyError.errno, str(error))
    return None


def _with_failures(status: StreamsStatus, failed: Sequence[TopicResult]) -> StreamsStatus:
    """The status about missing topics, with the reasons why they could not be created."""
    if status.code != StatusCode.MISSING_INTERNAL_TOPICS:
        return status
    reasons = ", ".join(f"{each.topic} ({_reason(each)})" for each in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return status._replace(detail=f"{status.detail}; they cannot be created: {reasons}{more}")


def _reason(result: TopicResult) -> str:
    if result.error_code == TopicAuthorizationFailedError.errno:
        return "not authorized to CREATE it"
    return result.error_message or for_code(result.error_code).__name__
