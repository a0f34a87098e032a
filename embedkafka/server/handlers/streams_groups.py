"""Groups of Kafka Streams (KIP-1071): StreamsGroupHeartbeat (88) and StreamsGroupDescribe (89)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from embedkafka.broker import api
from embedkafka.protocol.apis import api_88_streams_group_heartbeat as heartbeats
from embedkafka.protocol.apis import api_89_streams_group_describe as describing
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler
from embedkafka.server.handlers.group_admin import described_groups

# StreamsGroupHeartbeat (88) ------------------------------------------------------------------------------------------


def streams_group_heartbeat(
    call: Call, request: heartbeats.StreamsGroupHeartbeatRequest
) -> heartbeats.StreamsGroupHeartbeatResponse:
    """Join, stay and leave."""
    endpoint, tags = request.user_endpoint, request.client_tags
    reply = call.port.streams_group_heartbeat(
        call.context,
        api.StreamsGroupHeartbeatRequest(
            group_id=request.group_id,
            member_id=request.member_id,
            member_epoch=request.member_epoch,
            endpoint_information_epoch=request.endpoint_information_epoch,
            instance_id=request.instance_id,
            rack_id=request.rack_id,
            rebalance_timeout_ms=request.rebalance_timeout_ms,
            topology=None if request.topology is None else _topology(request.topology),
            active_tasks=_tasks(request.active_tasks),
            standby_tasks=_tasks(request.standby_tasks),
            warmup_tasks=_tasks(request.warmup_tasks),
            process_id=request.process_id,
            endpoint=None if endpoint is None else api.Endpoint(endpoint.host, endpoint.port),
            client_tags=None if tags is None else {tag.key: tag.value for tag in tags},
            task_offsets=request.task_offsets is not None or request.task_end_offsets is not None,
            shutdown_application=request.shutdown_application,
        ),
    )
    by_endpoint = reply.partitions_by_endpoint
    return heartbeats.StreamsGroupHeartbeatResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        member_id=reply.member_id,
        member_epoch=reply.member_epoch,
        heartbeat_interval_ms=reply.heartbeat_interval_ms,
        status=[heartbeats.Status(*status) for status in reply.status or ()],
        active_tasks=None if reply.tasks is None else _task_ids(reply.tasks.active),
        standby_tasks=None if reply.tasks is None else _task_ids(reply.tasks.standby),
        warmup_tasks=None if reply.tasks is None else _task_ids(reply.tasks.warmup),
        endpoint_information_epoch=reply.endpoint_information_epoch,
        partitions_by_user_endpoint=None if by_endpoint is None else [_endpoint(each) for each in by_endpoint],
    )


def _topology(topology: heartbeats.Topology) -> api.Topology:
    return api.Topology(topology.epoch, tuple(_subtopology(each) for each in topology.subtopologies))


def _subtopology(subtopology: heartbeats.Subtopology) -> api.Subtopology:
    return api.Subtopology(
        subtopology_id=subtopology.subtopology_id,
        source_topics=tuple(subtopology.source_topics),
        source_topic_regex=tuple(subtopology.source_topic_regex),
        state_changelog_topics=_topics(subtopology.state_changelog_topics),
        repartition_sink_topics=tuple(subtopology.repartition_sink_topics),
        repartition_source_topics=_topics(subtopology.repartition_source_topics),
        copartition_groups=tuple(
            api.CopartitionGroup(
                tuple(group.source_topics), tuple(group.source_topic_regex), tuple(group.repartition_source_topics)
            )
            for group in subtopology.copartition_groups
        ),
    )


def _topics(topics: Iterable[heartbeats.TopicInfo]) -> tuple[api.TopicInfo, ...]:
    return tuple(
        api.TopicInfo(
            topic.name,
            topic.partitions,
            topic.replication_factor,
            tuple((config.key, config.value) for config in topic.topic_configs),
        )
        for topic in topics
    )


def _tasks(lists: Sequence[heartbeats.TaskIds] | None) -> dict[str, list[int]] | None:
    """Tasks as they are named; None where they are unchanged."""
    return None if lists is None else {each.subtopology_id: each.partitions for each in lists}


def _task_ids(tasks: api.TaskLists) -> list[heartbeats.TaskIds]:
    return [heartbeats.TaskIds(each, list(partitions)) for each, partitions in tasks.items()]


def _endpoint(found: api.EndpointPartitions) -> heartbeats.EndpointToPartitions:
    return heartbeats.EndpointToPartitions(
        heartbeats.Endpoint(*found.endpoint), _partitions(found.active), _partitions(found.standby)
    )


def _partitions(by_topic: Mapping[str, Sequence[int]]) -> list[heartbeats.TopicPartition]:
    return [heartbeats.TopicPartition(topic, list(numbers)) for topic, numbers in by_topic.items()]


# StreamsGroupDescribe (89) -------------------------------------------------------------------------------------------


def streams_group_describe(
    call: Call, request: describing.StreamsGroupDescribeRequest
) -> describing.StreamsGroupDescribeResponse:
    """Groups with their topology and members."""
    return describing.StreamsGroupDescribeResponse(
        groups=described_groups(
            call,
            call.port.streams_group_describe(call.context, request.group_ids),
            describing.DescribedGroup,
            _own,
            is_asked=request.include_authorized_operations,
        )
    )


def _own(group: api.DescribedStreamsGroup) -> tuple[describing.Topology | None, list[describing.Member]]:
    topology = None if group.topology is None else _described_topology(group.topology)
    return topology, [_member(member) for member in group.members]


def _described_topology(topology: api.DescribedTopology) -> describing.Topology:
    return describing.Topology(
        topology.epoch,
        [
            describing.Subtopology(
                each.subtopology_id,
                list(each.source_topics),
                list(each.repartition_sink_topics),
                _infos(each.state_changelog_topics),
                _infos(each.repartition_source_topics),
            )
            for each in topology.subtopologies
        ],
    )


def _infos(topics: Iterable[api.TopicInfo]) -> list[describing.TopicInfo]:
    return [
        describing.TopicInfo(
            topic.name,
            topic.partitions,
            topic.replication_factor,
            [describing.KeyValue(*config) for config in topic.configs],
        )
        for topic in topics
    ]


def _member(member: api.DescribedStreamsMember) -> describing.Member:
    return describing.Member(
        member_id=member.member_id,
        member_epoch=member.member_epoch,
        instance_id=member.instance_id,
        rack_id=member.rack_id,
        client_id=member.client_id,
        client_host=member.client_host,
        topology_epoch=member.topology_epoch,
        process_id=member.process_id,
        user_endpoint=None if member.endpoint is None else describing.Endpoint(*member.endpoint),
        client_tags=[describing.KeyValue(*tag) for tag in member.client_tags],
        assignment=_assignment(member.assignment),
        target_assignment=_assignment(member.target_assignment),
    )


def _assignment(tasks: api.MemberTasks) -> describing.Assignment:
    return describing.Assignment(
        *([describing.TaskIds(each, list(partitions)) for each, partitions in lists.items()] for lists in tasks)
    )


HANDLERS = (Handler(88, streams_group_heartbeat), Handler(89, streams_group_describe))
