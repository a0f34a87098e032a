"""Where logs begin and end: ListOffsets (2) and OffsetForLeaderEpoch (23)."""

from __future__ import annotations

from embedkafka.broker import api
from embedkafka.errors import InvalidRequestError, UnsupportedVersionError
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_02_list_offsets import (
    ListOffsetsPartitionResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from embedkafka.protocol.apis.api_23_offset_for_leader_epoch import (
    EpochEndOffset,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# The first version in which each sentinel may be asked for: the largest timestamp (KIP-734), the local start (KIP-405),
# the end of what is tiered (KIP-1005), the first offset still to be tiered (KIP-1023).
_FIRST_VERSION = {-3: 7, -4: 8, -5: 9, -6: 11}

_WITH_LEADER_EPOCH = 4


def list_offsets(call: Call, request: ListOffsetsRequest) -> ListOffsetsResponse:
    """Offsets by time, partition by partition."""
    asked: dict[TopicPartition, int] = {}
    epochs: dict[TopicPartition, int] = {}
    refused: dict[TopicPartition, int] = {}
    for topic in request.topics:
        for partition in topic.partitions:
            topic_partition = TopicPartition(topic.name, partition.partition_index)
            if topic_partition in asked or topic_partition in refused:
                refused[topic_partition] = InvalidRequestError.errno  # named twice: refused, once
                asked.pop(topic_partition, None)
                continue
            if call.version < _FIRST_VERSION.get(partition.timestamp, 0):
                refused[topic_partition] = UnsupportedVersionError.errno
                continue
            asked[topic_partition] = partition.timestamp
            epochs[topic_partition] = partition.current_leader_epoch
    found = {
        each.topic_partition: each
        for each in call.port.list_offsets(call.context, api.ListOffsetsRequest(asked, request.isolation_level, epochs))
    }
    found.update((each, api.PartitionOffset(each, error_code)) for each, error_code in refused.items())
    return ListOffsetsResponse(
        topics=[
            ListOffsetsTopicResponse(
                topic.name,
                [
                    _offset(found[TopicPartition(topic.name, number)], call)
                    for number in dict.fromkeys(each.partition_index for each in topic.partitions)
                ],
            )
            for topic in request.topics
        ]
    )


def _offset(found: api.PartitionOffset, call: Call) -> ListOffsetsPartitionResponse:
    leader_epoch = found.leader_epoch if call.version >= _WITH_LEADER_EPOCH else -1
    return ListOffsetsPartitionResponse(
        found.topic_partition.partition, found.error_code, found.timestamp, found.offset, leader_epoch
    )


def offset_for_leader_epoch(call: Call, request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse:
    """Where epochs ended."""
    epochs: dict[TopicPartition, int] = {}
    current: dict[TopicPartition, int] = {}
    for topic in request.topics:
        for partition in topic.partitions:
            topic_partition = TopicPartition(topic.topic, partition.partition)
            epochs[topic_partition] = partition.leader_epoch
            current[topic_partition] = partition.current_leader_epoch
    found = {
        each.topic_partition: each for each in call.port.offset_for_leader_epoch(call.context, epochs, current=current)
    }
    return OffsetForLeaderEpochResponse(
        topics=[
            OffsetForLeaderTopicResult(
                topic.topic,
                [_epoch_end(found[TopicPartition(topic.topic, each.partition)]) for each in topic.partitions],
            )
            for topic in request.topics
        ]
    )


def _epoch_end(found: api.EpochEndOffset) -> EpochEndOffset:
    return EpochEndOffset(found.error_code, found.topic_partition.partition, found.leader_epoch, found.end_offset)


HANDLERS = (Handler(2, list_offsets), Handler(23, offset_for_leader_epoch))
