"""Share groups (KIP-932): ShareGroupHeartbeat (76), ShareGroupDescribe (77), and their offsets (90 to 92)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from embedkafka.broker import api
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis import api_76_share_group_heartbeat as heartbeats
from embedkafka.protocol.apis import api_77_share_group_describe as describing
from embedkafka.protocol.apis.api_90_describe_share_group_offsets import (
    DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsRequestGroup,
    DescribeShareGroupOffsetsResponse,
    DescribeShareGroupOffsetsResponseGroup,
    DescribeShareGroupOffsetsResponsePartition,
    DescribeShareGroupOffsetsResponseTopic,
)
from embedkafka.protocol.apis.api_91_alter_share_group_offsets import (
    AlterShareGroupOffsetsRequest,
    AlterShareGroupOffsetsResponse,
    AlterShareGroupOffsetsResponsePartition,
    AlterShareGroupOffsetsResponseTopic,
)
from embedkafka.protocol.apis.api_92_delete_share_group_offsets import (
    DeleteShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsResponse,
    DeleteShareGroupOffsetsResponseTopic,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler
from embedkafka.server.handlers.group_admin import described_groups

# ShareGroupHeartbeat (76) --------------------------------------------------------------------------------------------


def share_group_heartbeat(
    call: Call, request: heartbeats.ShareGroupHeartbeatRequest
) -> heartbeats.ShareGroupHeartbeatResponse:
    """Join, stay and leave."""
    reply = call.port.share_group_heartbeat(
        call.context,
        api.ShareGroupHeartbeatRequest(
            request.group_id,
            request.member_id,
            request.member_epoch,
            request.rack_id,
            request.subscribed_topic_names,
        ),
    )
    return heartbeats.ShareGroupHeartbeatResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        member_id=reply.member_id,
        member_epoch=reply.member_epoch,
        heartbeat_interval_ms=reply.heartbeat_interval_ms,
        assignment=None if reply.assignment is None else _assigned(reply.assignment),
    )


def _assigned(partitions: Mapping[UUID, Sequence[int]]) -> heartbeats.Assignment:
    return heartbeats.Assignment(
        [heartbeats.TopicPartitions(topic_id, list(numbers)) for topic_id, numbers in partitions.items()]
    )


# ShareGroupDescribe (77) ---------------------------------------------------------------------------------------------


def share_group_describe(
    call: Call, request: describing.ShareGroupDescribeRequest
) -> describing.ShareGroupDescribeResponse:
    """Groups with their members."""
    return describing.ShareGroupDescribeResponse(
        groups=described_groups(
            call,
            call.port.share_group_describe(call.context, request.group_ids),
            describing.DescribedGroup,
            lambda group: (group.assignor_name, [_member(member) for member in group.members]),
            is_asked=request.include_authorized_operations,
        )
    )


def _member(member: api.DescribedShareMember) -> describing.Member:
    return describing.Member(
        member_id=member.member_id,
        rack_id=member.rack_id,
        member_epoch=member.member_epoch,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topic_names=list(member.subscribed_topic_names),
        assignment=describing.Assignment(
            [
                describing.TopicPartitions(topic.topic_id, topic.topic_name, list(topic.partitions))
                for topic in member.assignment
            ]
        ),
    )


# DescribeShareGroupOffsets (90) --------------------------------------------------------------------------------------


def describe_share_group_offsets(
    call: Call, request: DescribeShareGroupOffsetsRequest
) -> DescribeShareGroupOffsetsResponse:
    """Where groups are in their partitions."""
    found = call.port.describe_share_group_offsets(call.context, [_asked(group) for group in request.groups])
    return DescribeShareGroupOffsetsResponse(groups=[_offsets(group) for group in found])


def _asked(group: DescribeShareGroupOffsetsRequestGroup) -> api.DescribeShareGroupOffsetsRequest:
    if group.topics is None:
        return api.DescribeShareGroupOffsetsRequest(group.group_id)
    return api.DescribeShareGroupOffsetsRequest(
        group.group_id, [TopicPartition(topic.topic_name, each) for topic in group.topics for each in topic.partitions]
    )


def _offsets(group: api.DescribedShareGroupOffsets) -> DescribeShareGroupOffsetsResponseGroup:
    topics: dict[str, DescribeShareGroupOffsetsResponseTopic] = {}
    for (name, partition), offset in group.offsets.items():
        topic = topics.setdefault(name, DescribeShareGroupOffsetsResponseTopic(name, offset.topic_id))
        topic.partitions.append(
            DescribeShareGroupOffsetsResponsePartition(
                partition,
                offset.start_offset,
                offset.leader_epoch,
                offset.lag,
                offset.error_code,
                offset.error_message,
            )
        )
    return DescribeShareGroupOffsetsResponseGroup(
        group.group_id, list(topics.values()), group.error_code, group.error_message
    )


# AlterShareGroupOffsets (91), DeleteShareGroupOffsets (92) -----------------------------------------------------------


def alter_share_group_offsets(call: Call, request: AlterShareGroupOffsetsRequest) -> AlterShareGroupOffsetsResponse:
    """Have a group begin elsewhere."""
    offsets = {
        TopicPartition(topic.topic_name, each.partition_index): each.start_offset
        for topic in request.topics
        for each in topic.partitions
    }
    reply = call.port.alter_share_group_offsets(
        call.context, api.AlterShareGroupOffsetsRequest(request.group_id, offsets)
    )
    topics: dict[str, AlterShareGroupOffsetsResponseTopic] = {}
    for (name, partition), altered in reply.offsets.items():
        topic = topics.setdefault(name, AlterShareGroupOffsetsResponseTopic(name, altered.topic_id))
        topic.partitions.append(
            AlterShareGroupOffsetsResponsePartition(partition, altered.error_code, altered.error_message)
        )
    return AlterShareGroupOffsetsResponse(
        error_code=reply.error_code, error_message=reply.error_message, responses=list(topics.values())
    )


def delete_share_group_offsets(call: Call, request: DeleteShareGroupOffsetsRequest) -> DeleteShareGroupOffsetsResponse:
    """Forget where a group is in whole topics."""
    names = [topic.topic_name for topic in request.topics]
    reply = call.port.delete_share_group_offsets(
        call.context, api.DeleteShareGroupOffsetsRequest(request.group_id, names)
    )
    return DeleteShareGroupOffsetsResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        responses=[
            DeleteShareGroupOffsetsResponseTopic(topic.topic, topic.topic_id, topic.error_code, topic.error_message)
            for topic in reply.topics
        ],
    )


HANDLERS = (
    Handler(76, share_group_heartbeat),
    Handler(77, share_group_describe),
    Handler(90, describe_share_group_offsets),
    Handler(91, alter_share_group_offsets),
    Handler(92, delete_share_group_offsets),
)
