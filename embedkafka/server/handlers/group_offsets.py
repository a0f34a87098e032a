"""How far groups have read: OffsetCommit (8), OffsetFetch (9) and OffsetDelete (47)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from embedkafka.broker import api
from embedkafka.errors import (
    StaleMemberEpochError,
    UnknownTopicIdError,
    UnsupportedVersionError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis import api_09_offset_fetch as wire
from embedkafka.protocol.apis.api_08_offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from embedkafka.protocol.apis.api_47_offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

_TOPIC_IDS = 10  # the first version of OffsetCommit and OffsetFetch with them

# OffsetCommit (8) ----------------------------------------------------------------------------------------------------

_CONSUMER_GROUPS = 9  # the first version for members of KIP-848's groups


def offset_commit(call: Call, request: OffsetCommitRequest) -> OffsetCommitResponse:
    """Store offsets, partition by partition."""
    names = [_name(call, topic) for topic in request.topics]
    offsets = {
        TopicPartition(name, each.partition_index): committed(each)
        for topic, name in zip(request.topics, names, strict=True)
        if name is not None
        for each in topic.partitions
    }
    asked = api.OffsetCommitRequest(
        request.group_id, offsets, request.generation_id_or_member_epoch, request.member_id, request.group_instance_id
    )
    codes = call.port.offset_commit(call.context, asked).error_codes
    return OffsetCommitResponse(
        topics=[
            OffsetCommitResponseTopic(
                topic.name,
                topic.topic_id,
                [
                    OffsetCommitResponsePartition(
                        each.partition_index,
                        UnknownTopicIdError.errno
                        if name is None
                        else _commit_code(call.version, codes[TopicPartition(name, each.partition_index)]),
                    )
                    for each in topic.partitions
                ],
            )
            for topic, name in zip(request.topics, names, strict=True)
        ]
    )


def committed(partition: OffsetCommitRequestPartition) -> api.OffsetToCommit:
    """An offset as the port takes it: metadata that is null is empty."""
    return api.OffsetToCommit(
        partition.committed_offset, partition.committed_leader_epoch, partition.committed_metadata or ""
    )


def _commit_code(version: int, code: int) -> int:
    """Version 9 told members of KIP-848's groups that their epoch is old; before, they may not commit at all."""
    return UnsupportedVersionError.errno if version < _CONSUMER_GROUPS and code == StaleMemberEpochError.errno else code


def _name(call: Call, topic: OffsetCommitRequestTopic | wire.OffsetFetchRequestTopics) -> str | None:
    return call.port.topic_name(topic.topic_id) if call.version >= _TOPIC_IDS else topic.name


# OffsetFetch (9) -----------------------------------------------------------------------------------------------------

_GROUP_ERROR = 2  # the first version with an error for the whole group
_SEVERAL_GROUPS = 8


def offset_fetch(call: Call, request: wire.OffsetFetchRequest) -> wire.OffsetFetchResponse:
    """What groups have committed: one group up to version 7, then several."""
    if call.version >= _SEVERAL_GROUPS:
        return wire.OffsetFetchResponse(
            groups=[_group(call, group, require_stable=request.require_stable) for group in request.groups]
        )
    topics = request.topics
    asked = None if topics is None else _partitions((topic.name, topic.partition_indexes) for topic in topics)
    reply = call.port.offset_fetch(
        call.context, api.OffsetFetchRequest(request.group_id, asked, request.require_stable)
    )
    if reply.error_code and call.version >= _GROUP_ERROR:
        return wire.OffsetFetchResponse(error_code=reply.error_code)
    found: dict[str, wire.OffsetFetchResponseTopic] = {}
    for topic_partition in list(reply.offsets) if asked is None else asked:
        offset = reply.offsets.get(topic_partition, api.CommittedOffset(error_code=reply.error_code))
        topic = found.setdefault(topic_partition.topic, wire.OffsetFetchResponseTopic(topic_partition.topic))
        topic.partitions.append(
            wire.OffsetFetchResponsePartition(
                topic_partition.partition, offset.offset, offset.leader_epoch, offset.metadata, offset.error_code
            )
        )
    return wire.OffsetFetchResponse(topics=list(found.values()))


def _group(call: Call, group: wire.OffsetFetchRequestGroup, *, require_stable: bool) -> wire.OffsetFetchResponseGroup:
    topics = [] if group.topics is None else [(topic, _name(call, topic)) for topic in group.topics]
    asked = _partitions((name, topic.partition_indexes) for topic, name in topics if name is not None)
    reply = call.port.offset_fetch(
        call.context,
        api.OffsetFetchRequest(
            group.group_id,
            None if group.topics is None else asked,
            require_stable,
            group.member_id,
            group.member_epoch,
        ),
    )
    if reply.error_code:
        return wire.OffsetFetchResponseGroup(group.group_id, error_code=reply.error_code)
    found: dict[str, list[wire.OffsetFetchResponsePartitions]] = {}
    for topic_partition in list(reply.offsets) if group.topics is None else asked:
        offset = reply.offsets.get(topic_partition, api.CommittedOffset())
        found.setdefault(topic_partition.topic, []).append(_offset(topic_partition.partition, offset))
    if call.version < _TOPIC_IDS:
        return wire.OffsetFetchResponseGroup(
            group.group_id, [wire.OffsetFetchResponseTopics(name, partitions=each) for name, each in found.items()]
        )
    ids = _ids(call, found) if group.topics is None else {name: topic.topic_id for topic, name in topics if name}
    unknown = api.CommittedOffset(error_code=UnknownTopicIdError.errno)
    return wire.OffsetFetchResponseGroup(
        group.group_id,
        [
            *(wire.OffsetFetchResponseTopics("", ids[name], each) for name, each in found.items() if name in ids),
            *(
                wire.OffsetFetchResponseTopics(
                    "", topic.topic_id, [_offset(partition, unknown) for partition in topic.partition_indexes]
                )
                for topic, name in topics
                if name is None
            ),
        ],
    )


def _ids(call: Call, names: Iterable[str]) -> dict[str, UUID]:
    """The ids of those topics that there still are."""
    topics = call.port.metadata(call.context, list(names)).topics
    return {topic.topic: topic.topic_id for topic in topics if not topic.error_code}


def _partitions(topics: Iterable[tuple[str, list[int]]]) -> list[TopicPartition]:
    return [TopicPartition(name, partition) for name, partitions in topics for partition in partitions]


def _offset(partition: int, offset: api.CommittedOffset) -> wire.OffsetFetchResponsePartitions:
    return wire.OffsetFetchResponsePartitions(
        partition, offset.offset, offset.leader_epoch, offset.metadata, offset.error_code
    )


# OffsetDelete (47) ---------------------------------------------------------------------------------------------------


def offset_delete(call: Call, request: OffsetDeleteRequest) -> OffsetDeleteResponse:
    """Forget offsets of topics that no member reads."""
    asked = [TopicPartition(topic.name, each.partition_index) for topic in request.topics for each in topic.partitions]
    reply = call.port.offset_delete(call.context, request.group_id, asked)
    if reply.error_code:
        return OffsetDeleteResponse(error_code=reply.error_code)
    return OffsetDeleteResponse(
        topics=[
            OffsetDeleteResponseTopic(
                topic.name,
                [
                    OffsetDeleteResponsePartition(
                        each.partition_index, reply.error_codes[TopicPartition(topic.name, each.partition_index)]
                    )
                    for each in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


HANDLERS = (Handler(8, offset_commit), Handler(9, offset_fetch), Handler(47, offset_delete))
